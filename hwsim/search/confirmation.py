"""From prediction to fact: uniform policies and a spread of front points, measured for real."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from hwsim.search.divided import DividedModel, PredictedFront
from hwsim.search.measurement import Figures, MachineCheck, Measurement, Meter
from hwsim.search.request import SearchRequest
from hwsim.search.resource import Resource
from quant.policy import BitPolicy, LayerBits


class Origin(Enum):
    """Why a policy was measured."""

    UNIFORM = "uniform"
    FRONT = "front"
    LIMIT = "limit"
    OPTIMUM = "optimum"
    REFINED = "refined"


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A measured policy.

    Attributes:
        origin: why it was measured.
        label: a few words for tables and charts.
        policy: the policy.
        bits: the bits of each layer.
        predicted: what the tables say; None if they have no entry for its bits.
        measured: what its graph does.
        permitted: whether every layer has bits it may choose.
        on_machine: what came of running it on the machine; None if it was not.
    """

    origin: Origin
    label: str
    policy: BitPolicy
    bits: dict[str, LayerBits]
    predicted: Figures | None
    measured: Measurement
    permitted: bool = True
    on_machine: MachineCheck | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How predictions compare with measurements.

    Attributes:
        points: measured policies that have a prediction.
        mse: Spearman's rank correlation of the error, 1 is the same order; None with fewer than
            three points, or if all are alike.
        cost: the same of the resource on the front.
        worst_db: the largest difference, predicted less measured fidelity, in dB, of policies that
            have an error at all; None without such points.
        worst_cost: the largest difference of the resource on the front, as a share of what was
            measured; None without points.
    """

    points: int
    mse: float | None
    cost: float | None
    worst_db: float | None
    worst_cost: float | None


class Confirmer:
    """Measures policies beside what the tables predict for them."""

    def __init__(
        self,
        meter: Meter,
        model: DividedModel,
        request: SearchRequest,
        count: Callable[[], None],
    ) -> None:
        self._meter = meter
        self._model = model
        self._request = request
        self._count = count

    def uniform(self) -> list[Point]:
        """The uniform policies that fit the machine."""
        labelled = [(f"uniform {policy}", policy) for policy in self._request.uniform_policies]
        return self._points(Origin.UNIFORM, labelled)

    def front(self, front: PredictedFront) -> list[Point]:
        """A spread of the front's policies, those that fit the machine."""
        spread = spread_points(front, self._request.front_points)
        return self._points(Origin.FRONT, [self._labelled(front, index) for index in spread])

    def front_point(self, front: PredictedFront, index: int, origin: Origin) -> Point | None:
        """One policy of the front; None if the machine has no room for it after all."""
        return next(iter(self._points(origin, [self._labelled(front, index)])), None)

    def point(self, origin: Origin, label: str, bits: Mapping[str, LayerBits]) -> Point | None:
        """A policy by the bits of its layers; None if the machine has no room for it."""
        policy = self._request.policy(dict(bits))
        return next(iter(self._points(origin, [(label, policy)])), None)

    def policies(
        self, origin: Origin, labelled: Sequence[tuple[str, Mapping[str, LayerBits]]]
    ) -> list[Point | None]:
        """Policies by the bits of their layers, behind their labels, measured together.

        Returns:
            For each its point; None where the machine has no room for it.
        """
        request = self._request
        return self._tried(
            origin, [(label, request.policy(dict(bits))) for label, bits in labelled]
        )

    def on_machine(self, points: Sequence[Point], chosen: Sequence[Point]) -> list[Point]:
        """The points, those chosen run on the machine and compared bit for bit.

        Raises:
            ScheduleError: the machine has no room for a picture.
        """
        checks = self._meter.on_machine([point.policy for point in chosen], self._count)
        found = {id(point): check for point, check in zip(chosen, checks, strict=True)}
        return [replace(point, on_machine=found.get(id(point))) for point in points]

    def _labelled(self, front: PredictedFront, index: int) -> tuple[str, BitPolicy]:
        policy = self._request.policy(front.bits(index))
        return f"front {index + 1} of {len(front)}", policy

    def _points(self, origin: Origin, labelled: Sequence[tuple[str, BitPolicy]]) -> list[Point]:
        """Those of the policies, behind their labels, that fit the machine."""
        return [point for point in self._tried(origin, labelled) if point is not None]

    def _tried(
        self, origin: Origin, labelled: Sequence[tuple[str, BitPolicy]]
    ) -> list[Point | None]:
        measured = self._meter.measure_all([policy for _, policy in labelled], self._count)
        points: list[Point | None] = []
        for (label, policy), found in zip(labelled, measured, strict=True):
            if found is None:
                points.append(None)
                continue
            bits = policy.resolve(self._meter.layers)
            predicted, permitted = self._model.predict(bits), self._model.permits(bits)
            points.append(Point(origin, label, policy, bits, predicted, found, permitted))
        return points


def spread_points(front: PredictedFront, count: int) -> list[int]:
    """Points from one end of a front to the other, about evenly spaced in decibels.

    Returns:
        At most ``count`` indices, rising, both ends among them.
    """
    decibels = -np.log10(front.errors + 1.0)  # + 1 unit, so that no error at all has a place too
    wanted = np.linspace(decibels[0], decibels[-1], count)
    nearest = np.abs(decibels[:, None] - wanted).argmin(axis=0)
    return sorted({int(index) for index in nearest} | {0, len(front) - 1})


def agreement(points: Sequence[Point], resource: Resource) -> Agreement:
    """How well predictions order the points, and how far the worst is off."""
    pairs = [(point.predicted, point.measured) for point in points if point.predicted is not None]
    costs = [(predicted.cost(resource), found.cost(resource)) for predicted, found in pairs]
    return Agreement(
        len(pairs),
        _rank_correlation([(predicted.mse, measured.mse) for predicted, measured in pairs]),
        _rank_correlation(costs),
        _farthest(
            predicted.psnr_db - measured.psnr_db
            for predicted, measured in pairs
            if predicted.mse and measured.mse
        ),
        _farthest(predicted / measured - 1 for predicted, measured in costs if measured),
    )


def _farthest(differences: Iterable[float]) -> float | None:
    return max(differences, key=abs, default=None)


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Spearman's coefficient; None where too few pairs or equal values leave it undefined."""
    from scipy.stats import spearmanr  # slow to import, and only needed at the end

    if len(pairs) < 3:
        return None
    predicted, measured = np.array(pairs).T
    if np.ptp(predicted) == 0 or np.ptp(measured) == 0:
        return None
    return float(spearmanr(predicted, measured).statistic)
