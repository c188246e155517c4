"""Local search around the policies that a search has measured."""

from collections.abc import Mapping, Sequence

import numpy as np

from hwsim.search.additive import Columns
from hwsim.search.confirmation import Confirmer, Origin, Point, spread_points
from hwsim.search.divided import PredictedFront
from hwsim.search.indicators import Ruler
from hwsim.search.local_search import Pair, Policy, Steps, local_search
from hwsim.search.measurement import Figures
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.request import SearchRequest
from hwsim.search.rules import of_layers

_POOL = 1000
"""Policies of the predicted front that are considered beside steps, at most."""


def refined_points(
    confirmer: Confirmer,
    front: PredictedFront,
    request: SearchRequest,
    points: Sequence[Point],
    base: Figures,
) -> list[Point]:
    """Policies near the best of those measured, or on the predicted front, measured.

    Limits on the front's two figures bound what counts, if some measured policy keeps to them.
    Policies that break other limits do not count.

    Args:
        confirmer: measures policies.
        front: what the tables predict.
        request: what is asked; its `local_search_evaluations` are made at most.
        points: measured policies.
        base: the base policy's figures.
    """
    refinement = _Refinement(confirmer, front, request, base)
    start = refinement.start(points)
    local_search(
        start,
        Steps.of(front.model.choices, [choices.tolist() for choices in front.model.usable()]),
        refinement.evaluate,
        refinement.expect,
        refinement.reference(start),
        request.local_search_evaluations,
        refinement.pool(),
    )
    return refinement.found


class _Refinement:
    """Translates between points and what the local search knows.

    Attributes:
        found: what was measured.
    """

    def __init__(
        self, confirmer: Confirmer, front: PredictedFront, request: SearchRequest, base: Figures
    ) -> None:
        self._confirmer, self._front, self._request = confirmer, front, request
        self._model = front.model
        self._ruler = Ruler(request.resource, base.cost(request.resource))
        self._others = {
            resource: most
            for resource, most in request.limits.most.items()
            if resource is not request.resource
        }
        self.found: list[Point] = []

    def start(self, points: Sequence[Point]) -> dict[Policy, Pair]:
        """The measured policies that the tables know and that keep to limits on other costs."""
        names, choices = self._model.layers, self._model.choices
        start: dict[Policy, Pair] = {}
        for point in points:
            if point.permitted and (pair := self._pair(point.measured)) is not None:
                leaders = (point.bits[names[group[0]]] for group in self._model.groups)
                start[tuple(map(choices.index, leaders))] = pair
        return start

    def reference(self, start: Mapping[Policy, Pair]) -> Pair:
        """Where figures begin to count: at the limits, if some policy keeps to them."""
        wide = self._ruler.reference
        limits, resource = self._request.limits, self._request.resource
        # A little beyond, so that what just keeps to them counts.
        most = (limits.most.get(resource, np.inf) + 0.5) / max(self._ruler.base_cost, 1)
        least_db = -np.inf if limits.min_psnr_db is None else limits.min_psnr_db
        narrow = float(min(wide[0], most)), float(min(wide[1], 1e-9 - least_db))
        return narrow if any(np.less(pair, narrow).all() for pair in start.values()) else wide

    def pool(self) -> list[Policy]:
        """A spread of the predicted front."""
        columns = self._front.columns[spread_points(self._front, _POOL)]
        leaders = [group[0] for group in self._model.groups]
        return [tuple(map(int, policy)) for policy in columns[:, leaders]]

    def evaluate(self, policies: Sequence[Policy]) -> list[Pair | None]:
        """What measuring policies gives."""
        first = len(self.found) + 1
        labelled = [
            (f"refined {number}", self._model.bits_of(policy))
            for number, policy in enumerate(self._columns(policies), first)
        ]
        points = self._confirmer.policies(Origin.REFINED, labelled)
        self.found += [point for point in points if point is not None]
        return [None if point is None else self._pair(point.measured) for point in points]

    def expect(self, policies: Sequence[Policy]) -> list[Pair | None]:
        """What the tables say of policies."""
        resources = (self._request.resource, *self._others)
        figures, counts = self._model.figures_of(self._columns(policies), resources)
        for place, most in enumerate(self._others.values(), 2):
            counts = counts & (figures[:, place] <= most)
        pairs = self._ruler.points(figures[:, 0] / UNITS_PER_SQUARED_CODE, figures[:, 1])
        return [
            (float(pair[0]), float(pair[1])) if does else None
            for pair, does in zip(pairs, counts, strict=True)
        ]

    def _pair(self, figures: Figures) -> Pair | None:
        """What the local search looks at; None beyond a limit on another cost."""
        if any(figures.cost(resource) > most for resource, most in self._others.items()):
            return None
        cost = figures.cost(self._request.resource)
        pair = self._ruler.points(np.array([figures.mse]), np.array([cost]))[0]
        return float(pair[0]), float(pair[1])

    def _columns(self, policies: Sequence[Policy]) -> Columns:
        return of_layers(self._model.groups, np.array(policies, np.intp).T)
