"""The surface of what the tables predict: error against several costs at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.additive import AdditiveModel, Columns
from hwsim.search.cost_table import SUMMED
from hwsim.search.divided import DividedModel
from hwsim.search.dominance import undominated_points
from hwsim.search.pairs import Indices
from hwsim.search.pareto import Integers
from hwsim.search.resource import Resource
from hwsim.search.surface import MAXIMUM_COMPARED, pareto_surface
from quant.common.errors import UserError
from quant.policy import LayerBits

SRAM_AMOUNTS = 8
"""How many amounts of SRAM a surface is computed for, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictedSurface:
    """Policies of which, by the tables, none equals or beats another in every respect.

    Attributes:
        model: the tables.
        resources: the costs that count beside the error. SRAM counts in steps of the amounts tried.
        columns: intp [points, layers], the choice of each layer.
        figures: int64 [points, 1 + resources], predicted: the error in units of
            `UNITS_PER_SQUARED_CODE`, then femtojoules, cycles or bytes.
        exact: whether these are all such policies. Else some are missing: partial policies were
            trimmed, or not every amount of SRAM was tried, or there are several divisions, or one
            in which not every policy finds room.
    """

    model: DividedModel
    resources: tuple[Resource, ...]
    columns: Columns
    figures: Integers
    exact: bool

    def __len__(self) -> int:
        return len(self.figures)

    def bits(self, point: int) -> dict[str, LayerBits]:
        """The bits of each layer at a point."""
        return self.model.bits_of(self.columns[point])


def predicted_surface(
    model: DividedModel,
    resources: Sequence[Resource],
    sram_amounts: int = SRAM_AMOUNTS,
    maximum_compared: int = MAXIMUM_COMPARED,
) -> PredictedSurface:
    """The Pareto surface of predicted error and predicted costs.

    The surface of the sums is computed in each division. SRAM is a maximum, not a sum: with it the
    surface is computed for several amounts, each time of the choices within, and a policy stays if
    it is better in another respect than all that need a lesser amount.

    Args:
        model: the tables.
        resources: the costs, each once; one that is a sum at least.
        sram_amounts: for how many amounts of SRAM at most, if it is among the costs.
        maximum_compared: as in `pareto_surface`.

    Raises:
        UserError: a layer has nothing to choose from, or no policy finds room.
    """
    model.require_choices()
    summed = tuple(resource for resource in resources if resource in SUMMED)
    amounts, exact = list[int](), len(model.divisions) == 1
    if Resource.SRAM in resources:
        amounts, are_all = _amounts(model, sram_amounts)
        exact &= are_all and not len(model.cost.rooms.center)
    found = []
    for division in model.divisions:
        for most_sram_bytes in (*amounts, None):
            solved = _solved(division, summed, most_sram_bytes, maximum_compared)
            if solved is not None:
                found.append(solved[0])
                exact &= solved[1]
    if not found:
        raise _no_room()
    columns = np.unique(np.concatenate(found), axis=0)
    costs = (*summed, Resource.SRAM)
    figures, fits = model.figures_of(columns, costs)
    exact &= bool(fits.all())
    if not fits.any():
        columns = model.ends(resources)
        figures, fits = model.figures_of(columns, costs)
    columns, figures = columns[fits], figures[fits]
    kept = _undominated(figures, amounts)
    order = [0, *(1 + costs.index(resource) for resource in resources)]
    return PredictedSurface(
        model,
        tuple(resources),
        columns[kept],
        figures[kept][:, order],
        exact,
    )


def _no_room() -> UserError:
    return UserError(
        "bit search: expected room for a policy on the surface, found it for none; allow narrower "
        "widths or take a larger machine"
    )


def _solved(
    model: AdditiveModel,
    summed: tuple[Resource, ...],
    most_sram_bytes: int | None,
    maximum_compared: int,
) -> tuple[Columns, bool] | None:
    """The policies on the surface of the sums, within so much SRAM, and whether it is exact."""
    usable = _usable(model, most_sram_bytes)
    if not all(map(len, usable)):
        return None
    sums = [model.errors(usable), *(model.costs(resource, usable) for resource in summed)]
    layers = [np.stack(of_layer, axis=1) for of_layer in zip(*sums, strict=True)]
    links = model.links((None, *summed), usable)
    surface = pareto_surface(layers, links, maximum_compared)
    picks = surface.choices().astype(np.intp)
    return model.columns_of(usable, list(picks.T)), surface.exact


def _usable(model: AdditiveModel, most_sram_bytes: int | None) -> list[Indices]:
    """For each group the choices within an amount of SRAM if all others take least of it.

    Args:
        model: the tables of a division.
        most_sram_bytes: the amount; None: what the machine has.
    """
    usable = model.usable(most_sram_bytes)
    if not all(map(len, usable)):
        return usable
    fitting = [np.ones(len(choices), np.bool_) for choices in usable]
    for demands, left in model.demands(usable, most_sram_bytes):
        least = sum(int(demand.min()) for demand in demands)
        for fits, demand in zip(fitting, demands, strict=True):
            fits &= demand - demand.min() + least <= left
    return [choices[fits] for choices, fits in zip(usable, fitting, strict=True)]


def _amounts(model: DividedModel, most: int) -> tuple[list[int], bool]:
    """Rising amounts of SRAM to try, and whether these are all that choices need."""
    needed = [
        np.maximum(table.sram[table.available], table.other_sram)
        for table in (division.cost for division in model.divisions)
    ]
    occurring = np.unique(np.concatenate(needed))
    spread = np.unique(np.linspace(len(occurring) - 1, 0, most).round().astype(int))
    return [int(amount) for amount in occurring[spread]], len(spread) == len(occurring)


def _undominated(figures: Integers, amounts: Sequence[int]) -> NDArray[np.intp]:
    """The policies that none with a lesser or the same amount of SRAM equals or beats.

    Args:
        figures: [policies, objectives], SRAM last; without amounts it does not count.
        amounts: rising.
    """
    sums, steps = figures[:, :-1], np.searchsorted(amounts, figures[:, -1])
    kept = np.empty(0, np.intp)
    for step in np.unique(steps) if amounts else (0,):
        own = np.flatnonzero(steps == step)
        survivors = undominated_points(sums[np.concatenate([kept, own])])
        new = np.sort(survivors[survivors >= len(kept)]) - len(kept)
        kept = np.concatenate([kept, own[new]])
    return kept
