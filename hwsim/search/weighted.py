"""Policies with the least weighted sum of error and costs, for many weights at once.

For one vector of weights, Lagrange multipliers, layers decide by themselves, and linked neighbours
by Viterbi's recurrence ("Error bounds for convolutional codes and an asymptotically optimum
decoding algorithm", IEEE Transactions on Information Theory 13(2), 1967). What any weights find is
on the Pareto surface; points of it inside its convex hull no weights find (Everett, "Generalized
Lagrange multiplier method for solving problems of optimum allocation of resources", Operations
Research 11(3), 1963).
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hwsim.search.surface import Integers, Links

Reals = NDArray[np.float64]
Picks = NDArray[np.int32]

_AT_ONCE = 256
"""Vectors of weights that are solved together, which bounds memory."""


def least_weighted(layers: Sequence[Integers], weights: Reals, links: Links | None = None) -> Picks:
    """For each vector of weights the choices with the least weighted sum.

    Sums are compared in floating point; of equal ones the first choice is taken.

    Args:
        layers: for each layer int64 [choices, objectives].
        weights: float64 [vectors, objectives].
        links: as in `pareto_surface`.

    Returns:
        int32 [vectors, layers].
    """
    links = links or [None] * (len(layers) - 1)
    parts = [
        _least_weighted(layers, weights[first : first + _AT_ONCE], links)
        for first in range(0, len(weights), _AT_ONCE)
    ]
    return np.concatenate(parts)


def _least_weighted(layers: Sequence[Integers], weights: Reals, links: Links) -> Picks:
    """From the last layer to the first what is least from there on; then back along the choices."""
    vectors = np.arange(len(weights))
    following: list[NDArray[np.intp]] = []  # [vectors, choices of a layer]: the next one's choice
    least = weights @ layers[-1].T
    for layer, link in zip(reversed(layers[:-1]), reversed(links), strict=True):
        rest = least[:, None]  # [vectors, choices or 1, choices of the next]
        if link is not None:
            rest = rest + np.einsum("vo,pco->vpc", weights, link.astype(np.float64))
        following.append(np.broadcast_to(rest.argmin(axis=2), (len(weights), len(layer))))
        least = weights @ layer.T + rest.min(axis=2)
    picks = [least.argmin(axis=1)]
    for choices in reversed(following):
        picks.append(choices[vectors, picks[-1]])
    return np.stack(picks, axis=1).astype(np.int32)


def sweep(layers: Sequence[Integers], steps: int, links: Links | None = None) -> Picks:
    """The distinct choices that a grid of weights finds, the first objective weighing 1.

    Each other objective weighs from the least to the most that two choices of a layer trade it for,
    in even steps of the logarithm.

    Args:
        layers: as in `least_weighted`.
        steps: weights of each objective but the first.
        links: as in `pareto_surface`.

    Returns:
        int32 [policies, layers], in lexicographic order.
    """
    axes = [_trades(layers, objective, steps) for objective in range(1, layers[0].shape[1])]
    weights = np.array([(1.0, *others) for others in product(*axes)])
    return np.unique(least_weighted(layers, weights, links), axis=0)


def _trades(layers: Sequence[Integers], objective: int, steps: int) -> Reals:
    """Weights between the least and the most error per cost that choices of a layer trade."""
    ratios = []
    for layer in layers:
        errors, costs = (layer[:, None, each] - layer[None, :, each] for each in (0, objective))
        trades = (errors > 0) & (costs < 0)
        ratios.append(errors[trades] / -costs[trades])
    found = np.concatenate(ratios)
    if not len(found):
        return np.ones(1)
    return np.geomspace(found.min() / 2, found.max() * 2, steps)
