"""The Pareto surface of an additive problem: one choice per layer, up to four sums to keep small.

Dynamic programming over partial choices as in `hwsim.search.pareto`: the surface of the first
k layers is that of the first k−1 joined with every choice of layer k, without what is dominated.
With more than two sums the partial surfaces of real networks outgrow any memory. What no longer
fits is trimmed: the sums span a grid, and of all partial choices in one cell only the one with the
least error goes on, with its true sums. A trimmed surface has only true, mutually undominated
points, but some points of the true surface are missing, and others stand near them. The least
error is always among them, and without links (below) the least of every other sum.

Neighbouring layers may be linked: what a pair of their choices adds depends on both. Then partial
choices that end in different choices are not compared, since what follows costs them differently.
This is Viterbi's recurrence with a surface in the place of a single least sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.joining import Join, States
from hwsim.search.pareto import picked

Integers = NDArray[np.int64]
Links = Sequence[Integers | None]

MAXIMUM_COMPARED = 1 << 20
"""Partial choices that are compared with one another, at most; each takes about 300 bytes."""
_CELLS = {2: 1 << 18, 3: 512**2, 4: 128**3}
"""Cells of the grid by the number of sums."""
_LINKED_CELLS = {2: 1 << 18, 3: 1 << 21, 4: 1 << 22}
"""The same of all grids together where the next layer is linked: each choice has its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Combinations of choices of which none equals or beats another in every sum.

    Attributes:
        sums: int64 [points, objectives], in lexicographic order.
        exact: whether these are all such combinations there are; else some were trimmed.
        parents: for each layer, the point of the layer before that each point extends.
        picks: for each layer, the choice each point extends it by.
    """

    sums: Integers
    exact: bool
    parents: tuple[NDArray[np.int32], ...]
    picks: tuple[NDArray[np.int32], ...]

    def __len__(self) -> int:
        return len(self.sums)

    def choices(self, points: NDArray[np.integer] | None = None) -> NDArray[np.int32]:
        """The choice of each layer, first layer first, that leads to points.

        Args:
            points: their indices; None: all.

        Returns:
            int32 [points, layers].
        """
        at = np.arange(len(self)) if points is None else np.asarray(points)
        return np.stack(picked(self.parents, self.picks, at), axis=1).astype(np.int32)


def pareto_surface(
    layers: Sequence[Integers],
    links: Links | None = None,
    maximum_compared: int = MAXIMUM_COMPARED,
) -> Surface:
    """The Pareto surface of all ways to take one choice per layer.

    Args:
        layers: for each layer int64 [choices, objectives], two to four objectives, at least one
            choice. Of what is trimmed the least in the first objective is kept, so that should be
            the error.
        links: for each layer but the last what choices of it and of the next add together, int64
            [choices, choices of the next, objectives], or None for nothing.
        maximum_compared: partial choices that are compared with one another, at most; as soon as
            there are more, the surface is trimmed.
    """
    links = links or [None] * (len(layers) - 1)
    objectives = layers[0].shape[1]
    kept = replaceable_removed(layers, links)
    states, exact = States.nothing_chosen(objectives), True
    parents, picks = [], []
    for position, layer in enumerate(layers):
        increments = layer[kept[position]][None]
        if position > 0 and (link := links[position - 1]) is not None:
            increments = increments + link[np.ix_(kept[position - 1], kept[position])]
        is_linked = position < len(links) and links[position] is not None
        cells = _LINKED_CELLS if is_linked else _CELLS
        join = Join(states, increments, is_linked, cells[objectives])
        extended = join.exact(maximum_compared) if exact else None
        exact = extended is not None
        states = join.trimmed() if extended is None else extended
        parents.append(states.parents.astype(np.int32))
        picks.append(kept[position][states.picks].astype(np.int32))
    return Surface(states.sums, exact, tuple(parents), tuple(picks))


def replaceable_removed(layers: Sequence[Integers], links: Links) -> list[NDArray[np.intp]]:
    """For each layer the choices that no other can replace without loss, whatever its neighbours.

    Args:
        layers: as in `pareto_surface`.
        links: as in `pareto_surface`, not None.
    """
    kept = []
    for position, layer in enumerate(layers):
        # [instead, of, objectives]: the most that one choice instead of another can add.
        most = layer[:, None] - layer[None]
        before = links[position - 1] if position > 0 else None
        after = links[position] if position < len(links) else None
        if before is not None:
            most = most + (before[:, :, None] - before[:, None]).max(axis=0)
        if after is not None:
            most = most + (after[:, None] - after[None]).max(axis=2)
        replaces = (most <= 0).all(axis=2)
        number = np.arange(len(layer))
        mutual = replaces & replaces.T
        earlier = number[:, None] < number
        kept.append(np.flatnonzero(~(replaces & (~mutual | earlier)).any(axis=0)))
    return kept
