"""The additive model of a network: tables in, predicted policies and their exact front out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.cost_table import CostTable
from hwsim.search.measurement import Figures
from hwsim.search.pareto import Choices, Front, Integers, bottleneck_front, pareto_front
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE, QualityTable
from hwsim.search.resource import Resource
from quant.common.errors import UserError
from quant.policy import LayerBits

Indices = NDArray[np.intp]
Group = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AdditiveModel:
    """Error and cost of any policy as the base plus one table entry per layer.

    Attributes:
        layers: names of the convolutions, first to last.
        choices: what each layer may have.
        groups: positions of layers that have the same bits as one another, each layer once.
        quality: error each choice adds.
        cost: cost each choice changes.
    """

    layers: tuple[str, ...]
    choices: tuple[LayerBits, ...]
    groups: tuple[Group, ...]
    quality: QualityTable
    cost: CostTable

    def usable(self, most_sram_bytes: int | None = None) -> list[Indices]:
        """For each group, the choices that all its layers may have, within so much SRAM."""
        may = self.cost.available
        if most_sram_bytes is not None:
            may = may & (self.cost.sram <= most_sram_bytes)
        return [np.flatnonzero(may[list(group)].all(axis=0)) for group in self.groups]

    def check_choices(self) -> None:
        """See that every group of layers has something to choose from.

        Raises:
            UserError: one has not.
        """
        for group, choices in zip(self.groups, self.usable(), strict=True):
            if not len(choices):
                names = ", ".join(self.layers[layer] for layer in group)
                raise UserError(
                    f"bit search: expected room for some of the bits that {names} may have, found "
                    "it for none; allow narrower widths or take a larger machine"
                )

    def errors(self, usable: Sequence[Indices]) -> list[Integers]:
        """For each group, the error each usable choice adds, in `UNITS_PER_SQUARED_CODE`."""
        return self._sums(self.quality.increase, usable)

    def costs(self, resource: Resource, usable: Sequence[Indices]) -> list[Integers]:
        """For each group, what each usable choice changes; of SRAM, what it needs."""
        if resource is not Resource.SRAM:
            return self._sums(self.cost.change[resource], usable)
        return [
            self.cost.sram[list(group)][:, choices].max(axis=0)
            for group, choices in zip(self.groups, usable, strict=True)
        ]

    def front(self, resource: Resource) -> "PredictedFront":
        """The exact Pareto front of predicted error and predicted cost.

        Raises:
            UserError: a layer has nothing to choose from, or the front is too large to compute.
        """
        self.check_choices()
        usable = self.usable()
        pairs = zip(self.errors(usable), self.costs(resource, usable), strict=True)
        choices_of = [Choices(*pair) for pair in pairs]
        if resource is Resource.SRAM:
            solved = bottleneck_front(choices_of, self.cost.other_sram)
            return PredictedFront(self, usable, solved, 0)
        return PredictedFront(self, usable, pareto_front(choices_of), self.cost.base[resource])

    def predict(self, bits: Mapping[str, LayerBits]) -> Figures | None:
        """What the tables say of a policy; None if it uses bits they have no entry for."""
        known = {chosen: position for position, chosen in enumerate(self.choices)}
        if any(chosen not in known for chosen in bits.values()):
            return None
        entries = tuple(range(len(self.layers))), tuple(known[bits[name]] for name in self.layers)
        if not self.cost.available[entries].all():
            return None

        def total(resource: Resource) -> int:
            return self.cost.base[resource] + int(self.cost.change[resource][entries].sum())

        error = self.quality.base + int(self.quality.increase[entries].sum())
        return Figures(
            error / UNITS_PER_SQUARED_CODE,
            total(Resource.ENERGY),
            total(Resource.LATENCY),
            total(Resource.DRAM),
            max(self.cost.other_sram, int(self.cost.sram[entries].max())),
        )

    def permits(self, bits: Mapping[str, LayerBits]) -> bool:
        """Whether every layer has bits it may choose, and tied ones the same."""
        names = [[self.layers[layer] for layer in group] for group in self.groups]
        alike = all(len({bits[name] for name in group}) == 1 for group in names)
        return alike and self.predict(bits) is not None

    def bits_of(self, usable: Sequence[Indices], picks: Sequence[int]) -> dict[str, LayerBits]:
        """The bits of each layer when each group takes one of its usable choices."""
        chosen = {
            layer: self.choices[choices[pick]]
            for group, choices, pick in zip(self.groups, usable, picks, strict=True)
            for layer in group
        }
        return {name: chosen[layer] for layer, name in enumerate(self.layers)}

    def _sums(self, table: Integers, usable: Sequence[Indices]) -> list[Integers]:
        return [
            table[list(group)][:, choices].sum(axis=0)
            for group, choices in zip(self.groups, usable, strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class PredictedFront:
    """The front of an additive model, cheapest and worst point first.

    Attributes:
        model: whose front it is.
        usable: for each group of layers, the choices the solver was given.
        solved: the front, errors in differences from the base.
        base_cost: what the solver's costs are differences from.
    """

    model: AdditiveModel
    usable: Sequence[Indices]
    solved: Front
    base_cost: int

    def __len__(self) -> int:
        return len(self.solved)

    @property
    def errors(self) -> Integers:
        """int64 [points]: predicted error in units of `UNITS_PER_SQUARED_CODE`, falling."""
        return self.solved.errors + self.model.quality.base

    @property
    def costs(self) -> Integers:
        """int64 [points]: predicted femtojoules, cycles or bytes, rising."""
        return self.solved.costs + self.base_cost

    def bits(self, point: int) -> dict[str, LayerBits]:
        """The bits of each layer at a point."""
        return self.model.bits_of(self.usable, self.solved.choices(point))
