"""The shift-and-add array: a weight is a few signed powers of two, decoded from its code.

A PE keeps one output and takes ``lanes`` products at a time: each cycle every lane shifts its
activation by the next exponent of its weight and adds or subtracts it. All lanes of the array run
in lockstep, so a step takes the most terms any of its weights has.

What is modelled: a convolution is charged, in every step, the most terms that any weight of its
*code* can have (`code_terms`), not the terms its weights do have; with hundreds of lanes in
lockstep the two seldom differ. `lockstep_cycles` counts the terms of given weights. Terms are those
of the signed-digit form, which no other has fewer of. Decoding happens at the array's edge, a
table lookup without a cycle of its own; its energy is not modelled. Activations wider than the
machine's take further passes, narrower ones are not faster. Otherwise it is the output-stationary
array. docs/datapaths/shift_add.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accelerators.datapaths.interface import (
    UnitWidths,
    Work,
    check_width,
    folds,
    slice_count,
)
from accelerators.datapaths.output_grid import OutputGrid


@dataclass(frozen=True, slots=True)
class ShiftAdd(OutputGrid):
    """Lanes of a shifter each, whose results a tree adds up."""

    @property
    def element_bit_product(self) -> int:
        """A lane shifts one activation."""
        return self.array.activation_bits

    @property
    def unit_widths(self) -> UnitWidths:
        """A term, and an activation, whole."""
        return self.digits

    @property
    def digits(self) -> UnitWidths:
        """A term, and an activation, whole."""
        return UnitWidths(self._term_bits, self.array.activation_bits)

    @property
    def _term_bits(self) -> int:
        """Of a sign and an exponent up to that of a weight."""
        return 1 + (self.array.weight_bits - 1).bit_length()

    def passes(self, weight_bits: int, activation_bits: int, weight_terms: int = 0) -> int:
        """A cycle for each term and slice of an activation."""
        terms = weight_terms or integer_terms(weight_bits)
        return terms * slice_count(activation_bits, self.array.activation_bits)

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Weights rounded up to the widest with as many terms, activations to whole slices."""
        native = self.array.activation_bits
        slices = slice_count(activation_bits, native)
        return 2 * integer_terms(weight_bits), slices * native

    def mac_actions(self, work: Work) -> Mapping[tuple[int, int], int]:
        """A count for each term, as wide as a term is."""
        terms = work.weight_terms or integer_terms(work.weight_bits)
        return {(self._term_bits, work.activation_bits): work.macs * terms}


def integer_terms(weight_bits: int) -> int:
    """The most terms of a two's complement integer: half its width, rounded up.

    Raises:
        UserError: the width is not 1 to 16 bits.
    """
    check_width(weight_bits)
    return folds(weight_bits, 2)


def term_count(integer: int) -> int:
    """Non-zero digits of an integer's signed-digit form.

    The form with fewest of them has them where 3n and n differ in binary.
    """
    magnitude = abs(integer)
    return (3 * magnitude ^ magnitude).bit_count()


def code_terms(integers: Iterable[int]) -> int:
    """The most terms among the integers of a code, at least one."""
    return max(1, max(map(term_count, integers)))


def lockstep_cycles(terms: Iterable[Iterable[int]]) -> int:
    """Cycles of steps whose lanes wait for each other, at least one a step.

    Args:
        terms: for each step, the terms of the weight in each lane.
    """
    return sum(max(1, *lanes) for lanes in terms)
