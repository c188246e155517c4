"""The single best way to take one choice per layer under limits on sums, with its certificate.

An integer program: a variable in {0, 1} for every choice of every layer, one of each layer's being
1, the sum of values least, other sums limited. It is solved by branch and bound with HiGHS (Huangfu
and Hall, "Parallelizing the dual revised simplex method", Mathematical Programming Computation 10,
2018), which also proves a bound that no combination goes below; the distance to it is the gap.

The solver computes in floating point. What it finds is added up again in integers, and if a limit
is broken, by however little, that one combination is excluded and the solver asked again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.search.pareto import Integers
from quant.common.errors import UserError

MAXIMUM_NODES = 200_000
"""Nodes of the search tree, at most: a count, not a time, so that results repeat. Networks of 36
layers take a few nodes to a few hundred."""
MAXIMUM_EXCLUSIONS = 50
"""Combinations a limit of which is broken by less than the solver's tolerance, at most."""

_TOLERANCE = 1e-6
"""To which HiGHS keeps limits and proves bounds: absolute, so what it is given is scaled."""
_SCALED_LIMIT = 1e3
"""Limits are kept to 1e-9 of what they leave to choose; exclusions do the rest."""
_SCALED_VALUES = 1e6
"""The largest difference a choice makes in value."""
_INFEASIBLE = 2
"""SciPy's status; that of a tree cut short differs between its versions."""


