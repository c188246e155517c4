"""The additive model of a network over all known ways to divide it into cascades.

Costs add within one division (`CostTable`), and jump from one to another: narrower layers let more
of them run together. So there is a table for each division that is known, and of those in which a
policy finds room, the one counts that the scheduler would prefer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hwsim.search.additive import AdditiveModel, Columns
from hwsim.search.certified import Bounds, Certificate, certified_optimum
from hwsim.search.cost_table import CostTable
from hwsim.search.measurement import Figures
from hwsim.search.no_policy import NoPolicyError
from hwsim.search.pairs import Indices, PairTables
from hwsim.search.pareto import Integers, undominated
from hwsim.search.quality_table import QualityTable
from hwsim.search.resource import Resource
from hwsim.search.rules import Group
from quant.policy import LayerBits


@dataclass(frozen=True, slots=True, eq=False)
class DividedModel:
    """Error and cost of any policy, by the division that the scheduler would prefer for it.

    Attributes:
        divisions: a model for each known division, that of the base first; they differ in costs.
    """

    divisions: tuple[AdditiveModel, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the convolutions, first to last."""
        return self.divisions[0].layers

    @property
    def choices(self) -> tuple[LayerBits, ...]:
        """What each layer may have."""
        return self.divisions[0].choices

    @property
    def groups(self) -> tuple[Group, ...]:
        """Positions of layers that have the same bits as one another."""
        return self.divisions[0].groups

    @property
    def quality(self) -> QualityTable:
        """The error each choice adds."""
        return self.divisions[0].quality

    @property
    def cost(self) -> CostTable:
        """The costs in the division of the base."""
        return self.divisions[0].cost

    def knows(self, parts: tuple[tuple[str, ...], ...]) -> bool:
        """Whether there is a table for a division (`CostTable.parts`)."""
        return any(model.cost.parts == parts for model in self.divisions)

    def with_costs(self, table: CostTable) -> "DividedModel":
        """The model with one table more, which has no pairs of costs: they are of a division."""
        first = self.divisions[0]
        pairs = replace(first.pairs, cost={})
        return replace(self, divisions=(*self.divisions, replace(first, cost=table, pairs=pairs)))

    def with_error_pairs(self, tables: PairTables) -> "DividedModel":
        """The model with what neighbours' choices add together to the error."""
        return replace(
            self,
            divisions=tuple(
                replace(model, pairs=replace(model.pairs, error=tables)) for model in self.divisions
            ),
        )

    def predict(self, bits: Mapping[str, LayerBits]) -> Figures | None:
        """What the tables say of a policy; None if it uses bits they have no entry for."""
        if any(chosen not in self.choices for chosen in bits.values()):
            return None
        columns = self.policy_of(bits)
        division = int(self._preferred(columns)[0])
        return None if division < 0 else self.divisions[division].figures(columns)

    def permits(self, bits: Mapping[str, LayerBits]) -> bool:
        """Whether every layer has bits it may choose, and tied ones the same."""
        names = [[self.layers[layer] for layer in group] for group in self.groups]
        alike = all(len({bits[name] for name in group}) == 1 for group in names)
        return alike and self.predict(bits) is not None

    def front(self, resource: Resource) -> "PredictedFront":
        """The Pareto front of predicted error and predicted cost.

        Of the exact fronts of each division, what is best of all. Exact where there is one
        division and every policy finds room in it; else a policy may be missed that is on no
        division's own front because a cheaper one, which finds no room, dominates it there.

        Raises:
            NoPolicyError: a layer has nothing to choose from, or no policy finds room.
            UserError: a front is too large to compute.
        """
        self.require_choices()
        fronts = np.concatenate([model.front(resource) for model in self.divisions])
        figures, fits = self.figures_of(fronts, (resource,))
        if not fits.any():
            fronts = self.ends((resource,))
            figures, fits = self.figures_of(fronts, (resource,))
        found, (errors, costs) = fronts[fits], figures[fits].T
        best = undominated(errors, costs)
        return PredictedFront(self, found[best], errors[best], costs[best])

    def ends(self, resources: Sequence[Resource]) -> Columns:
        """The policies with room that are best in one respect: the error, or a cost.

        Args:
            resources: the costs.

        Returns:
            intp [policies, layers], the choice of each layer.

        Raises:
            NoPolicyError: no policy finds room.
        """
        optima = [self.optimum(aim, Bounds({}, None)) for aim in (None, *resources)]
        best = [self.policy_of(optimum.bits) for optimum in optima if optimum is not None]
        if not best:
            raise NoPolicyError(
                "bit search: expected room for a policy, found it for none; allow narrower widths "
                "or take a larger machine"
            )
        return np.unique(np.concatenate(best), axis=0)

    def policy_of(self, bits: Mapping[str, LayerBits]) -> Columns:
        """A policy whose bits are all among the choices, as intp [1, layers]."""
        return np.array([[self.choices.index(bits[name]) for name in self.layers]], np.intp)

    def figures_of(
        self, columns: Columns, resources: Sequence[Resource]
    ) -> tuple[Integers, NDArray[np.bool_]]:
        """Predicted errors and costs of policies.

        Args:
            columns: intp [policies, layers], the choice of each layer.
            resources: the costs.

        Returns:
            int64 [policies, 1 + resources], the error in units of `UNITS_PER_SQUARED_CODE`, then
            femtojoules, cycles or bytes; and whether each policy finds room, without which its
            costs mean nothing.
        """
        preferred = self._preferred(columns)
        figures = np.zeros((len(columns), 1 + len(resources)), np.int64)
        figures[:, 0] = self.divisions[0].errors_of(columns)
        for number, model in enumerate(self.divisions):
            own = preferred == number
            for place, resource in enumerate(resources, 1):
                figures[own, place] = model.costs_of(resource, columns[own])
        return figures, preferred >= 0

    def bits_of(self, policy: NDArray[np.intp]) -> dict[str, LayerBits]:
        """The bits of each layer under a policy, intp [layers]."""
        names = zip(self.layers, policy, strict=True)
        return {name: self.choices[column] for name, column in names}

    def optimum(self, minimize: Resource | None, bounds: Bounds) -> Certificate | None:
        """The policy with the least predicted cost, or error, within limits, over all divisions.

        The scheduler may prefer another division for the best policy of one. Those count first
        that keep to the limits as they would be scheduled; the bound holds for all.

        Args:
            minimize: what is to be least; None: the error.
            bounds: the limits.

        Returns:
            The optimum; None where no table predicts a policy within the limits.

        Raises:
            UserError: the solver neither found a policy nor proved that there is none.
        """
        found = [certified_optimum(model, minimize, bounds) for model in self.divisions]
        certificates = [certificate for certificate in found if certificate is not None]
        if not certificates:
            return None
        bound = min(certificate.bound for certificate in certificates)
        agreed = [
            each for each in map(self._scheduled, certificates) if bounds.keeps(each.predicted)
        ]
        best = min(agreed or certificates, key=lambda certificate: certificate.value)
        return replace(best, bound=min(bound, best.value))

    def _scheduled(self, certificate: Certificate) -> Certificate:
        """A certificate with what its policy costs in the division that would be preferred."""
        predicted = self.predict(certificate.bits)
        if predicted is None:
            return certificate
        minimized, value = certificate.minimized, certificate.value
        if minimized is not None:
            value = predicted.cost(minimized)
        return replace(certificate, predicted=predicted, value=value)

    def usable(self) -> list[Indices]:
        """For each group, the choices that all its layers may have in some division."""
        may = np.any([model.cost.available for model in self.divisions], axis=0)
        return [np.flatnonzero(may[list(group)].all(axis=0)) for group in self.groups]

    def require_choices(self) -> None:
        """See that every group of layers has something to choose from.

        Raises:
            NoPolicyError: one has not.
        """
        for group, choices in zip(self.groups, self.usable(), strict=True):
            if not len(choices):
                names = ", ".join(self.layers[layer] for layer in group)
                raise NoPolicyError(
                    f"bit search: expected room for some of the bits that {names} may have, found "
                    "it for none; allow narrower widths or take a larger machine"
                )

    def _preferred(self, columns: Columns) -> NDArray[np.intp]:
        """The division each policy would be scheduled in; -1 where none has room for it.

        One whose table is right for it comes before all whose tables are only nearly right.
        """
        tables = [model.cost for model in self.divisions]
        ranks = np.array([table.ranks(columns) for table in tables])
        usable = np.array([table.is_right(columns) for table in tables])
        nowhere = np.flatnonzero(~usable.any(axis=0))
        for number, table in enumerate(tables):
            usable[number, nowhere] = table.is_nearly_right(columns[nowhere])
        best = np.argmin(np.where(usable, ranks, np.iinfo(np.int64).max), axis=0)
        return np.where(usable.any(axis=0), best, -1)


@dataclass(frozen=True, slots=True, eq=False)
class PredictedFront:
    """The front of a model, cheapest and worst point first.

    Attributes:
        model: whose front it is.
        columns: intp [points, layers], the choice of each layer.
        errors: int64 [points]: predicted error in units of `UNITS_PER_SQUARED_CODE`, falling.
        costs: int64 [points]: predicted femtojoules, cycles or bytes, rising.
    """

    model: DividedModel
    columns: Columns
    errors: Integers
    costs: Integers

    def __len__(self) -> int:
        return len(self.costs)

    def bits(self, point: int) -> dict[str, LayerBits]:
        """The bits of each layer at a point."""
        return self.model.bits_of(self.columns[point])
