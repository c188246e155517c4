"""One step of the surface's recurrence: partial choices joined with the choices of the next layer.

Every candidate falls into a cell of a grid over all sums but the error. What is in a cell that is
lower along every axis has less of each of those sums, so a candidate with no less error than that
is dominated: this *floor* of each cell leaves few candidates to be compared one with another. If
even those are too many, one of each cell goes on.
"""

from dataclasses import dataclass

import numpy as np

from hwsim.search._kernels import (
    Candidates,
    Grid,
    Integers,
    below_floors,
    cells_of,
    least_in_cells,
    sums_of,
)
from hwsim.search.dominance import undominated_points

_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """Partial choices of which none dominates another of the same label.

    Attributes:
        sums: int64 [states, objectives], the error first.
        parents: int64 [states], the state of the layer before that each extends.
        picks: int64 [states], the choice each extends it by.
        labels: int64 [states], the choice where what follows depends on it, else 0.
    """

    sums: Integers
    parents: Integers
    picks: Integers
    labels: Integers

    @classmethod
    def nothing_chosen(cls, objectives: int) -> "States":
        """The state before the first layer."""
        none = np.zeros(1, np.int64)
        return cls(np.zeros((1, objectives), np.int64), none, none, none)


class Join:
    """States extended by the choices of the next layer."""

    def __init__(self, states: States, increments: Integers, is_linked: bool, cells: int) -> None:
        """Sort all candidates into the grid.

        Args:
            states: what is extended.
            increments: int64 [labels, choices, objectives], what each choice adds to states of
                each label.
            is_linked: whether what follows depends on the choice, which is the label then.
            cells: how many the grid may have.
        """
        choices, objectives = increments.shape[1:]
        labels, axes = choices if is_linked else 1, objectives - 1
        count = len(states.sums) * choices
        # Few candidates need few cells. A root of 512² is 512.
        side = max(2, int((min(cells, 64 * count) / labels) ** (1 / axes) + 1e-9))
        lowest = states.sums.min(axis=0) + increments.min(axis=(0, 1))
        highest = states.sums.max(axis=0) + increments.max(axis=(0, 1))
        self._is_linked = is_linked
        self._candidates = Candidates(states.sums, states.labels, increments)
        grid = Grid(lowest, 1 / np.maximum(highest - lowest, 1), side, is_linked)
        self._cells = np.empty(count, np.int32)
        cells_of(self._candidates, grid, self._cells)
        self._best = np.full((labels, *[side] * axes), _MOST)
        self._chosen = np.full(self._best.size, -1)
        least_in_cells(self._candidates, self._cells, self._best.reshape(-1), self._chosen)
        self._floors = _floors(self._best)

    def exact(self, maximum: int) -> States | None:
        """What no candidate dominates; None where more than a maximum are to be compared."""
        found = np.empty(maximum, np.int64)
        count = below_floors(self._candidates, self._cells, self._floors.reshape(-1), found)
        return self._survivors(found[:count]) if count <= maximum else None

    def trimmed(self) -> States:
        """Of what has the least error in each cell, what none other dominates."""
        return self._survivors(self._chosen[(self._best < self._floors).reshape(-1)])

    def _survivors(self, candidates: Integers) -> States:
        choices, objectives = self._candidates.increments.shape[1:]
        sums = np.empty((len(candidates), objectives), np.int64)
        sums_of(self._candidates, candidates, sums)
        parents, picks = np.divmod(candidates, choices)
        if self._is_linked:
            labels = [np.flatnonzero(picks == choice) for choice in range(choices)]
            kept = np.concatenate([alike[undominated_points(sums[alike])] for alike in labels])
        else:
            kept = undominated_points(sums)
        states = sums[kept], parents[kept], picks[kept]
        return States(*states, picks[kept] if self._is_linked else np.zeros(len(kept), np.int64))


def _floors(best: Integers) -> Integers:
    """For each cell the least error in cells below it along every axis.

    Args:
        best: [labels, side, …], the least error in each cell.
    """
    floors = np.full_like(best, _MOST)
    least = best
    for axis in range(1, best.ndim):
        least = np.minimum.accumulate(least, axis=axis)
    above, below = [slice(1, None)] * (best.ndim - 1), [slice(None, -1)] * (best.ndim - 1)
    floors[(slice(None), *above)] = least[(slice(None), *below)]
    return floors
