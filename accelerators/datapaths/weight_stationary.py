"""The weight-stationary array: weights stay in the PEs, pixels stream past, sums move down.

Rows take the products of an output, columns output channels. A weight wider than a multiplier is
loaded slice by slice, an activation wider than one takes a cycle a slice; narrower ones are not
faster. docs/datapaths/weight_stationary.md.
"""

from dataclasses import dataclass

from accelerators.datapaths.interface import slice_count
from accelerators.datapaths.stationary_grid import Slicing, StationaryGrid


@dataclass(frozen=True, slots=True)
class WeightStationary(StationaryGrid):
    """Bit-parallel multipliers that each hold a weight."""

    @property
    def holds_weights(self) -> bool:
        """Weights stay."""
        return True

    def slicing(self, weight_bits: int, activation_bits: int) -> Slicing:
        """One product; a load for each slice of weights, a cycle for each of an activation."""
        held = slice_count(weight_bits, self.array.weight_bits)
        return Slicing(1, held, slice_count(activation_bits, self.array.activation_bits))

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Widths rounded up to whole slices."""
        _, held, streamed = self.slicing(weight_bits, activation_bits)
        return held * self.array.weight_bits, streamed * self.array.activation_bits
