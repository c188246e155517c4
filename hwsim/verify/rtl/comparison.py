"""What a design gave, compared with the integers and cycles that were expected of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.rtl.outcome import Outcome
from hwsim.verify.rtl.words import unpack

Wide = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What a lane of an output should give.

    Attributes:
        integers: [items, elements].
        bits: of an element.
        is_signed: whether elements are two's complement.
        cycles: in which each item should be seen, [items]; None where that is not compared.
        counts: which elements are compared, [items, elements]; None compares all.
    """

    integers: Wide
    bits: int
    is_signed: bool
    cycles: Wide | None = None
    counts: NDArray[np.bool_] | None = None

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Which elements are compared, [items, elements]."""
        return np.ones(self.integers.shape, bool) if self.counts is None else self.counts


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a design first did something else.

    Attributes:
        stream: the lane.
        index: of the item; None where it is about the whole stream.
        element: of the item; None where it is about all of it.
        wanted: what was expected.
        found: what there is.
        cycle: in which it was seen; None where nothing was.
    """

    stream: str
    index: int | None
    element: int | None
    wanted: str
    found: str
    cycle: int | None

    @property
    def sentence(self) -> str:
        """The difference in words."""
        place = "" if self.index is None else f", item {self.index}"
        place += "" if self.element is None else f", element {self.element}"
        when = "" if self.cycle is None else f" in cycle {self.cycle}"
        return f"{self.stream}{place}: found {self.found}{when}, expected {self.wanted}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of one comparison.

    Attributes:
        values: integers and cycles compared, missing ones too.
        mismatches: how many differ, are missing, superfluous or unknown.
        first: where; None when everything is as expected.
    """

    values: int
    mismatches: int
    first: Difference | None


def compare(
    outcome: Outcome,
    expected: Mapping[str, Expected],
    *,
    taken: Mapping[str, int] | None = None,
    last_cycle: int | None = None,
) -> Comparison:
    """Compare every integer, and cycles as far as they are given.

    Args:
        outcome: what the design did.
        expected: by lane of an output.
        taken: how many items each lane of an input should have taken; None does not compare.
        last_cycle: in which the last output should be seen; None does not compare.
    """
    values = mismatches = 0
    first: Difference | None = None
    parts = [_integers(outcome, name, lane) for name, lane in expected.items()]
    parts += [_cycles(outcome, name, lane) for name, lane in expected.items()]
    parts.append(_others(outcome, taken, last_cycle))
    for compared, differing, difference in parts:
        values += compared
        mismatches += differing
        first = first or difference
    return Comparison(values, mismatches, first)


_Part = tuple[int, int, Difference | None]
"""Values, mismatches and the first of these."""


def _integers(outcome: Outcome, name: str, expected: Expected) -> _Part:
    elements = expected.integers.shape[1]
    words, cycles = outcome.outputs[name], outcome.cycles[name]
    found = unpack(words, expected.bits, elements, is_signed=expected.is_signed)
    wanted = expected.integers
    both, compared = min(len(found), len(wanted)), expected.compared
    wrong = found[:both] != wanted[:both]
    unknown = [b.index for b in outcome.unknown if b.port == name and b.index is not None]
    wrong[[index for index in unknown if index < both]] = True
    wrong &= compared[:both]
    superfluous = max(len(found) - len(wanted), 0) * elements
    missing = int(np.count_nonzero(compared[both:]))
    mismatches = int(np.count_nonzero(wrong)) + missing + superfluous
    values = int(np.count_nonzero(compared))
    if not mismatches:
        return values, 0, None
    if wrong.any():
        index, element = (int(axis) for axis in np.argwhere(wrong)[0])
        got = "unknown bits" if index in unknown else str(found[index, element])
        cycle = int(cycles[index])
        first = Difference(name, index, element, str(wanted[index, element]), got, cycle)
    elif len(found) < len(wanted):
        first = Difference(name, both, None, f"{len(wanted)} items", "no item", None)
    else:
        surplus = "a superfluous item"
        first = Difference(name, both, None, f"{both} items", surplus, int(cycles[both]))
    return values, mismatches, first


def _cycles(outcome: Outcome, name: str, expected: Expected) -> _Part:
    if expected.cycles is None:
        return 0, 0, None
    found, wanted = outcome.cycles[name], expected.cycles
    both = min(len(found), len(wanted))
    wrong = np.flatnonzero(found[:both] != wanted[:both])
    mismatches = len(wrong) + abs(len(found) - len(wanted))
    if not len(wrong):
        return len(wanted), mismatches, None
    index = int(wrong[0])
    first = Difference(name, index, None, f"cycle {int(wanted[index])}", "it", int(found[index]))
    return len(wanted), mismatches, first


def _others(outcome: Outcome, taken: Mapping[str, int] | None, last: int | None) -> _Part:
    differences = list(_unknown_control(outcome))
    for name, count in (taken or {}).items():
        if outcome.taken[name] != count:
            found = f"{outcome.taken[name]} items taken"
            differences.append(Difference(name, None, None, str(count), found, None))
    if last is not None and outcome.last_cycle != last:
        found = str(outcome.last_cycle) if outcome.last_cycle is not None else "none"
        differences.append(Difference("last output", None, None, f"cycle {last}", found, None))
    compared = len(taken or {}) + (last is not None) + len(differences)
    return compared, len(differences), differences[0] if differences else None


def _unknown_control(outcome: Outcome) -> Iterator[Difference]:
    """Valid and ready bits that are neither 0 nor 1."""
    for bit in outcome.unknown:
        if bit.index is None:
            yield Difference(bit.port, None, None, "0 or 1", "an unknown bit", bit.cycle)
