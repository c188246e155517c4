"""The activation-serial array (Stripes): activations enter a bit a cycle, weights whole.

A PE keeps one output and takes ``lanes`` products at a time: each cycle it adds the weights whose
activation has the bit that is due, shifted by the bit's place; the sign bit subtracts. A step takes
as many cycles as activations have bits. Weights wider than the machine's take further passes,
narrower ones are not faster. Otherwise it is the output-stationary array.
docs/datapaths/activation_serial.md.

Source: Judd et al., "Stripes: Bit-Serial Deep Neural Network Computing", MICRO 2016.
"""

from dataclasses import dataclass

from accelerators.datapaths.interface import UnitWidths, check_width, slice_count
from accelerators.datapaths.output_grid import OutputGrid


@dataclass(frozen=True, slots=True)
class ActivationSerial(OutputGrid):
    """Lanes of a weight and one bit of an activation."""

    @property
    def element_bit_product(self) -> int:
        """A lane gates one weight with a bit."""
        return self.array.weight_bits

    @property
    def digits(self) -> UnitWidths:
        """A weight, whole, and a bit of an activation."""
        return UnitWidths(self.array.weight_bits, 1)

    def passes(self, weight_bits: int, activation_bits: int, weight_terms: int = 0) -> int:
        """A cycle for each bit of an activation and slice of a weight."""
        check_width(activation_bits)
        return slice_count(weight_bits, self.array.weight_bits) * activation_bits

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Weights rounded up to whole slices, activations as they are."""
        native = self.array.weight_bits
        check_width(activation_bits)
        return slice_count(weight_bits, native) * native, activation_bits
