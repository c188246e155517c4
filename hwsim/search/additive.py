"""The additive model of a network: tables in, predicted policies and their exact front out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.search.cost_table import CostTable
from hwsim.search.measurement import Figures
from hwsim.search.pareto import Choices, Front, Integers, pareto_front
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE, QualityTable
from hwsim.search.request import Objective
from quant.policy import LayerBits


@dataclass(frozen=True, slots=True, eq=False)
class AdditiveModel:
    """Error and cost of any policy as the base plus one table entry per layer.

    Attributes:
        layers: names of the convolutions, first to last.
        choices: what each layer may have.
        quality: error each choice adds.
        cost: cost each choice changes.
    """

    layers: tuple[str, ...]
    choices: tuple[LayerBits, ...]
    quality: QualityTable
    cost: CostTable

    def front(self, objective: Objective) -> "PredictedFront":
        """The exact Pareto front of predicted error and predicted cost.

        Raises:
            UserError: the front is too large to compute.
        """
        available = [np.flatnonzero(row) for row in self.cost.available]
        solved = pareto_front(
            [
                Choices(
                    self.quality.increase[layer, usable],
                    self.cost.change[objective][layer, usable],
                )
                for layer, usable in enumerate(available)
            ]
        )
        return PredictedFront(self, objective, available, solved)

    def predict(self, bits: Mapping[str, LayerBits]) -> Figures | None:
        """What the tables say of a policy; None if it uses bits they have no entry for."""
        known = {chosen: position for position, chosen in enumerate(self.choices)}
        if any(chosen not in known for chosen in bits.values()):
            return None
        entries = tuple(range(len(self.layers))), tuple(known[bits[name]] for name in self.layers)
        if not self.cost.available[entries].all():
            return None

        def total(objective: Objective) -> int:
            return self.cost.base[objective] + int(self.cost.change[objective][entries].sum())

        error = self.quality.base + int(self.quality.increase[entries].sum())
        return Figures(
            error / UNITS_PER_SQUARED_CODE, total(Objective.ENERGY), total(Objective.CYCLES)
        )


@dataclass(frozen=True, slots=True, eq=False)
class PredictedFront:
    """The front of an additive model, cheapest and worst point first.

    Attributes:
        model: whose front it is.
        objective: the cost on it.
        available: for each layer, the choices the solver was given.
        solved: the front in differences from the base.
    """

    model: AdditiveModel
    objective: Objective
    available: Sequence[np.ndarray[tuple[int], np.dtype[np.intp]]]
    solved: Front

    def __len__(self) -> int:
        return len(self.solved)

    @property
    def errors(self) -> Integers:
        """int64 [points]: predicted error in units of `UNITS_PER_SQUARED_CODE`, falling."""
        return self.solved.errors + self.model.quality.base

    @property
    def costs(self) -> Integers:
        """int64 [points]: predicted femtojoules or cycles, rising."""
        return self.solved.costs + self.model.cost.base[self.objective]

    def bits(self, point: int) -> dict[str, LayerBits]:
        """The bits of each layer at a point."""
        picks = zip(self.available, self.solved.choices(point), strict=True)
        chosen = [self.model.choices[usable[pick]] for usable, pick in picks]
        return dict(zip(self.model.layers, chosen, strict=True))
