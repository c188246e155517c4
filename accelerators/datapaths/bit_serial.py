"""The bit-serial array (Loom, BISMO): a bit of each weight meets a bit of each activation a cycle.

A PE keeps one output and takes ``lanes`` products at a time: each cycle it counts the lanes whose
two bits are set, shifted by the places of both; where one of them is a sign bit it subtracts. A
step takes weight bits x activation bits cycles, at every width. Otherwise it is the
output-stationary array. docs/datapaths/bit_serial.md.

Sources: Sharify et al., "Loom: Exploiting Weight and Activation Precisions to Accelerate
Convolutional Neural Networks", DAC 2018; Umuroglu et al., "BISMO: A Scalable Bit-Serial Matrix
Multiplication Overlay for Reconfigurable Computing", FPL 2018.
"""

from dataclasses import dataclass

from accelerators.datapaths.interface import UnitWidths, check_width
from accelerators.datapaths.output_grid import OutputGrid


@dataclass(frozen=True, slots=True)
class BitSerial(OutputGrid):
    """Lanes of one bit by one bit."""

    @property
    def element_bit_product(self) -> int:
        """A lane is one gate."""
        return 1

    @property
    def digits(self) -> UnitWidths:
        """A bit of each."""
        return UnitWidths(1, 1)

    def passes(self, weight_bits: int, activation_bits: int, weight_terms: int = 0) -> int:
        """A cycle for each pair of bits."""
        check_width(weight_bits)
        check_width(activation_bits)
        return weight_bits * activation_bits

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Both as they are."""
        check_width(weight_bits)
        check_width(activation_bits)
        return weight_bits, activation_bits
