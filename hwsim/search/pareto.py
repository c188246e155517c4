"""The exact Pareto front of an additive problem: one choice per layer, two sums to keep small.

Dynamic programming over partial choices: the front of the first k layers is the front of the
first k−1 layers joined with every choice of layer k, without what is dominated. Nothing on the
whole front can contain a dominated part (replacing the part would improve both sums), so pruning
after each layer loses nothing. Sums are 64-bit integers: no rounding decides what dominates what.
The recurrence is the list algorithm of Nemhauser and Ullmann, "Discrete dynamic programming and
capital allocation", Management Science 15(9), 1969.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError

Integers = NDArray[np.int64]

MAXIMUM_PAIRS = 1 << 25
"""Partial choices times choices of the next layer, at most; each takes about 40 bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """What a layer may choose from: entry i of both arrays belongs to choice i.

    Attributes:
        errors: int64 [choices].
        costs: int64 [choices].
    """

    errors: Integers
    costs: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """Every pair of sums that no other pair beats in one and equals or beats in the other.

    Attributes:
        errors: int64 [points], strictly falling.
        costs: int64 [points], strictly rising.
        parents: for each layer, the point of the layer before that each point extends.
        picks: for each layer, the choice each point extends it by.
    """

    errors: Integers
    costs: Integers
    parents: tuple[NDArray[np.int32], ...]
    picks: tuple[NDArray[np.int32], ...]

    def __len__(self) -> int:
        return len(self.costs)

    def choices(self, point: int) -> tuple[int, ...]:
        """The choice of each layer, first layer first, that leads to a point."""
        chosen = picked(self.parents, self.picks, np.array([point]))
        return tuple(int(of_layer[0]) for of_layer in chosen)

    def picked(self) -> list[NDArray[np.intp]]:
        """For each layer, first layer first, the choice that leads to each point."""
        return picked(self.parents, self.picks, np.arange(len(self)))


def picked(
    parents: Sequence[NDArray[np.int32]],
    picks: Sequence[NDArray[np.int32]],
    points: NDArray[np.integer],
) -> list[NDArray[np.intp]]:
    """For each layer, first layer first, the choice that leads to points.

    Args:
        parents: for each layer, the point of the layer before that each point extends.
        picks: for each layer, the choice each point extends it by.
        points: indices of points behind the last layer.
    """
    chosen = []
    for before, picked_there in zip(reversed(parents), reversed(picks), strict=True):
        chosen.append(picked_there[points].astype(np.intp))
        points = before[points]
    return chosen[::-1]


def pareto_front(layers: Sequence[Choices], maximum_pairs: int = MAXIMUM_PAIRS) -> Front:
    """The Pareto front of all ways to take one choice per layer.

    Args:
        layers: the choices of each layer, at least one each.
        maximum_pairs: partial choices times choices of the next layer, at most.

    Raises:
        UserError: the front grows so large that joining it exceeds ``maximum_pairs``.
    """
    errors = costs = np.zeros(1, np.int64)
    parents: list[NDArray[np.int32]] = []
    picks: list[NDArray[np.int32]] = []
    for position, layer in enumerate(layers):
        kept = undominated(layer.errors, layer.costs)
        if len(kept) * len(costs) > maximum_pairs:
            raise UserError(
                f"bit search: the front of the first {position} of {len(layers)} layers has "
                f"{len(costs)} points, too many to join with {len(kept)} choices of the next "
                f"(at most {maximum_pairs} pairs); allow fewer widths"
            )
        joined_errors = (layer.errors[kept, None] + errors).reshape(-1)
        joined_costs = (layer.costs[kept, None] + costs).reshape(-1)
        survivors = undominated(joined_errors, joined_costs)
        parents.append((survivors % len(costs)).astype(np.int32))
        picks.append(kept[survivors // len(costs)].astype(np.int32))
        errors, costs = joined_errors[survivors], joined_costs[survivors]
    return Front(errors, costs, tuple(parents), tuple(picks))


def bottleneck_front(layers: Sequence[Choices], floor: int = 0) -> Front:
    """The Pareto front where the largest cost counts instead of the sum.

    For any bound on the largest cost, each layer by itself takes its least error within the bound;
    only costs that occur need to be tried as bounds.

    Args:
        layers: the choices of each layer, at least one each.
        floor: what the largest cost is at least.
    """
    least = max(floor, max(int(layer.costs.min()) for layer in layers))
    occurring = np.unique(np.concatenate([layer.costs for layer in layers]))
    bounds = np.concatenate([[least], occurring[occurring > least]]).astype(np.int64)
    picks = []
    for layer in layers:
        order = np.lexsort((layer.errors, layer.costs))
        rank = np.maximum.accumulate(_first_of_least(layer.errors[order]))
        within = np.searchsorted(layer.costs[order], bounds, side="right") - 1
        picks.append(order[rank[within]])
    pairs = zip(layers, picks, strict=True)
    errors: Integers = np.stack([layer.errors[pick] for layer, pick in pairs]).sum(axis=0)
    falls = np.ones(len(bounds), np.bool_)
    falls[1:] = errors[1:] < errors[:-1]
    same = np.arange(int(falls.sum()), dtype=np.int32)
    return Front(
        errors[falls],
        bounds[falls],
        (same,) * len(layers),
        tuple(pick[falls].astype(np.int32) for pick in picks),
    )


def _first_of_least(errors: Integers) -> NDArray[np.intp]:
    """At each position that beats all before it the position, elsewhere 0."""
    beats = np.ones(len(errors), np.bool_)
    beats[1:] = errors[1:] < np.minimum.accumulate(errors)[:-1]
    return np.where(beats, np.arange(len(errors)), 0)


def undominated(errors: Integers, costs: Integers) -> NDArray[np.intp]:
    """Indices of the points that no other beats, costs rising and errors falling."""
    # A stable sort of joined fronts merges sorted runs, which is close to linear.
    order = np.argsort(costs, kind="stable")
    sorted_errors = errors[order]
    best = np.minimum.accumulate(sorted_errors)
    falls = np.ones(len(order), np.bool_)
    falls[1:] = sorted_errors[1:] < best[:-1]
    order = order[falls]
    # Of equal costs the last has the least error.
    last = np.ones(len(order), np.bool_)
    last[:-1] = costs[order][1:] != costs[order][:-1]
    return order[last]