@dataclass(frozen=True, slots=True, eq=False)
class Limited:
    """A sum that is limited.

    Attributes:
        amounts: for each layer, int64 [choices].
        most: what the sum of the chosen may be at most.
    """

    amounts: Sequence[Integers]
    most: int


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best combination found, and how good any other can be.

    Attributes:
        picks: the choice of each layer.
        value: the sum of their values.
        bound: no combination within the limits has a sum below, to the solver's tolerance; at most
            ``value``, and equal to it for a proven optimum.
    """

    picks: tuple[int, ...]
    value: int
    bound: int


def least_sum(
    values: Sequence[Integers],
    limits: Sequence[Limited],
    maximum_nodes: int = MAXIMUM_NODES,
) -> Optimum | None:
    """Take one choice per layer with the least sum of values within limits.

    Args:
        values: for each layer, int64 [choices].
        limits: sums that are limited.
        maximum_nodes: nodes of the search tree; beyond, the best so far is returned with its gap.

    Returns:
        The optimum; None where no combination keeps to the limits.

    Raises:
        UserError: within ``maximum_nodes`` none was found, nor proven that there is none.
    """
    kept = _kept(values, limits)
    if any(len(choices) == 0 for choices in kept):
        return None
    program = _Program([v[k] for v, k in zip(values, kept, strict=True)], _cut(limits, kept))
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


def _cut(limits: Sequence[Limited], kept: Sequence[NDArray[np.intp]]) -> list[Limited]:
    return [
        Limited([a[k] for a, k in zip(limit.amounts, kept, strict=True)], limit.most)
        for limit in limits
    ]


def _kept(values: Sequence[Integers], limits: Sequence[Limited]) -> list[NDArray[np.intp]]:
    """Choices some optimum may contain.

    Not one that breaks a limit even beside the least of all other layers, nor one that another
    choice of its layer equals or beats in value and all limited amounts.
    """
    least = [sum(int(a.min()) for a in limit.amounts if len(a)) for limit in limits]
    kept = []
    for layer, of_layer in enumerate(values):
        if not len(of_layer):
            kept.append(np.zeros(0, np.intp))
            continue
        amounts = [limit.amounts[layer] for limit in limits]
        possible = np.ones(len(of_layer), np.bool_)
        for amount, limit, others in zip(amounts, limits, least, strict=True):
            possible &= amount - int(amount.min()) <= limit.most - others
        rows = np.stack([of_layer, *amounts])[:, possible]
        kept.append(np.flatnonzero(possible)[_undominated(rows)])
    return kept


def _undominated(rows: Integers) -> NDArray[np.intp]:
    """Columns that no other column equals or beats in every row; of equal ones the first."""
    beats = (rows[:, :, None] <= rows[:, None, :]).all(axis=0)  # [better, worse]
    equal = beats & beats.T
    first = np.arange(rows.shape[1])
    loses = (beats & ~equal).any(axis=0) | (equal & (first[:, None] < first)).any(axis=0)
    return np.flatnonzero(~loses)


class _Program:
    """The integer program, amounts counted from the least of each layer.

    Attributes:
        rests: what each limit leaves beyond the least amounts.
    """

    def __init__(self, values: list[Integers], limits: list[Limited]) -> None:
        counts = [len(of_layer) for of_layer in values]
        self._starts = [0, *accumulate(counts)]
        self._least_value = sum(int(of_layer.min()) for of_layer in values)
        self._values = np.concatenate([of_layer - of_layer.min() for of_layer in values])
        self._amounts = [
            np.concatenate([amounts - amounts.min() for amounts in limit.amounts])
            for limit in limits
        ]
        self.rests = [
            limit.most - sum(int(amounts.min()) for amounts in limit.amounts) for limit in limits
        ]
        self._excluded: list[NDArray[np.float64]] = []

    def keeps_to_limits(self, picks: tuple[int, ...]) -> bool:
        """Whether a combination does, in integers."""
        chosen = self._chosen(picks)
        sums = [int(amounts[chosen].sum()) for amounts in self._amounts]
        return all(total <= rest for total, rest in zip(sums, self.rests, strict=True))

    def exclude(self, picks: tuple[int, ...]) -> None:
        """Forbid one combination: of its choices at least one must be another."""
        row = np.zeros(self._starts[-1])
        row[self._chosen(picks)] = 1
        self._excluded.append(row)

    def solve(self, maximum_nodes: int) -> Optimum | None:
        """The best combination of the program in floating point.

        Raises:
            UserError: the nodes do not suffice to find any.
        """
        from scipy.optimize import Bounds, milp  # slow to import, and only needed with limits

        per_unit = _SCALED_VALUES / max(1, int(self._values.max()))
        result: Any = milp(
            self._values * per_unit,
            integrality=np.ones(self._starts[-1]),
            bounds=Bounds(0, 1),
            constraints=self._constraints(),
            options={"mip_rel_gap": 0, "node_limit": maximum_nodes},
        )
        if result.x is None:
            if result.status == _INFEASIBLE:
                return None
            raise UserError(
                f"bit search: expected a policy within the limits or a proof that there is none "
                f"after {maximum_nodes} nodes of the solver, found neither ({result.message}); "
                "relax a limit or allow fewer widths"
            )
        bounds = zip(self._starts, self._starts[1:], strict=False)
        picks = tuple(int(result.x[first:last].argmax()) for first, last in bounds)
        value = int(self._values[self._chosen(picks)].sum())
        # A sum of integers is not below the next one, of which the solver is sure to a tolerance.
        proven = math.ceil((max(0.0, result.mip_dual_bound) - 2 * _TOLERANCE) / per_unit)
        return Optimum(picks, value + self._least_value, min(proven, value) + self._least_value)

    def _chosen(self, picks: tuple[int, ...]) -> NDArray[np.intp]:
        return np.array(
            [start + pick for start, pick in zip(self._starts, picks, strict=False)], np.intp
        )

    def _constraints(self) -> list[Any]:
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array

        layers, variables = len(self._starts) - 1, self._starts[-1]
        layer_of = np.repeat(np.arange(layers), np.diff(self._starts))
        entries = (np.ones(variables), (layer_of, np.arange(variables)))
        one_each = csr_array(entries, shape=(layers, variables))
        constraints = [LinearConstraint(one_each, 1, 1)]
        for amounts, rest in zip(self._amounts, self.rests, strict=True):
            if amounts.any():
                scale = _SCALED_LIMIT / max(rest, 1)
                constraints.append(LinearConstraint(amounts[None] * scale, -np.inf, rest * scale))
        constraints += [LinearConstraint(row[None], -np.inf, layers - 1) for row in self._excluded]
        return constraints
