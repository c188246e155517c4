"""What a search found, as data and as JSON."""

import math
from dataclasses import dataclass
from typing import Any

from hwsim.search.additive import AdditiveModel, PredictedFront
from hwsim.search.confirmation import Agreement, Origin, Point
from hwsim.search.measurement import FEMTOJOULES_PER_MICROJOULE, Figures, Measurement
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.recommendation import recommend
from hwsim.search.request import Objective, SearchRequest

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """Everything a search predicted and measured.

    Attributes:
        request: what was asked.
        accelerator: name of the machine.
        energy_table: name of the energy table.
        base: the base policy, measured.
        model: the tables.
        front: the exact front of what the tables predict.
        points: the measured policies: uniform ones, a spread of the front, those near limits.
        agreement: how well predictions order the measured policies.
    """

    request: SearchRequest
    accelerator: str
    energy_table: str
    base: Measurement
    model: AdditiveModel
    front: PredictedFront
    points: tuple[Point, ...]
    agreement: Agreement

    def recommended(self) -> Point:
        """The best measured policy within the request's limits; see `recommend`.

        Raises:
            UserError: no measured policy keeps to them.
        """
        return recommend(self.points, self.request.limits, self.request.objective)

    def best(self) -> tuple[Point, ...]:
        """The measured policies no other measured one beats, the cheapest first."""
        objective = self.request.objective
        ordered = sorted(self.points, key=lambda p: (p.measured.cost(objective), p.measured.mse))
        best: list[Point] = []
        for point in ordered:
            if not best or point.measured.mse < best[-1].measured.mse:
                best.append(point)
        return tuple(best)

    def of_origin(self, origin: Origin) -> tuple[Point, ...]:
        """The points measured for one reason."""
        return tuple(point for point in self.points if point.origin is origin)

    def to_json(self) -> Json:
        """The result as plain JSON values; units in the keys, null for what does not apply."""
        request, quality, cost = self.request, self.model.quality, self.model.cost
        limits = request.limits
        best = {id(point) for point in self.best()}
        return {
            "accelerator": self.accelerator,
            "energy_table": self.energy_table,
            "image_size": [request.image_size.height, request.image_size.width],
            "objective": request.objective.value,
            "limits": {
                "max_energy_uj": limits.max_energy_uj,
                "max_cycles": limits.max_cycles,
                "min_psnr_to_float_db": limits.min_psnr_db,
            },
            "base": {"bits": str(request.base), **_figures(self.base)},
            "layers": list(self.model.layers),
            "choices": [str(bits) for bits in self.model.choices],
            "mse_increase": _scaled(quality.measured, UNITS_PER_SQUARED_CODE),
            "energy_change_uj": _scaled(cost.change[Objective.ENERGY], FEMTOJOULES_PER_MICROJOULE),
            "cycles_change": cost.change[Objective.CYCLES].tolist(),
            "available": cost.available.tolist(),
            "mse_increases_clipped": quality.clipped,
            "mse_increases_non_monotone": quality.non_monotone,
            "predicted_front": self._front(),
            "points": [
                {
                    "origin": point.origin.value,
                    "label": point.label,
                    "best_measured": id(point) in best,
                    "bits": {layer: str(bits) for layer, bits in point.bits.items()},
                    "policy": point.policy.to_yaml(),
                    "predicted": None if point.predicted is None else _figures(point.predicted),
                    "measured": {
                        **_figures(point.measured),
                        "dram_bytes": point.measured.dram_bytes,
                    },
                }
                for point in self.points
            ],
            "rank_correlation": {
                "points": self.agreement.points,
                "mse": self.agreement.mse,
                request.objective.value: self.agreement.cost,
            },
        }

    def _front(self) -> Json:
        costs = self.front.costs
        objective = self.request.objective
        named = {
            Objective.ENERGY: ("energy_uj", costs / FEMTOJOULES_PER_MICROJOULE),
            Objective.CYCLES: ("cycles", costs),
        }
        key, values = named[objective]
        return {key: values.tolist(), "mse": _scaled(self.front.errors, UNITS_PER_SQUARED_CODE)}


def _figures(figures: Figures) -> Json:
    psnr_db = figures.psnr_db
    return {
        "mse": figures.mse,
        "psnr_to_float_db": None if math.isinf(psnr_db) else psnr_db,
        "energy_uj": figures.energy_uj,
        "cycles": figures.cycles,
    }


def _scaled(units: Any, per_unit: int) -> Any:
    return (units / per_unit).tolist()
