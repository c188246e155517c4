"""What a search found, as data and as JSON."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from hwsim.search.certified import Certificate
from hwsim.search.confirmation import Agreement, Origin, Point
from hwsim.search.divided import DividedModel, PredictedFront
from hwsim.search.indicators import RANDOM_POLICIES, REFERENCE_DB, Ruler
from hwsim.search.measurement import Figures, Measurement
from hwsim.search.no_policy import NoPolicyError
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.recommendation import recommend
from hwsim.search.request import SearchRequest
from hwsim.search.resource import SHOWN, Resource

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """Everything a search predicted and measured.

    Attributes:
        request: what was asked.
        accelerator: name of the machine.
        energy_table: name of the energy table.
        base: the base policy, measured.
        base_sha256: hash of its graph.
        model: the tables.
        front: the exact front of what the tables predict.
        optimum: what the tables prove to be best within the limits; None without limits, or where
            they predict no policy within them.
        points: the measured policies: uniform ones, a spread of the front, the optimum, those near
            limits.
        agreement: how well predictions order the measured policies.
        correlation_alone: rank correlation of errors by the tables of single layers, of uniform
            policies and the first front; where it is low, pairs of neighbours were measured.
    """

    request: SearchRequest
    accelerator: str
    energy_table: str
    base: Measurement
    base_sha256: str
    model: DividedModel
    front: PredictedFront
    optimum: Certificate | None
    points: tuple[Point, ...]
    agreement: Agreement
    correlation_alone: float | None = None

    def recommended(self) -> Point:
        """The best measured policy within the request's limits; see `recommend`.

        Raises:
            NoPolicyError: no measured policy keeps to them.
        """
        return recommend(self.points, self.request.limits, self.request.minimize)

    def best(self) -> tuple[Point, ...]:
        """The measured policies no other measured one beats, the cheapest first."""
        resource = self.request.resource
        ordered = sorted(self.points, key=lambda p: (p.measured.cost(resource), p.measured.mse))
        best: list[Point] = []
        for point in ordered:
            if not best or point.measured.mse < best[-1].measured.mse:
                best.append(point)
        return tuple(best)

    def chosen(self) -> tuple[Point, ...]:
        """The best measured policies, and the recommended one if there is any."""
        best = self.best()
        try:
            recommended = self.recommended()
        except NoPolicyError:
            return best
        return best if recommended in best else (*best, recommended)

    @property
    def mismatches(self) -> int:
        """Integers of the machine that differ, of all policies that were run on it."""
        return sum(point.on_machine.mismatches for point in self.points if point.on_machine)

    def of_origin(self, origin: Origin) -> tuple[Point, ...]:
        """The points measured for one reason."""
        return tuple(point for point in self.points if point.origin is origin)

    def to_json(self) -> Json:
        """The result as plain JSON values; units in the keys, null for what does not apply."""
        request, quality, cost = self.request, self.model.quality, self.model.cost
        best = {id(point) for point in self.best()}
        return {
            "accelerator": self.accelerator,
            "energy_table": self.energy_table,
            "image_size": [request.image_size.height, request.image_size.width],
            "minimize": minimized_word(request.minimize),
            "against": request.resource.value,
            "limits": {
                "max_energy_uj": request.limits.max_energy_uj,
                "max_cycles": request.limits.max_cycles,
                "max_dram_bytes": request.limits.max_dram_bytes,
                "max_sram_bytes": request.limits.max_sram_bytes,
                "min_psnr_to_float_db": request.limits.min_psnr_db,
            },
            "base": {"bits": str(request.base), **figures_json(self.base)},
            "layers": list(self.model.layers),
            "tied": [
                [self.model.layers[layer] for layer in group]
                for group in self.model.groups
                if len(group) > 1
            ],
            "choices": [str(bits) for bits in self.model.choices],
            "mse_increase": _scaled(quality.measured, UNITS_PER_SQUARED_CODE),
            **{
                f"{SHOWN[resource].key}_change": _scaled(change, SHOWN[resource].per_unit)
                for resource, change in cost.change.items()
            },
            "sram_bytes_of_cascade": cost.sram.tolist(),
            "available": cost.available.tolist(),
            "mse_increases_clipped": quality.clipped,
            "mse_increases_non_monotone": quality.non_monotone,
            "predicted_front": self._front(),
            "hypervolume": self._hypervolumes(),
            "optimum": None if self.optimum is None else self._certified(self.optimum),
            "points": [
                {
                    "origin": point.origin.value,
                    "label": point.label,
                    "best_measured": id(point) in best,
                    "permitted": point.permitted,
                    "bits": {layer: str(bits) for layer, bits in point.bits.items()},
                    "policy": point.policy.to_yaml(),
                    "predicted": None if point.predicted is None else figures_json(point.predicted),
                    "measured": figures_json(point.measured),
                    "on_machine": None if point.on_machine is None else asdict(point.on_machine),
                }
                for point in self.points
            ],
            "rank_correlation": {
                "points": self.agreement.points,
                "mse": self.agreement.mse,
                request.resource.value: self.agreement.cost,
            },
            "rank_correlation_alone": self.correlation_alone,
            "neighbours_measured": any(len(d.pairs.error) for d in self.model.divisions),
            "worst_prediction": {
                "psnr_to_float_db": self.agreement.worst_db,
                f"{request.resource.value}_share": self.agreement.worst_cost,
            },
        }

    def _front(self) -> Json:
        shown = SHOWN[self.request.resource]
        return {
            shown.key: _scaled(self.front.costs, shown.per_unit),
            "mse": _scaled(self.front.errors, UNITS_PER_SQUARED_CODE),
        }

    def _hypervolumes(self) -> Json:
        resource = self.request.resource
        ruler = Ruler(resource, self.base.cost(resource))
        shown = SHOWN[resource]
        return {
            "reference": {
                shown.key: ruler.reference_cost / shown.per_unit,
                "psnr_to_float_db": REFERENCE_DB,
            },
            "predicted_front": ruler.of_front(self.front),
            "predicted_random": ruler.of_random(self.model),
            "random_policies": RANDOM_POLICIES,
            "measured": ruler.of_figures([point.measured for point in self.points]),
            "measured_uniform": ruler.of_figures(
                [point.measured for point in self.of_origin(Origin.UNIFORM)]
            ),
        }

    def _certified(self, optimum: Certificate) -> Json:
        """The optimum; its value and the bound in the unit their keys say."""
        key, per_unit = "mse", UNITS_PER_SQUARED_CODE
        if optimum.minimized is not None:
            key, per_unit = SHOWN[optimum.minimized].key, SHOWN[optimum.minimized].per_unit
        measured = [point.measured for point in self.points if point.bits == optimum.bits]
        return {
            "minimized": minimized_word(optimum.minimized),
            "bits": {layer: str(bits) for layer, bits in optimum.bits.items()},
            "policy": self.request.policy(optimum.bits).to_yaml(),
            f"predicted_{key}": optimum.value / per_unit,
            f"lower_bound_{key}": optimum.bound / per_unit,
            "gap": optimum.gap,
            "predicted": figures_json(optimum.predicted),
            "measured": figures_json(measured[0]) if measured else None,
        }


def minimized_word(resource: Resource | None) -> str:
    """What is minimized; None is the error."""
    return "error" if resource is None else resource.value


def figures_json(figures: Figures) -> Json:
    """A policy's figures as plain JSON values; null for infinite decibels."""
    psnr_db = figures.psnr_db
    return {
        "mse": figures.mse,
        "psnr_to_float_db": None if math.isinf(psnr_db) else psnr_db,
        "energy_uj": figures.energy_uj,
        "cycles": figures.cycles,
        "dram_bytes": figures.dram_bytes,
        "sram_bytes": figures.sram_bytes,
    }


def _scaled(units: Any, per_unit: int) -> Any:
    return units.tolist() if per_unit == 1 else (units / per_unit).tolist()
