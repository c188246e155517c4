"""What a check found: how many integers were compared with whose, and where the first differed.

Of two integers that differ, the *expected* one is the one whose operands can be shown: the
reference's, the layer's, this project's beside an engine's or a user's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Progress = Callable[[int, int], None]
Index = tuple[int, int, int]
"""Row, column and channel."""
Explain = Callable[[Index], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where two results differ first.

    Attributes:
        sentence: the case, the place and both integers.
        operands: line by line, how the expected integer comes about.
    """

    sentence: str
    operands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One subject compared with one oracle, integer by integer.

    Attributes:
        subject: what was checked: an operator, or how many graphs on which machine.
        oracle: what it was compared with.
        mode: which of the subject's variants, such as ``odd weights``.
        cases: comparisons made, each of a whole feature map.
        values: integers compared, in all.
        mismatches: how many of them differ.
        first_mismatch: the place of the first and both integers; None when all agree.
        operands: of the first mismatch: line by line, how the expected integer comes about.
    """

    subject: str
    oracle: str
    mode: str
    cases: int
    values: int
    mismatches: int
    first_mismatch: str | None
    operands: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts comparisons of one check while it runs."""

    subject: str
    oracle: str
    mode: str
    cases: int = field(default=0, init=False)
    values: int = field(default=0, init=False)
    mismatches: int = field(default=0, init=False)
    first: Place | None = field(default=None, init=False)

    def add(self, values: int, mismatches: int, place: Place | None) -> None:
        """Count one case; ``place`` is kept if it is the first that differs."""
        self.cases += 1
        self.values += values
        self.mismatches += mismatches
        if mismatches and self.first is None:
            self.first = place

    def compare(
        self,
        where: str,
        found: NDArray[Any],
        expected: NDArray[Any],
        explain: Explain | None = None,
    ) -> None:
        """Count one feature map: every integer of it that is not exactly the oracle's.

        Args:
            where: the case, for the message.
            found: one result.
            expected: the other, which ``explain`` is about.
            explain: from an index to how the expected integer comes about.
        """
        if found.shape != expected.shape:
            shapes = f"{where}: shape {found.shape}, expected {expected.shape}"
            self.add(expected.size, expected.size, Place(shapes))
            return
        mismatches = int(np.count_nonzero(found != expected))
        place: Place | None = None
        if mismatches and self.first is None:
            index = first_difference(found, expected)
            sentence = f"{where}: {difference(found, expected)}"
            place = Place(sentence, explain(index) if explain is not None else ())
        self.add(expected.size, mismatches, place)

    def close(self) -> Check:
        """The finished check."""
        first = self.first or Place("")
        return Check(
            self.subject,
            self.oracle,
            self.mode,
            self.cases,
            self.values,
            self.mismatches,
            first.sentence or None,
            first.operands,
        )


def first_difference(found: NDArray[Any], expected: NDArray[Any]) -> Index:
    """The index, in memory order, of the first place where two feature maps of one shape differ."""
    row, column, channel = (int(axis) for axis in np.argwhere(found != expected)[0])
    return row, column, channel


def difference(found: NDArray[Any], expected: NDArray[Any]) -> str:
    """The first place, in memory order, where two feature maps of one shape differ."""
    index = first_difference(found, expected)
    row, column, channel = index
    return (
        f"row {row}, column {column}, channel {channel}: "
        f"found {int(found[index])}, expected {int(expected[index])}"
    )
