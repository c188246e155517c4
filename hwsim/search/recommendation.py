"""The policy to take under limits: found by the tables, judged by measurement alone."""

from collections.abc import Callable, Sequence

from hwsim.search.certified import Bounds, Certificate
from hwsim.search.confirmation import Confirmer, Origin, Point
from hwsim.search.divided import DividedModel, PredictedFront
from hwsim.search.exploration import Explorer
from hwsim.search.limits import Limits
from hwsim.search.no_policy import NoPolicyError
from hwsim.search.request import SearchRequest
from hwsim.search.resource import SHOWN, Resource
from quant.policy import LayerBits

_CORRECTIONS = 3
"""How often the optimum is sought again. A new table takes as long as pricing every choice of every
layer."""


def points_at_limits(confirmer: Confirmer, front: PredictedFront, limits: Limits) -> list[Point]:
    """Measure along the front where the limits cut it, by bisection.

    Costs rise and errors fall along the predicted front, and nearly so in reality, so about
    log2(points) measurements find the last point within the cost limits, and as many the first
    with enough fidelity.
    """
    points: list[Point] = []

    def bisect(is_beyond: Callable[[Point | None], bool]) -> None:
        first, last = 0, len(front)
        while first < last:
            middle = (first + last) // 2
            point = confirmer.front_point(front, middle, Origin.LIMIT)
            points.extend([] if point is None else [point])
            if is_beyond(point):
                last = middle
            else:
                first = middle + 1

    if limits.most:
        bisect(lambda point: point is None or not _is_affordable(point, limits))
    if limits.min_psnr_db is not None:
        bisect(lambda point: point is not None and _is_faithful(point, limits))
    return points


def optimum_points(
    confirmer: Confirmer,
    explorer: Explorer,
    model: DividedModel,
    request: SearchRequest,
    measured: Sequence[Point],
) -> tuple[Certificate | None, list[Point]]:
    """The optimum by the tables, measured, and those by tables corrected with what was measured.

    Each time the tables are corrected by the best policy so far that they were not yet: one within
    the limits if there is any, else the one that comes closest. If its graph was divided in a way
    that no table knows, there is a table more; and the limit on errors is moved by as much as its
    error was mispredicted.

    Args:
        confirmer: measures policies.
        explorer: makes tables of divisions that none knows.
        model: the tables.
        request: what is asked.
        measured: policies measured before.

    Returns:
        The certificate by the tables as they are, None where they predict no policy within the
        limits; and what was measured.

    Raises:
        UserError: the solver neither found a policy nor proved that there is none.
    """
    asked = Bounds.of(request.limits)
    found: list[Point] = []
    tried: list[dict[str, LayerBits]] = []

    def measure(certificate: Certificate | None, label: str) -> None:
        if certificate is None or certificate.bits in tried:
            return
        tried.append(certificate.bits)
        point = confirmer.point(Origin.OPTIMUM, label, certificate.bits)
        found.extend([] if point is None else [point])

    first = model.optimum(request.minimize, asked)
    measure(first, "optimum")
    centers: list[dict[str, LayerBits]] = []
    for number in range(1, _CORRECTIONS + 1):
        candidates = [
            point
            for point in (*found, *measured)
            if point.permitted and point.predicted is not None and point.bits not in centers
        ]
        if not candidates:
            break
        center = min(candidates, key=lambda point: _standing(point, asked, request.minimize))
        assert center.predicted is not None
        centers.append(center.bits)
        model = explorer.with_division_of(center.policy, model)
        bounds = asked.corrected(center.predicted, center.measured)
        measure(model.optimum(request.minimize, bounds), f"corrected optimum {number}")
    return first, found


def _standing(
    point: Point, asked: Bounds, minimize: Resource | None
) -> tuple[float, tuple[float, float]]:
    """Least is best: within the limits by what is minimized, beyond them by how far."""
    return max(1.0, asked.worst_overrun(point.measured)), _rank(point, minimize)


def recommend(points: Sequence[Point], limits: Limits, minimize: Resource | None) -> Point:
    """The best measured policy within the limits.

    Args:
        points: the measured policies; only those whose layers may have their bits count.
        limits: what it must keep to.
        minimize: what is to be least; None: the error.

    Raises:
        NoPolicyError: none keeps to the limits; the message has the nearest there is.
    """
    permitted = [point for point in points if point.permitted]
    if not permitted:
        raise NoPolicyError(
            "bit search: expected room for one of the policies it tried, found it for none; "
            "allow narrower widths or take a larger machine"
        )
    affordable = [point for point in permitted if _is_affordable(point, limits)]
    faithful = [point for point in permitted if _is_faithful(point, limits)]
    fitting = [point for point in affordable if _is_faithful(point, limits)]
    if fitting:
        return min(fitting, key=lambda point: _rank(point, minimize))
    cheap = minimize or next(iter(limits.most), Resource.ENERGY)
    raise NoPolicyError(_nearest(permitted, affordable, faithful, limits, cheap))


def _rank(point: Point, minimize: Resource | None) -> tuple[float, float]:
    measured = point.measured
    if minimize is None:
        return measured.mse, measured.energy_fj
    return measured.cost(minimize), measured.mse


def _is_affordable(point: Point, limits: Limits) -> bool:
    return all(point.measured.cost(resource) <= most for resource, most in limits.most.items())


def _is_faithful(point: Point, limits: Limits) -> bool:
    return limits.min_psnr_db is None or point.measured.psnr_db >= limits.min_psnr_db


def _nearest(
    points: Sequence[Point],
    affordable: Sequence[Point],
    faithful: Sequence[Point],
    limits: Limits,
    resource: Resource,
) -> str:
    """What comes closest on either side of limits that exclude each other."""

    def cheapest(of: Sequence[Point]) -> str:
        return _described(min(of, key=lambda point: point.measured.cost(resource)), limits)

    def best(of: Sequence[Point]) -> str:
        return _described(min(of, key=lambda point: point.measured.mse), limits)

    found = []
    if limits.most:
        found.append(
            f"within the cost limits the best reaches {best(affordable)}"
            if affordable
            else f"the cheapest takes {cheapest(points)}"
        )
    if limits.min_psnr_db is not None:
        found.append(
            f"the cheapest of that fidelity takes {cheapest(faithful)}"
            if faithful
            else f"the most faithful reaches {best(points)}"
        )
    wanted = " and ".join(limits.words)
    return (
        f"no measured policy has {wanted}: {', '.join(found)}; relax a limit or allow other widths"
    )


def _described(point: Point, limits: Limits) -> str:
    """Fidelity, energy and cycles, and whatever else is limited."""
    told = dict.fromkeys((Resource.ENERGY, Resource.LATENCY, *limits.most))
    costs = [SHOWN[resource].words(point.measured.cost(resource)) for resource in told]
    return f"{point.measured.psnr_db:.2f} dB at {', '.join(costs[:-1])} and {costs[-1]}"
