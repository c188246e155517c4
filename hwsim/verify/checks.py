"""What a check found: how many integers were compared with whose, and where the first differed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Progress = Callable[[int, int], None]


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
    """

    subject: str
    oracle: str
    mode: str
    cases: int
    values: int
    mismatches: int
    first_mismatch: str | None


@dataclass(slots=True)
class Tally:
    """Counts comparisons of one check while it runs."""

    subject: str
    oracle: str
    mode: str
    cases: int = field(default=0, init=False)
    values: int = field(default=0, init=False)
    mismatches: int = field(default=0, init=False)
    first_mismatch: str | None = field(default=None, init=False)

    def add(self, values: int, mismatches: int, place: str | None) -> None:
        """Count one case; ``place`` is kept if it is the first that differs."""
        self.cases += 1
        self.values += values
        self.mismatches += mismatches
        if mismatches and self.first_mismatch is None:
            self.first_mismatch = place

    def compare(self, where: str, found: NDArray[Any], expected: NDArray[Any]) -> None:
        """Count one feature map: every integer of it that is not exactly the oracle's.

        Args:
            where: the case, for the message.
            found: what the subject computed.
            expected: what the oracle computed.
        """
        if found.shape != expected.shape:
            shapes = f"{where}: shape {found.shape}, expected {expected.shape}"
            self.add(expected.size, expected.size, shapes)
            return
        different = found != expected
        mismatches = int(np.count_nonzero(different))
        place: str | None = None
        if mismatches and self.first_mismatch is None:
            place = f"{where}: {difference(found, expected)}"
        self.add(expected.size, mismatches, place)

    def close(self) -> Check:
        """The finished check."""
        return Check(
            self.subject,
            self.oracle,
            self.mode,
            self.cases,
            self.values,
            self.mismatches,
            self.first_mismatch,
        )


def difference(found: NDArray[Any], expected: NDArray[Any]) -> str:
    """The first place, in memory order, where two feature maps of one shape differ."""
    index = tuple(int(axis) for axis in np.argwhere(found != expected)[0])
    row, column, channel = index
    return (
        f"row {row}, column {column}, channel {channel}: "
        f"found {int(found[index])}, expected {int(expected[index])}"
    )
