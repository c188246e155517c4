"""The weight-serial array (UNPU): weights enter a bit a cycle, activations whole.

A PE keeps one output and takes ``lanes`` products at a time. UNPU looks sums of a few activations
up in a table that they index with a bit of each weight; here a lane adds its activation or not,
which gives the same sums in the same cycles. A step takes as many cycles as weights have bits. With
one-bit weights a table serves more activations: ``lanes_at_one_bit`` of the machine. Activations
wider than the machine's take further passes, narrower ones are not faster. Otherwise it is the
output-stationary array. docs/datapaths/weight_serial.md.

Source: Lee et al., "UNPU: An Energy-Efficient Deep Neural Network Accelerator With Fully Variable
Weight Bit Precision", JSSC 2019.
"""

from dataclasses import dataclass

from accelerators.datapaths.interface import UnitWidths, check_width, slice_count
from accelerators.datapaths.output_grid import OutputGrid


@dataclass(frozen=True, slots=True)
class WeightSerial(OutputGrid):
    """Lanes of an activation and one bit of a weight."""

    @property
    def element_bit_product(self) -> int:
        """A lane gates one activation with a bit."""
        return self.array.activation_bits

    @property
    def digits(self) -> UnitWidths:
        """A bit of a weight, and an activation, whole."""
        return UnitWidths(1, self.array.activation_bits)

    def lanes(self, weight_bits: int) -> int:
        """Products a PE takes at a time; more where weights have one bit, if the machine says."""
        array = self.array
        return (array.lanes_at_one_bit if weight_bits == 1 else 0) or array.lanes

    def passes(self, weight_bits: int, activation_bits: int, weight_terms: int = 0) -> int:
        """A cycle for each bit of a weight and slice of an activation."""
        check_width(weight_bits)
        return slice_count(activation_bits, self.array.activation_bits) * weight_bits

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Weights as they are, activations rounded up to whole slices."""
        native = self.array.activation_bits
        check_width(weight_bits)
        return weight_bits, slice_count(activation_bits, native) * native
