"""Fronts of problems in which neighbouring layers' choices add something together.

Exact, by Viterbi's recurrence: what is best up to a layer is kept for each of its choices, since
what follows depends on it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.search.pareto import Choices, Integers
from hwsim.search.surface import MAXIMUM_COMPARED, Links, pareto_surface
from quant.common.errors import UserError

Picks = list[NDArray[np.intp]]
"""For each layer the choice of each policy, [policies]."""


def linked_front(
    layers: Sequence[Choices], links: Links, maximum_compared: int = MAXIMUM_COMPARED
) -> Picks:
    """The policies on the Pareto front of two sums.

    Args:
        layers: the choices of each layer, at least one each.
        links: for each layer but the last what choices of it and of the next add together, int64
            [choices, choices of the next, 2], errors and costs, or None for nothing.
        maximum_compared: as in `pareto_surface`.

    Raises:
        UserError: the front grows so large that more than ``maximum_compared`` would be compared.
    """
    sums = [np.stack([layer.errors, layer.costs], axis=1) for layer in layers]
    surface = pareto_surface(sums, links, maximum_compared)
    if not surface.exact:
        raise UserError(
            f"bit search: the front with pairs of neighbours needs more than {maximum_compared} "
            "partial policies compared; allow fewer widths"
        )
    return list(surface.choices().T.astype(np.intp))


def linked_bottleneck_front(layers: Sequence[Choices], links: Links, floor: int = 0) -> Picks:
    """The same where the largest cost counts instead of the sum.

    For each amount that occurs, the least error of choices within it.

    Args:
        layers: the choices of each layer, at least one each.
        links: as in `linked_front`, of errors alone: int64 [choices, choices of the next, 1].
        floor: what the largest cost is at least.
    """
    least = max(floor, max(int(layer.costs.min()) for layer in layers))
    occurring = np.unique(np.concatenate([layer.costs for layer in layers]))
    policies = []
    for bound in (least, *occurring[occurring > least]):
        usable = [np.flatnonzero(layer.costs <= bound) for layer in layers]
        errors = [layer.errors[of_layer] for layer, of_layer in zip(layers, usable, strict=True)]
        cut = [
            None if link is None else link[np.ix_(usable[first], usable[first + 1])][..., 0]
            for first, link in enumerate(links)
        ]
        picks = _least_errors(errors, cut)
        policies.append([of_layer[pick] for of_layer, pick in zip(usable, picks, strict=True)])
    return list(np.array(policies, np.intp).T)


def _least_errors(layers: Sequence[Integers], links: Links) -> list[int]:
    """The choice of each layer with the least sum, in integers."""
    following: list[NDArray[np.intp]] = []
    least = layers[-1]
    for layer, link in zip(reversed(layers[:-1]), reversed(links), strict=True):
        rest = np.broadcast_to(least, (len(layer), len(least)))
        if link is not None:
            rest = rest + link
        following.append(rest.argmin(axis=1))
        least = layer + rest.min(axis=1)
    picks = [int(least.argmin())]
    for choices in reversed(following):
        picks.append(int(choices[picks[-1]]))
    return picks
