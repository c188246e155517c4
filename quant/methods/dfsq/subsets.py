"""Which points of the universal set a channel's subset has, 0 always among them.

Both selections minimise the squared error of normalized values to their nearest points. ``exact``
finds the least there is: the values on either side of 0 do not meet, so the best points are found
for each side and each number of points by dynamic programming, and the numbers that are best
together are taken. ``kmeans`` is the authors' way: K-means with one centre at 0, each centre then
moved to the nearest point, the best of a few restarts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quant.common.run_time_scaling import LARGEST_POINT
from quant.methods.dfsq.histograms import BINS, BINS_PER_UNIT
from quant.methods.dfsq.universal_set import universal_set

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]

RESTARTS, ROUNDS, STILL = 5, 100, 1e-3
"""Of the authors' K-means: restarts, most rounds, and the largest move of a centre at its end."""

_VALUES: Reals = (np.arange(BINS) - 0.5) / BINS_PER_UNIT - 1
"""The middle of each bin."""


def exact_subset(histogram: Integers, bits: int) -> Integers:
    """The subset of least squared error.

    Args:
        histogram: int64 [BINS], of one channel.
        bits: of a code.

    Returns:
        int64, at most 2^bits points in units of 2^-10, ascending, 0 among them.
    """
    positive = universal_set()[universal_set() > 0]
    most = (1 << bits) - 1
    upper = _Side.of(histogram, positive, most)
    lower = _Side.of(_mirrored(histogram), positive, most)
    losses = {
        (below, above): lower.losses[below] + upper.losses[above]
        for below in range(len(lower.losses))
        if (above := min(most - below, len(positive))) >= 0
    }
    below, above = min(losses, key=lambda counts: (losses[counts], sum(counts)))
    return np.array([*(-lower.points(below))[::-1], 0, *upper.points(above)], np.int64)


def _mirrored(histogram: Integers) -> Integers:
    """Of the negated values, up to the edges of bins, which lie on their other side."""
    mirrored = np.zeros_like(histogram)
    mirrored[1:] = histogram[1:][::-1]
    mirrored[-1] += histogram[0]
    return mirrored


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The best points of the values above 0, for every number of points.

    Attributes:
        candidates: int64, what points there are, 0 and upwards.
        losses: float64 [counts], the least squared error with 0 and so many of them.
        before: int64 [counts, candidates], the candidate before each one, if that is the last of
            so many.
        last: int64 [counts], the last candidate of so many.
    """

    candidates: Integers
    losses: Reals
    before: Integers
    last: Integers

    @classmethod
    def of(cls, histogram: Integers, positive: Integers, most: int) -> "_Side":
        """The best of up to ``most`` positive points."""
        points = np.array([0, *positive], np.int64)
        between, behind = _losses(histogram, points)
        shape = min(most, len(positive)) + 1, len(points)
        best, before = np.full(shape, np.inf), np.zeros(shape, np.int64)
        best[0, 0] = 0.0
        for taken in range(1, shape[0]):
            # The last of so many points has at least as many before it, 0 among them.
            through = between[taken:, taken - 1 :] + best[taken - 1, taken - 1 :]
            chosen = through.argmin(axis=1)
            before[taken, taken:] = chosen + taken - 1
            best[taken, taken:] = through[np.arange(len(chosen)), chosen]
        total = best + behind
        last = total.argmin(axis=1)
        return cls(points, total[np.arange(shape[0]), last], before, last)

    def points(self, count: int) -> Integers:
        """The best points besides 0, ascending."""
        chosen, place = [], int(self.last[count])
        for taken in range(count, 0, -1):
            chosen.append(self.candidates[place])
            place = int(self.before[taken, place])
        return np.array(chosen[::-1], np.int64)


def _losses(histogram: Integers, points: Integers) -> tuple[Reals, Reals]:
    """Squared errors of the values between each two points, and behind each point.

    Returns:
        float64 [second point, first point], infinite where the second is not above the first, and
        [points].
    """
    sums = [
        np.concatenate([[0.0], np.cumsum(histogram * power)])
        for power in (np.ones(BINS), _VALUES, _VALUES**2)
    ]

    def error(start: Integers, end: Integers, point: Integers) -> Reals:
        """Of the values in bins from edge to edge, in half units, to a point."""
        place = point / LARGEST_POINT
        count, total, squares = (
            values[end + BINS_PER_UNIT + 1] - values[start + BINS_PER_UNIT + 1] for values in sums
        )
        found: Reals = squares - 2 * place * total + place**2 * count
        return found

    first, second = points[np.newaxis], points[:, np.newaxis]
    middle = np.maximum(first + second, 2 * first)  # where the order is wrong, an empty interval
    end = np.maximum(2 * second, middle)
    between = error(2 * first, middle, first) + error(middle, end, second)
    between = np.where(second > first, between, np.inf)
    return between, error(2 * points, np.full_like(points, BINS_PER_UNIT), points)


def kmeans_subset(histogram: Integers, bits: int, random: np.random.Generator) -> Integers:
    """The authors' subset, of values in the middles of bins.

    Args:
        histogram: int64 [BINS], of one channel.
        bits: of a code.
        random: draws first centres, and new ones for those without values.

    Returns:
        int64, at most 2^bits points in units of 2^-10, ascending, 0 among them.
    """
    universe = universal_set()
    shares = histogram / histogram.sum()
    tried = []
    for _ in range(RESTARTS):
        centres = _centres(histogram, shares, (1 << bits) - 1, random)
        points = np.unique(universe[_nearest(centres, universe / LARGEST_POINT)])
        places = points / LARGEST_POINT
        errors = (places[_nearest(_VALUES, places)] - _VALUES) ** 2
        # Not @: its rounding depends on BLAS threads.
        tried.append((float((errors * histogram).sum()), points))
    return min(tried, key=lambda found: found[0])[1]


def _centres(histogram: Integers, shares: Reals, count: int, random: np.random.Generator) -> Reals:
    """Centres of K-means besides the one that stays at 0, and that one."""
    centres = random.choice(_VALUES, count, p=shares)
    for _ in range(ROUNDS):
        every = np.append(centres, 0.0)
        cluster = np.argsort(every)[_nearest(_VALUES, np.sort(every))]
        held = np.bincount(cluster, histogram, count + 1)[:count]
        sums = np.bincount(cluster, histogram * _VALUES, count + 1)[:count]
        drawn = random.choice(_VALUES, count, p=shares)
        moved = np.where(held > 0, sums / np.maximum(held, 1), drawn)
        largest_move = np.abs(moved - centres).max()
        centres = moved
        if largest_move < STILL:
            break
    return np.append(centres, 0.0)


def _nearest(values: Reals, points: Reals) -> Integers:
    """Which of some ascending points is nearest to each value; of two, the lower."""
    return np.searchsorted((points[:-1] + points[1:]) / 2, values)


def padded(points: Integers, bits: int) -> Integers:
    """A table of 2^bits points: what is left repeats the last one."""
    table = np.full(1 << bits, points[-1])
    table[: len(points)] = points
    return table


Select = Callable[[Integers, int, np.random.Generator], Integers]

SELECTIONS: dict[str, Select] = {
    "exact": lambda histogram, bits, _: exact_subset(histogram, bits),
    "kmeans": kmeans_subset,
}
"""(histogram, bits, random) to a subset, by name."""
