"""Which divisions into cascades the tables know: those of uniform policies and along the front.

A table is right for policies that are divided as at its center. So there is one for every division
that uniform policies have, and then, front after front, for those that policies on it turn out to
have.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule import ScheduleError
from hwsim.search.confirmation import spread_points
from hwsim.search.cost_table import CostTable
from hwsim.search.divided import DividedModel
from hwsim.search.measurement import Meter
from hwsim.search.pricing import cost_table, parts_of
from hwsim.search.progress import Counter
from hwsim.search.request import SearchRequest
from hwsim.search.rules import Group
from quant.policy import BitPolicy

_ROUNDS = 3
"""Fronts that are looked at, at most."""
_TABLES_PER_ROUND = 3
"""Each takes as long as pricing every choice of every layer."""


class Explorer:
    """Makes tables for one search after the other division."""

    def __init__(
        self,
        meter: Meter,
        request: SearchRequest,
        permitted: NDArray[np.bool_],
        groups: Sequence[Group],
        counter: Counter,
    ) -> None:
        """Prepare.

        Args:
            meter: prices graphs.
            request: the choices, and the policies to start from.
            permitted: bool [layers, choices], what each layer may have.
            groups: positions of layers that have the same bits as one another.
            counter: told of each layer of a table.
        """
        self._meter, self._request, self._counter = meter, request, counter
        self._permitted, self._groups = permitted, groups

    def uniform_tables(self) -> list[CostTable]:
        """Tables around the base, and around uniform policies that are divided in other ways.

        Raises:
            ScheduleError: the machine has no room for the base.
            UserError: a policy's graph cannot be built.
        """
        tables = [self._table(self._request.base_policy, None)]
        for policy in map(self._request.uniform_policy, sorted(self._request.widths, reverse=True)):
            parts = self._parts(policy)
            if parts is not None and all(table.parts != parts for table in tables):
                tables.append(self._table(policy, tables[0]))
        return tables

    def along_front(self, model: DividedModel) -> DividedModel:
        """The model with tables for divisions that policies on its front have.

        Raises:
            UserError: a policy's graph cannot be built, or the front is too large to compute.
        """
        for _ in range(_ROUNDS):
            front = model.front(self._request.resource)
            spread = spread_points(front, self._request.front_points)
            policies = [self._request.policy(front.bits(point)) for point in spread]
            unknown: dict[tuple[tuple[str, ...], ...], BitPolicy] = {}
            for policy in policies:
                parts = self._parts(policy)
                if parts is not None and not model.knows(parts):
                    unknown.setdefault(parts, policy)
            if not unknown:
                break
            for policy in list(unknown.values())[:_TABLES_PER_ROUND]:
                model = model.with_costs(self._table(policy, model.cost))
        return model

    def with_division_of(self, policy: BitPolicy, model: DividedModel) -> DividedModel:
        """A model that knows the division of a policy: with a table more if it is new.

        Raises:
            ScheduleError: the machine has no room for the policy's graph.
            UserError: the policy's graph cannot be built.
        """
        if model.knows(parts_of(self._meter, policy)):
            return model
        return model.with_costs(self._table(policy, model.cost))

    def _table(self, policy: BitPolicy, base: CostTable | None) -> CostTable:
        self._counter.expect(len(self._meter.layers))
        return cost_table(
            self._meter,
            policy,
            self._request.choices,
            self._permitted,
            self._groups,
            base,
            self._counter.step,
        )

    def _parts(self, policy: BitPolicy) -> tuple[tuple[str, ...], ...] | None:
        """How a policy is divided; None where the machine has no room for it."""
        try:
            return parts_of(self._meter, policy)
        except ScheduleError:
            return None
