"""The search: measure one layer at a time, solve what adds up exactly, measure what comes out."""

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.ledger import Ledger
from hwsim.schedule import ScheduleError
from hwsim.search.additive import AdditiveModel
from hwsim.search.confirmation import Confirmer, Point, agreement
from hwsim.search.cost_table import CostTable
from hwsim.search.divided import DividedModel
from hwsim.search.evaluation import BuildGraph, Pictures, Target
from hwsim.search.measurement import Meter
from hwsim.search.pricing import cost_table, parts_of
from hwsim.search.quality_table import quality_table
from hwsim.search.recommendation import optimum_points, points_at_limits
from hwsim.search.request import SearchRequest
from hwsim.search.result import SearchResult
from hwsim.search.survey import survey

Progress = Callable[[int, int], None]


def search(
    request: SearchRequest,
    build_graph: BuildGraph,
    pictures: Pictures,
    target: Target,
    kept: Path | Ledger | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> SearchResult:
    """Search bit policies for the best trades of error against cost.

    Deterministic: the same inputs give the same result, whatever the ledger already holds and
    whoever computes the measurements, in whatever order.

    Args:
        request: what is asked.
        build_graph: quantizes the network under a policy; the convolutions of the graph bear the
            layer names that policies use.
        pictures: what quality is judged on.
        target: what cost is counted on.
        kept: the folder where measurements are kept and found again (`ledger.FILE_NAME`), or its
            ledger; None keeps none.
        progress: called with measurements done and measurements in all. Near limits a few more
            are needed than the first calls say.
        executor: computes the measurements; what it is given can be pickled if ``build_graph`` can.
            It is not shut down. None: this process computes them, one after the other.

    Raises:
        ScheduleError: the machine has no room for the base policy.
        NoPolicyError: it has room for none of what may be chosen.
        UserError: a policy's graph cannot be built, the folder cannot be used, a rule fits no
            layer, the solver gave up, or the executor did.
    """
    ledger = kept if isinstance(kept, Ledger) else Ledger(kept)
    meter = Meter(build_graph, request.base_policy, pictures, target, ledger, executor)
    rules = request.rules
    permitted = rules.permitted(meter.layers, request.choices, request.usual_choices)
    counter = _Counter(
        1 + int(permitted.sum()) + len(request.uniform_widths) + request.front_points, progress
    )
    tables = _cost_tables(meter, request, permitted)
    permitted &= np.any([table.available for table in tables], axis=0)
    quality = quality_table(survey(meter, request, permitted, counter.step))
    groups = rules.groups(meter.layers)
    model = DividedModel(
        tuple(
            AdditiveModel(meter.layers, request.choices, groups, quality, table) for table in tables
        ),
    )
    front = model.front(request.resource)
    confirmer = Confirmer(meter, model, request, counter.step)
    uniform, spread = confirmer.uniform(), confirmer.front(front)
    near = points_at_limits(confirmer, front, request.limits)
    optimum, best = None, list[Point]()
    if request.limits:
        optimum, best = optimum_points(confirmer, model, request, [*uniform, *spread, *near])
    points = uniform + best + spread + near
    unique = {tuple(point.bits.values()): point for point in reversed(points)}
    points = list(reversed(unique.values()))
    return SearchResult(
        request,
        target.accelerator.name,
        target.energy.table.name,
        meter.measure(request.base_policy),
        model,
        front,
        optimum,
        tuple(points),
        agreement(points, request.resource),
    )


def _cost_tables(
    meter: Meter, request: SearchRequest, permitted: NDArray[np.bool_]
) -> list[CostTable]:
    """The costs around the base, and around uniform policies that are divided in other ways."""
    tables = [cost_table(meter, request.base_policy, request.choices, permitted)]
    for policy in map(request.uniform_policy, sorted(request.widths, reverse=True)):
        try:
            parts = parts_of(meter, policy)
        except ScheduleError:
            continue
        if all(table.parts != parts for table in tables):
            tables.append(cost_table(meter, policy, request.choices, permitted, tables[0]))
    return tables


class _Counter:
    """Reports each measurement; the total grows where more are made than foreseen."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def step(self) -> None:
        self._done += 1
        self._total = max(self._total, self._done)
        if self._progress is not None:
            self._progress(self._done, self._total)
