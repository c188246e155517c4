"""Which sums of a convolution left the accumulator they were kept in."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Overflows:
    """The outputs of a convolution whose sum left its accumulator's range.

    Attributes:
        count: how many: under ``wrap`` and ``saturate_final`` those whose whole sum lies outside,
            under ``saturate_step`` and ``error`` those with a partial sum outside, so that at least
            one addition was clamped.
        first: row, column and channel of the first in that order; None without any.
        sum: the exact sum that left there, of partial ones the first that did.
    """

    count: int = 0
    first: tuple[int, int, int] | None = None
    sum: int | None = None

    @classmethod
    def among(cls, left: NDArray[np.bool_], sums: NDArray[np.int64]) -> "Overflows":
        """Of the outputs marked [height, width, channels], whose exact sums are given."""
        if not left.any():
            return cls()
        row, column, channel = (int(axis) for axis in np.argwhere(left)[0])
        return cls(int(left.sum()), (row, column, channel), int(sums[row, column, channel]))

    def moved(self, row: int, column: int, channel: int) -> "Overflows":
        """The same, of a part that begins at this place of a larger feature map."""
        if self.first is None:
            return self
        return replace(
            self, first=(self.first[0] + row, self.first[1] + column, self.first[2] + channel)
        )

    @classmethod
    def merged(cls, parts: Iterable["Overflows"]) -> "Overflows":
        """Of a feature map, from those of parts that do not overlap."""
        found = [part for part in parts if part.first is not None]
        if not found:
            return cls()
        first = min(found, key=lambda part: part.first or ())
        return replace(first, count=sum(part.count for part in found))
