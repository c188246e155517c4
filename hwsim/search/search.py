"""The search: measure one layer at a time, solve what adds up exactly, measure what comes out."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np

from hwsim.ledger import Ledger
from hwsim.search.additive import AdditiveModel
from hwsim.search.confirmation import Confirmer, Point, agreement, spread_points
from hwsim.search.divided import DividedModel
from hwsim.search.evaluation import BuildGraph, Pictures, Target
from hwsim.search.exploration import Explorer
from hwsim.search.measurement import Meter
from hwsim.search.pair_survey import neighbour_errors
from hwsim.search.progress import Counter, Progress
from hwsim.search.quality_table import quality_table
from hwsim.search.recommendation import optimum_points, points_at_limits
from hwsim.search.refinement import refined_points
from hwsim.search.request import SearchRequest
from hwsim.search.result import SearchResult
from hwsim.search.survey import survey


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
        progress: called with steps done and steps in all: measurements, and layers of tables. A
            few more may be needed than the first calls say.
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
    groups = rules.groups(meter.layers)
    counter = Counter(
        1
        + sum(int(permitted[group[0]].sum()) for group in groups)
        + len(request.uniform_policies)
        + request.front_points,
        progress,
    )
    explorer = Explorer(meter, request, permitted, groups, counter)
    tables = explorer.uniform_tables()
    measurable = permitted & np.any([table.available for table in tables], axis=0)
    quality = quality_table(survey(meter, request, measurable, groups, counter.step))
    model = DividedModel(
        tuple(
            AdditiveModel(meter.layers, request.choices, groups, quality, table) for table in tables
        ),
    )
    model = explorer.along_front(model)
    front = model.front(request.resource)
    confirmer = Confirmer(meter, model, request, counter.step)
    uniform, spread = confirmer.uniform(), confirmer.front(front)
    alone = agreement([*uniform, *spread], request.resource)
    before = list[Point]()
    if alone.mse is not None and alone.mse < request.pairs_below:
        chosen = front.columns[spread_points(front, request.front_points)]
        pairs = neighbour_errors(meter, request, model, chosen, counter)
        model, before = model.with_error_pairs(pairs), spread
        front = model.front(request.resource)
        confirmer = Confirmer(meter, model, request, counter.step)
        uniform, spread = confirmer.uniform(), confirmer.front(front)
    near = points_at_limits(confirmer, front, request.limits)
    optimum, best = None, list[Point]()
    if request.limits:
        measured = [*uniform, *spread, *near]
        optimum, best = optimum_points(confirmer, explorer, model, request, measured)
    points = _unique(uniform + best + spread + near + before)
    base = meter.measure(request.base_policy)
    if request.local_search_evaluations:
        counter.expect(request.local_search_evaluations)
        points = _unique(points + refined_points(confirmer, front, request, points, base))
    found = SearchResult(
        request,
        target.accelerator.name,
        target.energy.table.name,
        base,
        meter.base_sha256,
        model,
        front,
        optimum,
        tuple(points),
        agreement([point for point in points if point not in before], request.resource),
        alone.mse,
    )
    if request.run_on_machine:
        found = replace(found, points=tuple(confirmer.on_machine(points, found.chosen())))
    counter.finish()
    return found


def _unique(points: Sequence[Point]) -> list[Point]:
    """Of points with the same bits the first."""
    unique = {tuple(point.bits.values()): point for point in reversed(points)}
    return list(reversed(unique.values()))
