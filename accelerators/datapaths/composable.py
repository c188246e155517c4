"""The composable array (Bit Fusion): multipliers of 2 x 2 bits that join to wider ones.

A fusion unit has bricks for one product of the native widths, 16 for 8 x 8 bits. For narrower
operands the same bricks make more products of one output: 2 of 8 x 4, 4 of 4 x 4, 8 of 4 x 2, 16 of
2 x 2. Operands of 16 bits go through in slices of the native width, 4 cycles for 16 x 16. Widths
round up to 2, 4, 8 and 16 bits. Weights stay in the units, pixels stream past, sums move down, as
in the weight-stationary array. docs/datapaths/composable.md.

Source: Sharma et al., "Bit Fusion: Bit-Level Dynamically Composable Architecture for Accelerating
Deep Neural Networks", ISCA 2018.
"""

from dataclasses import dataclass

from accelerators.datapaths.interface import check_width
from accelerators.datapaths.stationary_grid import Slicing, StationaryGrid

BRICK_BITS = 2
"""Width of a brick's operands."""


@dataclass(frozen=True, slots=True)
class Composable(StationaryGrid):
    """Fusion units that hold as many weights of an output as their bricks have room for."""

    @property
    def holds_weights(self) -> bool:
        """Weights stay."""
        return True

    def slicing(self, weight_bits: int, activation_bits: int) -> Slicing:
        """Products by integer division of the native widths, cycles by division of the operands."""
        weight, activation = self.effective_widths(weight_bits, activation_bits)
        native_weight, native_activation = self.array.weight_bits, self.array.activation_bits
        products = max(native_weight // weight, 1) * max(native_activation // activation, 1)
        cycles = max(weight // native_weight, 1) * max(activation // native_activation, 1)
        return Slicing(products, 1, cycles)

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Widths rounded up to a power of two, at least a brick's."""
        return rounded_width(weight_bits), rounded_width(activation_bits)


def rounded_width(operand_bits: int) -> int:
    """The width an operand is computed at: 2, 4, 8 or 16 bits.

    Raises:
        UserError: the operand is not 1 to 16 bits wide.
    """
    check_width(operand_bits)
    return max(BRICK_BITS, 1 << (operand_bits - 1).bit_length())
