"""The additive model of a network that is divided into cascades one way."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwsim.search.cost_table import CostTable
from hwsim.search.linked import linked_bottleneck_front, linked_front
from hwsim.search.measurement import Figures
from hwsim.search.pairs import (
    Indices,
    PairTables,
    PairTerms,
    between_groups,
    stacked,
    within_group,
)
from hwsim.search.pareto import Choices, Integers, bottleneck_front, pareto_front
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE, QualityTable
from hwsim.search.resource import Resource
from hwsim.search.rules import Group, of_layers
from hwsim.search.surface import Links
from quant.policy import LayerBits

Columns = NDArray[np.intp]
"""[policies, layers]: the choice of each layer."""


@dataclass(frozen=True, slots=True, eq=False)
class AdditiveModel:
    """Error and cost of any policy as the base plus one table entry per layer and pair.

    Attributes:
        layers: names of the convolutions, first to last.
        choices: what each layer may have.
        groups: positions of layers that have the same bits as one another, each layer once.
        quality: error each choice adds.
        cost: cost each choice changes.
        pairs: what choices of neighbours add together.
    """

    layers: tuple[str, ...]
    choices: tuple[LayerBits, ...]
    groups: tuple[Group, ...]
    quality: QualityTable
    cost: CostTable
    pairs: PairTerms = field(default_factory=PairTerms)

    def usable(self, most_sram_bytes: int | None = None) -> list[Indices]:
        """For each group, the choices that all its layers may have.

        Args:
            most_sram_bytes: what a layer that runs alone may occupy; for cascades see `demands`.
        """
        may = self.cost.available
        if most_sram_bytes is not None:
            may = may & (~self.cost.alone[:, None] | (self.cost.sram <= most_sram_bytes))
        return [np.flatnonzero(may[list(group)].all(axis=0)) for group in self.groups]

    def errors(self, usable: Sequence[Indices]) -> list[Integers]:
        """For each group, the error each usable choice adds, in `UNITS_PER_SQUARED_CODE`."""
        return self._sums(self.quality.increase, usable, self.pairs.error)

    def costs(self, resource: Resource, usable: Sequence[Indices]) -> list[Integers]:
        """For each group, what each usable choice changes; of SRAM, what it needs."""
        if resource is not Resource.SRAM:
            return self._sums(self.cost.change[resource], usable, self.pairs.of(resource))
        return [
            self.cost.sram[list(group)][:, choices].max(axis=0)
            for group, choices in zip(self.groups, usable, strict=True)
        ]

    def links(self, objectives: Sequence[Resource | None], usable: Sequence[Indices]) -> Links:
        """What usable choices of each group and of the next add together.

        Args:
            objectives: of what; None: the error.
            usable: for each group its choices.

        Returns:
            As `pareto_surface` takes them.

        Raises:
            UserError: a pair belongs to groups that are not neighbours.
        """
        return stacked([self.links_of(objective, usable) for objective in objectives])

    def links_of(
        self, objective: Resource | None, usable: Sequence[Indices]
    ) -> list[Integers | None]:
        """The same of one objective, without an axis for it."""
        return between_groups(self.pairs.of(objective), self.groups, usable, self.layers)

    def front(self, resource: Resource) -> Columns:
        """The policies on the exact front of error and cost, those that find room.

        Returns:
            intp [policies, layers], the choice of each layer.

        Raises:
            UserError: the front is too large to compute, or pairs are of groups that are not
                neighbours.
        """
        usable = self.usable()
        if not all(map(len, usable)):
            return np.empty((0, len(self.layers)), np.intp)
        pairs = zip(self.errors(usable), self.costs(resource, usable), strict=True)
        choices_of = [Choices(*pair) for pair in pairs]
        picks = self._front_picks(resource, choices_of, usable)
        columns = self.columns_of(usable, picks)
        return columns[self.cost.is_right(columns)]

    def _front_picks(
        self, resource: Resource, choices_of: Sequence[Choices], usable: Sequence[Indices]
    ) -> list[Indices]:
        floor = self.cost.other_sram
        if resource is Resource.SRAM:
            links = self.links((None,), usable)
            if any(link is not None for link in links):
                return linked_bottleneck_front(choices_of, links, floor)
            return bottleneck_front(choices_of, floor).picked()
        links = self.links((None, resource), usable)
        if any(link is not None for link in links):
            return linked_front(choices_of, links)
        return pareto_front(choices_of).picked()

    def errors_of(self, columns: Columns) -> Integers:
        """The error of each policy, in `UNITS_PER_SQUARED_CODE`."""
        layers = np.arange(columns.shape[1])
        sums: Integers = self.quality.increase[layers, columns].sum(axis=1)
        return self.quality.base + sums + self.pairs.totals(None, columns)

    def costs_of(self, resource: Resource, columns: Columns) -> Integers:
        """What policies cost that are divided so: femtojoules, cycles or bytes."""
        return self.cost.costs(resource, columns) + self.pairs.totals(resource, columns)

    def columns_of(self, usable: Sequence[Indices], picks: Sequence[Indices]) -> Columns:
        """The policies in which each group takes one of its usable choices.

        Args:
            usable: for each group the choices it was given.
            picks: for each group [policies], positions among them.
        """
        taken = [choices[picked] for choices, picked in zip(usable, picks, strict=True)]
        return of_layers(self.groups, taken)

    def figures(self, policy: Columns) -> Figures:
        """What the tables say of a policy that is divided so; ``policy`` is [1, layers]."""
        energy, cycles, dram, sram = (
            int(self.costs_of(resource, policy)[0])
            for resource in (Resource.ENERGY, Resource.LATENCY, Resource.DRAM, Resource.SRAM)
        )
        error = int(self.errors_of(policy)[0])
        return Figures(error / UNITS_PER_SQUARED_CODE, energy, cycles, dram, sram)

    def demands(
        self, usable: Sequence[Indices], most_sram_bytes: int | None = None
    ) -> list[tuple[list[Integers], int]]:
        """For each cascade the SRAM that each usable choice of each group needs, and what is left.

        Beyond what is needed at the center of the cost table.

        Args:
            usable: for each group, its choices.
            most_sram_bytes: what a cascade may occupy; None: what the machine has.
        """
        rooms = self.cost.rooms
        most = rooms.machine_bytes if most_sram_bytes is None else most_sram_bytes
        most = min(most, rooms.machine_bytes)
        return [
            (self._sums(demand, usable), most - int(center))
            for demand, center in zip(rooms.demand, rooms.center, strict=True)
        ]

    def _sums(
        self, table: Integers, usable: Sequence[Indices], pairs: PairTables | None = None
    ) -> list[Integers]:
        return [
            table[list(group)][:, choices].sum(axis=0) + within_group(pairs or {}, group, choices)
            for group, choices in zip(self.groups, usable, strict=True)
        ]
