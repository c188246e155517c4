"""The single best way to take one choice per layer under limits on sums, with its certificate.

An integer program (`hwsim.search.integer_program`) finds it and proves a bound that no combination
goes below; the distance to it is the gap.

The solver computes in floating point. What it finds is added up again in integers, and if a limit
is broken, by however little, that one combination is excluded and the solver asked again.
"""

from collections.abc import Sequence

import numpy as np

from hwsim.search.integer_program import Indices, Limited, Links, Optimum, Program
from hwsim.search.pairs import stacked
from hwsim.search.pareto import Integers
from hwsim.search.surface import replaceable_removed
from quant.common.errors import UserError

MAXIMUM_NODES = 200_000
"""Nodes of the search tree, at most: a count, not a time, so that results repeat. Networks of 36
layers take a few nodes to a few hundred."""
MAXIMUM_EXCLUSIONS = 50
"""Combinations a limit of which is broken by less than the solver's tolerance, at most."""


def least_sum(
    values: Sequence[Integers],
    limits: Sequence[Limited],
    maximum_nodes: int = MAXIMUM_NODES,
    links: Links = (),
) -> Optimum | None:
    """Take one choice per layer with the least sum of values within limits.

    Args:
        values: for each layer, int64 [choices].
        limits: sums that are limited.
        maximum_nodes: nodes of the search tree; beyond, the best so far is returned with its gap.
        links: what values neighbours add together, as in `Limited`.

    Returns:
        The optimum; None where no combination keeps to the limits.

    Raises:
        UserError: within ``maximum_nodes`` none was found, nor proven that there is none.
    """
    if not all(map(len, values)):
        return None
    minimized = Limited(values, None, links)
    kept = _kept(minimized, limits)
    if not all(map(len, kept)):
        return None
    program = Program(minimized.cut(kept), [limit.cut(kept) for limit in limits])
    if any(rest < 0 for rest in program.rests):
        return None
    for _ in range(MAXIMUM_EXCLUSIONS):
        found = program.solve(maximum_nodes)
        if found is None:
            return None
        if program.keeps_to_limits(found.picks):
            picks = tuple(int(k[pick]) for k, pick in zip(kept, found.picks, strict=True))
            return Optimum(picks, found.value, found.bound)
        program.exclude(found.picks)
    raise UserError(
        f"bit search: expected the solver to keep to the limits, but {MAXIMUM_EXCLUSIONS} of its "
        "answers broke one by less than its tolerance; change a limit a little"
    )


def _kept(minimized: Limited, limits: Sequence[Limited]) -> list[Indices]:
    """Choices some optimum may contain.

    Not one that breaks a limit even beside the least of all other layers, nor one that another
    choice of its layer can replace without loss.
    """
    possible = [np.ones(len(of_layer), np.bool_) for of_layer in minimized.amounts]
    for limit in limits:
        if limit.most is None:
            continue
        least = limit.least
        for may, amount in zip(possible, limit.amounts, strict=True):
            may &= amount - int(amount.min()) + least <= limit.most
    kept = [np.flatnonzero(may) for may in possible]
    if not all(map(len, kept)):
        return kept
    sums = [each.cut(kept) for each in (minimized, *limits)]
    rows = zip(*(each.amounts for each in sums), strict=True)
    layers = [np.stack(of_layer, axis=1) for of_layer in rows]
    links = stacked([each.links or [None] * (len(layers) - 1) for each in sums])
    lasting = replaceable_removed(layers, links)
    return [k[of_layer] for k, of_layer in zip(kept, lasting, strict=True)]
