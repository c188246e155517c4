"""Grids whose PEs keep outputs: the frame that output-stationary and serial arrays share.

Row r works on one output pixel, column c on one output channel. Activations enter from the left
edge, weights from the top, both skewed by one cycle a PE. A PE takes ``lanes`` products at a time
and spends a kind's number of cycles on them. When a tile of outputs is complete it moves to drain
registers and leaves row by row while the next tile is computed.
docs/datapaths/output_stationary.md derives the formulas.
"""

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from accelerators.datapaths.interface import (
    NO_PARTIAL_SUMS,
    REQUANTIZER_STAGES,
    Grid,
    PartialSums,
    SramReads,
    UnitWidths,
    Work,
    folds,
    reduction_steps,
    skew_registers,
)

if TYPE_CHECKING:
    from accelerators.schema import Array, Sram


@dataclass(frozen=True, slots=True)
class OutputGrid(Grid):
    """A grid of PEs that keep outputs; a kind says what its PEs do."""

    @property
    def keeps_partial_sums(self) -> bool:
        """An output stays where it is until it is complete."""
        return False

    @property
    def scales_at_run_time(self) -> bool:
        """Whether run-time scaling knows what this kind's PEs take."""
        return False

    @property
    @abstractmethod
    def element_bit_product(self) -> int:
        """Pairs of bits a lane's multiplier takes."""

    @property
    def digits(self) -> UnitWidths:
        """Bits of a weight and of an activation that a lane takes in a cycle."""
        return UnitWidths(self.array.weight_bits, self.array.activation_bits)

    @property
    def skew_bits(self) -> int:
        """Digits of all lanes, a cycle later in each row and each column."""
        array, digits = self.array, self.digits
        lanes = max(array.lanes, array.lanes_at_one_bit)
        rows = skew_registers(array.rows, lanes * digits.activation_bits)
        return rows + skew_registers(array.columns, lanes * digits.weight_bits)

    @property
    def drain_bits(self) -> int:
        """A finished output beside that in work, in each PE."""
        return self.array.processing_elements * self.array.accumulator_bits

    @property
    def feed_bits_per_cycle(self) -> int:
        """Operands of a step, spread over the cycles it takes, at the hungriest widths."""
        return max(
            self._step_bits(*widths) // self.passes(*widths) for widths in self.native_widths()
        )

    def _step_bits(self, weight_bits: int, activation_bits: int) -> int:
        array = self.array
        bits = array.rows * activation_bits + array.columns * weight_bits
        return bits * self.lanes(weight_bits)

    def lanes(self, weight_bits: int) -> int:
        """Products a PE takes at a time."""
        return self.array.lanes

    @abstractmethod
    def passes(self, weight_bits: int, activation_bits: int, weight_terms: int = 0) -> int:
        """Cycles a PE spends on the products it takes at a time.

        Raises:
            UserError: a width is not 1 to 16 bits.
        """

    def peak_macs_per_cycle(self, weight_bits: int, activation_bits: int) -> Fraction:
        """All lanes of all PEs, over the cycles they take."""
        products = self.array.processing_elements * self.lanes(weight_bits)
        return Fraction(products, self.passes(weight_bits, activation_bits))

    def cycles(self, work: Work, sram: "Sram") -> int:
        """Cycles from the first operand in to the last requantized output.

        Raises:
            UserError: a width is not 1 to 16 bits.
        """
        array = self.array
        operands = self._operand_cycles(work)
        if work.groups > 1:
            feed = scattered_feed_cycles(
                array,
                work.pixels,
                work.taps,
                work.group_channels,
                work.activation_bits,
                sram.word_bits,
                sram.banks,
            )
            operands = max(operands, feed)
        return grid_cycles(array, work.pixels, work.channels, operands, work.groups)

    def cycles_per_pixel(self, work: Work) -> Fraction:
        """K cycles for each tile of R pixels and C channels, however full it is of pixels."""
        array = self.array
        tiles = folds(work.channels // work.groups, array.columns) * work.groups
        return Fraction(tiles * self._operand_cycles(work), array.rows)

    def _operand_cycles(self, work: Work) -> int:
        """Cycles a PE works for one output, if SRAM delivers its operands in time."""
        lanes = self.lanes(work.weight_bits)
        steps = reduction_steps(work, lanes, self.array.lanes, self.array.kernel_taps)
        return steps * self.passes(work.weight_bits, work.activation_bits, work.weight_terms)

    def sram_reads(self, work: Work, word_bits: int) -> SramReads:
        """Words read; operands are held at the array's edge for all passes over them."""
        return sram_reads(
            self.array,
            work.pixels,
            work.channels,
            work.reduction,
            work.weight_bits,
            work.activation_bits,
            word_bits,
            work.groups,
            work.taps,
        )

    def partial_sums(self, work: Work) -> PartialSums:
        """None: an output stays where it is until it is complete."""
        return NO_PARTIAL_SUMS


def grid_cycles(array: "Array", pixels: int, channels: int, operands: int, groups: int = 1) -> int:
    """Cycles from the first operand in to the last requantized output.

    With T tiles, R rows, C columns and K = operands, the cycles a PE works for one output::

        (T - 1) max(K, R) + K + (R + C - 2) + R + 2

    Tiles follow each other every K cycles, or every R where draining a tile takes longer; the
    last one needs its K operands, the skew to the far corner, R rows of drain and the rest of
    the requantizer's pipeline. All columns are fed the same activations, so groups share no tile.
    """
    tiles = folds(pixels, array.rows) * folds(channels // groups, array.columns) * groups
    earlier_tiles = (tiles - 1) * max(operands, array.rows)
    skew = array.rows + array.columns - 2
    drain = array.rows + REQUANTIZER_STAGES - 1
    return earlier_tiles + operands + skew + drain


def sram_reads(
    array: "Array",
    pixels: int,
    channels: int,
    reduction: int,
    weight_bits: int,
    activation_bits: int,
    word_bits: int,
    groups: int = 1,
    taps: int = 1,
) -> SramReads:
    """Words read from SRAM, with operands packed to the bit.

    Operand counts are SCALE-Sim's for this dataflow: every channel fold reads all activations
    again, every pixel fold all weights. An operand of several slices is read once and held at
    the array's edge during its passes. A group's channels are a part of each pixel: with groups,
    every tap of every pixel is read on its own, in whole words.

    Args:
        array: the PE array.
        pixels: output pixels, at least 1.
        channels: output channels, at least 1.
        reduction: products summed for one output, at least 1.
        weight_bits: weight width, 1 to 16.
        activation_bits: activation width, 1 to 16.
        word_bits: width of an SRAM word.
        groups: into which input and output channels are divided.
        taps: of the kernel; asked for with groups only.
    """
    channel_folds = folds(channels // groups, array.columns) * groups
    weights = channels * reduction * folds(pixels, array.rows)
    if groups == 1:
        activation_words = folds(pixels * reduction * channel_folds * activation_bits, word_bits)
    else:
        run_words = folds(reduction // taps * activation_bits, word_bits)
        activation_words = pixels * taps * run_words * channel_folds
    return SramReads(activation_words, folds(weights * weight_bits, word_bits))


def scattered_feed_cycles(
    array: "Array",
    pixels: int,
    taps: int,
    group_channels: int,
    activation_bits: int,
    word_bits: int,
    banks: int,
) -> int:
    """Cycles SRAM takes to deliver a tile's activations of a grouped convolution.

    Each row of the array reads each of its taps in words of its own; each bank serves one word a
    cycle, conflicts apart.

    Args:
        array: the PE array.
        pixels: output pixels, at least 1.
        taps: of the kernel.
        group_channels: input channels of a group.
        activation_bits: activation width, 1 to 16.
        word_bits: width of an SRAM word.
        banks: of the SRAM.
    """
    run_words = folds(group_channels * activation_bits, word_bits)
    return folds(min(pixels, array.rows) * taps * run_words, banks)
