"""The policy to take under limits: found along the predicted front, judged by measurement alone."""

from collections.abc import Callable, Sequence

from hwsim.search.additive import PredictedFront
from hwsim.search.confirmation import Confirmer, Origin, Point
from hwsim.search.request import Limits, Objective
from quant.common.errors import UserError


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

    if _has_cost_limit(limits):
        bisect(lambda point: point is None or not _is_affordable(point, limits))
    if limits.min_psnr_db is not None:
        bisect(lambda point: point is not None and _is_faithful(point, limits))
    return points


def recommend(points: Sequence[Point], limits: Limits, objective: Objective) -> Point:
    """The best measured policy within the limits.

    With a limit on fidelity that is the cheapest, else the most faithful.

    Args:
        points: the measured policies.
        limits: what it must keep to.
        objective: what is cheap.

    Raises:
        UserError: none keeps to the limits; the message has the nearest there is.
    """
    affordable = [point for point in points if _is_affordable(point, limits)]
    faithful = [point for point in points if _is_faithful(point, limits)]
    fitting = [point for point in affordable if _is_faithful(point, limits)]
    if not fitting:
        raise UserError(_nearest(points, affordable, faithful, limits, objective))
    if limits.min_psnr_db is not None:
        return min(fitting, key=lambda point: (point.measured.cost(objective), point.measured.mse))
    return min(fitting, key=lambda point: (point.measured.mse, point.measured.cost(objective)))


def _is_affordable(point: Point, limits: Limits) -> bool:
    energy_uj, cycles = limits.max_energy_uj, limits.max_cycles
    return (energy_uj is None or point.measured.energy_uj <= energy_uj) and (
        cycles is None or point.measured.cycles <= cycles
    )


def _is_faithful(point: Point, limits: Limits) -> bool:
    return limits.min_psnr_db is None or point.measured.psnr_db >= limits.min_psnr_db


def _nearest(
    points: Sequence[Point],
    affordable: Sequence[Point],
    faithful: Sequence[Point],
    limits: Limits,
    objective: Objective,
) -> str:
    """What comes closest on either side of limits that exclude each other."""

    def cheapest(of: Sequence[Point]) -> str:
        return _described(min(of, key=lambda point: point.measured.cost(objective)))

    def best(of: Sequence[Point]) -> str:
        return _described(min(of, key=lambda point: point.measured.mse))

    found = []
    if _has_cost_limit(limits):
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
    wanted = " and ".join(_words(limits))
    return (
        f"no measured policy has {wanted}: {', '.join(found)}; relax a limit or allow other widths"
    )


def _has_cost_limit(limits: Limits) -> bool:
    return limits.max_energy_uj is not None or limits.max_cycles is not None


def _words(limits: Limits) -> list[str]:
    words = []
    if limits.max_energy_uj is not None:
        words.append(f"at most {limits.max_energy_uj:g} uJ")
    if limits.max_cycles is not None:
        words.append(f"at most {limits.max_cycles} cycles")
    if limits.min_psnr_db is not None:
        words.append(f"at least {limits.min_psnr_db:g} dB")
    return words


def _described(point: Point) -> str:
    measured = point.measured
    return f"{measured.psnr_db:.2f} dB at {measured.energy_uj:.4g} uJ and {measured.cycles} cycles"
