"""The output-stationary array: each PE keeps one output and accumulates it in place.

Rows work on pixels, columns on output channels; activations enter from the left edge, weights
from the top, both skewed by one cycle a PE. When a tile of outputs is complete it moves to drain
registers and leaves row by row while the next tile is computed. docs/datapaths/
output_stationary.md derives every formula here and says what it was checked against.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accelerators.datapaths.interface import slice_count
from accelerators.datapaths.output_grid import OutputGrid, grid_cycles
from accelerators.datapaths.output_grid import scattered_feed_cycles as scattered_feed_cycles
from accelerators.datapaths.output_grid import sram_reads as sram_reads

if TYPE_CHECKING:
    from accelerators.schema import Array


@dataclass(frozen=True, slots=True)
class OutputStationary(OutputGrid):
    """Bit-parallel multipliers; a PE adds ``lanes`` products of a cycle to its output."""

    @property
    def scales_at_run_time(self) -> bool:
        """Where a PE has one multiplier, which is the array that run-time scaling describes."""
        return self.array.lanes == 1

    @property
    def element_bit_product(self) -> int:
        """Pairs of bits a multiplier takes."""
        return self.array.weight_bits * self.array.activation_bits

    def passes(self, weight_bits: int, activation_bits: int, weight_terms: int = 0) -> int:
        """A cycle for each pair of operand slices."""
        return precision_passes(self.array, weight_bits, activation_bits)

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Widths rounded up to whole slices."""
        native_weight, native_activation = self.array.weight_bits, self.array.activation_bits
        return (
            slice_count(weight_bits, native_weight) * native_weight,
            slice_count(activation_bits, native_activation) * native_activation,
        )


def slices(operand_bits: int, native_bits: int) -> tuple[int, ...]:
    """Widths of the slices a multiplier of `native_bits` takes an operand of any width in."""
    full, rest = divmod(operand_bits, native_bits)
    return (native_bits,) * full + ((rest,) if rest else ())


def precision_passes(array: "Array", weight_bits: int, activation_bits: int) -> int:
    """Cycles one multiply-accumulate takes: one for each pair of operand slices.

    A narrower operand leaves part of a bit-parallel multiplier idle; it is not faster.
    """
    weight_slices = slice_count(weight_bits, array.weight_bits)
    return weight_slices * slice_count(activation_bits, array.activation_bits)


def convolution_cycles(
    array: "Array",
    pixels: int,
    channels: int,
    reduction: int,
    weight_bits: int,
    activation_bits: int,
    groups: int = 1,
    feed: int = 0,
) -> int:
    """Cycles from the first operand in to the last requantized output.

    `grid_cycles` with K = max(reduction x passes, feed) operands an output. So do scaled
    convolutions ask; others go through `OutputStationary`.

    Args:
        array: the PE array.
        pixels: output pixels, at least 1.
        channels: output channels, at least 1.
        reduction: products summed for one output, kernel area x input channels, at least 1.
        weight_bits: weight width, 1 to 16.
        activation_bits: activation width, 1 to 16.
        groups: into which output channels are divided; each is a matrix product of its own.
        feed: cycles SRAM takes to deliver a tile's activations, where that can be more than K;
            see `scattered_feed_cycles`.
    """
    operands = max(reduction * precision_passes(array, weight_bits, activation_bits), feed)
    return grid_cycles(array, pixels, channels, operands, groups)


def utilization(array: "Array", macs: int, cycles: int) -> float:
    """Multiply-accumulates done as a share of the array's peak, one a PE and cycle.

    An operation that takes several passes counts once, so wide operands lower the share.
    """
    return macs / (cycles * array.processing_elements)
