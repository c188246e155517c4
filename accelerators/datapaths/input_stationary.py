"""The input-stationary array: activations stay in the PEs, weights stream past, sums move down.

Rows take the products of an output, columns output pixels. An activation wider than a multiplier
is loaded slice by slice, a weight wider than one takes a cycle a slice; narrower ones are not
faster. docs/datapaths/input_stationary.md.
"""

from dataclasses import dataclass

from accelerators.datapaths.interface import slice_count
from accelerators.datapaths.stationary_grid import Slicing, StationaryGrid


@dataclass(frozen=True, slots=True)
class InputStationary(StationaryGrid):
    """Bit-parallel multipliers that each hold an activation."""

    @property
    def holds_weights(self) -> bool:
        """Weights stream."""
        return False

    def slicing(self, weight_bits: int, activation_bits: int) -> Slicing:
        """One product; a load for each slice of activations, a cycle for each of a weight."""
        held = slice_count(activation_bits, self.array.activation_bits)
        return Slicing(1, held, slice_count(weight_bits, self.array.weight_bits))

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Widths rounded up to whole slices."""
        _, held, streamed = self.slicing(weight_bits, activation_bits)
        return streamed * self.array.weight_bits, held * self.array.activation_bits
