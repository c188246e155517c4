"""One choice per layer with the least sum under limits, as an integer program for HiGHS.

A variable in {0, 1} for every choice of every layer, one of each layer's being 1. What two
neighbours' choices add together has a variable for every pair of their choices; summed over the one
choice they are the other's own variable, so that it is 1 for the chosen pair and 0 for all others.
It is solved by branch and bound with HiGHS (Huangfu and Hall, "Parallelizing the dual revised
simplex method", Mathematical Programming Computation 10, 2018), which also proves a bound that no
combination goes below.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.search.pareto import Integers
from quant.common.errors import UserError

_TOLERANCE = 1e-6
"""To which HiGHS keeps limits and proves bounds: absolute, so what it is given is scaled."""
_SCALED_LIMIT = 1e3
"""Limits are kept to 1e-9 of what they leave to choose; exclusions do the rest."""
_SCALED_VALUES = 1e6
"""The largest difference a choice makes in value."""
_INFEASIBLE = 2
"""SciPy's status; that of a tree cut short differs between its versions."""

Indices = NDArray[np.intp]
Links = Sequence[Integers | None]


@dataclass(frozen=True, slots=True, eq=False)
class Limited:
    """A sum that is limited.

    Attributes:
        amounts: for each layer, int64 [choices].
        most: what the sum of the chosen may be at most; None for no limit.
        links: for each layer but the last what choices of it and of the next add together, int64
            [choices, choices of the next], or None for nothing; empty for no links at all.
    """

    amounts: Sequence[Integers]
    most: int | None
    links: Links = ()

    def cut(self, kept: Sequence[Indices]) -> "Limited":
        """The same for some choices of each layer."""
        amounts = [amount[k] for amount, k in zip(self.amounts, kept, strict=True)]
        links = [
            None if link is None else link[np.ix_(*sides)]
            for link, sides in zip(self.links, pairwise(kept), strict=bool(self.links))
        ]
        return Limited(amounts, self.most, links)

    @property
    def least(self) -> int:
        """What any combination has at least: the least of each layer and link."""
        return sum(int(each.min()) for each in (*self.amounts, *self.links) if each is not None)


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


class Program:
    """The integer program, amounts counted from the least of each layer and link.

    Its variables are the choices of each layer, and behind them the pairs of each link.

    Attributes:
        rests: what each limit leaves beyond the least amounts.
    """

    def __init__(self, values: Limited, limits: Sequence[Limited]) -> None:
        """Lay the program out.

        Args:
            values: the sum that is to be least; at least one choice in each layer.
            limits: sums that are limited.
        """
        self._counts = [len(of_layer) for of_layer in values.amounts]
        self._starts = [0, *accumulate(self._counts)]
        linked = {
            first
            for each in (values, *limits)
            for first, link in enumerate(each.links)
            if link is not None
        }
        sizes = [self._counts[first] * self._counts[first + 1] for first in sorted(linked)]
        starts = accumulate(sizes, initial=self._starts[-1])
        self._link_starts = dict(zip(sorted(linked), starts, strict=False))
        self._variables = self._starts[-1] + sum(sizes)
        self._least_value = values.least
        self._values = self._flat(values)
        self._amounts = [self._flat(limit) for limit in limits]
        self.rests = [limit.most - limit.least for limit in limits if limit.most is not None]
        self._excluded: list[NDArray[np.float64]] = []

    def _flat(self, each: Limited) -> Integers:
        """One amount for each variable, from the least of its layer or link."""
        flat = np.zeros(self._variables, np.int64)
        for start, amounts in zip(self._starts, each.amounts, strict=False):
            flat[start : start + len(amounts)] = amounts - amounts.min()
        for first, link in enumerate(each.links):
            if link is not None:
                start = self._link_starts[first]
                flat[start : start + link.size] = (link - link.min()).reshape(-1)
        return flat

    def keeps_to_limits(self, picks: tuple[int, ...]) -> bool:
        """Whether a combination does, in integers."""
        chosen = self._chosen(picks)
        sums = [int(amounts[chosen].sum()) for amounts in self._amounts]
        return all(total <= rest for total, rest in zip(sums, self.rests, strict=True))

    def exclude(self, picks: tuple[int, ...]) -> None:
        """Forbid one combination: of its choices at least one must be another."""
        row = np.zeros(self._variables)
        row[self._chosen(picks)[: len(picks)]] = 1
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
            integrality=np.arange(self._variables) < self._starts[-1],
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
        picks = tuple(int(result.x[first:last].argmax()) for first, last in pairwise(self._starts))
        value = int(self._values[self._chosen(picks)].sum())
        # A sum of integers is not below the next one, of which the solver is sure to a tolerance.
        proven = math.ceil((max(0.0, result.mip_dual_bound) - 2 * _TOLERANCE) / per_unit)
        return Optimum(picks, value + self._least_value, min(proven, value) + self._least_value)

    def _chosen(self, picks: tuple[int, ...]) -> Indices:
        """The variables that are 1, those of layers first."""
        own = [start + pick for start, pick in zip(self._starts, picks, strict=False)]
        pairs = [
            start + picks[first] * self._counts[first + 1] + picks[first + 1]
            for first, start in self._link_starts.items()
        ]
        return np.array([*own, *pairs], np.intp)

    def _constraints(self) -> list[Any]:
        from scipy.optimize import LinearConstraint

        layers = len(self._counts)
        constraints = [LinearConstraint(self._one_each(), 1, 1)]
        if self._link_starts:
            constraints.append(LinearConstraint(self._pairs_of_chosen(), 0, 0))
        for amounts, rest in zip(self._amounts, self.rests, strict=True):
            if amounts.any():
                scale = _SCALED_LIMIT / max(rest, 1)
                constraints.append(LinearConstraint(amounts[None] * scale, -np.inf, rest * scale))
        constraints += [LinearConstraint(row[None], -np.inf, layers - 1) for row in self._excluded]
        return constraints

    def _one_each(self) -> Any:
        """A row for each layer: its choices."""
        layer_of = np.repeat(np.arange(len(self._counts)), self._counts)
        return self._matrix(layer_of, np.arange(self._starts[-1]), np.ones(self._starts[-1]))

    def _pairs_of_chosen(self) -> Any:
        """A row for each choice on either side of a link: its pairs less itself."""
        rows, columns, entries, row = list[Indices](), list[Indices](), list[Indices](), 0
        for first, start in self._link_starts.items():
            shape = self._counts[first], self._counts[first + 1]
            pairs = start + np.arange(shape[0] * shape[1])
            for side in (0, 1):
                own = row + np.arange(shape[side])
                rows += [own[np.indices(shape)[side].reshape(-1)], own]
                columns += [pairs, self._starts[first + side] + np.arange(shape[side])]
                entries += [np.ones(len(pairs), np.intp), -np.ones(shape[side], np.intp)]
                row += shape[side]
        return self._matrix(*(np.concatenate(each) for each in (rows, columns, entries)))

    def _matrix(self, rows: Indices, columns: Indices, entries: NDArray[Any]) -> Any:
        from scipy.sparse import csr_array

        return csr_array((entries, (rows, columns)), shape=(rows.max() + 1, self._variables))
