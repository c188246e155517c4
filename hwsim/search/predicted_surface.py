"""The surface of what the tables predict: error against several costs at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.additive import AdditiveModel
from hwsim.search.cost_table import SUMMED
from hwsim.search.dominance import undominated
from hwsim.search.measurement import Figures
from hwsim.search.pareto import Integers
from hwsim.search.resource import Resource
from hwsim.search.surface import MAXIMUM_COMPARED, pareto_surface
from quant.policy import LayerBits

SRAM_AMOUNTS = 8
"""How many amounts of SRAM a surface is computed for, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictedSurface:
    """Policies of which, by the tables, none equals or beats another in every respect.

    Attributes:
        model: the tables.
        resources: the costs that count beside the error.
        figures: int64 [points, 1 + resources], predicted: the error in units of
            `UNITS_PER_SQUARED_CODE`, then femtojoules, cycles or bytes.
        columns: int [points, layers], the choice of each layer as an index into the model's.
        exact: whether these are all such policies; else some were trimmed, or not every amount of
            SRAM was tried.
    """

    model: AdditiveModel
    resources: tuple[Resource, ...]
    figures: Integers
    columns: NDArray[np.intp]
    exact: bool

    def __len__(self) -> int:
        return len(self.figures)

    def bits(self, point: int) -> dict[str, LayerBits]:
        """The bits of each layer at a point."""
        names = zip(self.model.layers, self.columns[point], strict=True)
        return {name: self.model.choices[column] for name, column in names}

    def predicted(self, point: int) -> Figures:
        """All the tables say of a point."""
        figures = self.model.predict(self.bits(point))
        assert figures is not None, "the solver chooses among what has an entry"
        return figures


def predicted_surface(
    model: AdditiveModel,
    resources: Sequence[Resource],
    sram_amounts: int = SRAM_AMOUNTS,
    maximum_compared: int = MAXIMUM_COMPARED,
) -> PredictedSurface:
    """The Pareto surface of predicted error and predicted costs.

    SRAM is a maximum, not a sum. So the surface of the sums is computed for several amounts, each
    time of the choices within it; a policy with more SRAM stays if it is better in another respect
    than all with less.

    Args:
        model: the tables.
        resources: the costs, each once; one that is a sum at least.
        sram_amounts: for how many amounts of SRAM at most, the largest among them.
        maximum_compared: as in `pareto_surface`.

    Raises:
        UserError: a layer has nothing to choose from.
    """
    summed = tuple(resource for resource in resources if resource in SUMMED)
    model.check_choices()
    if Resource.SRAM not in resources:
        return _within(model, summed, None, maximum_compared)
    tried, are_all = _amounts(model, sram_amounts)
    levels = [_within(model, summed, amount, maximum_compared) for amount in tried]
    figures, columns = levels[0].figures, levels[0].columns
    for level in levels[1:]:
        survivors = undominated(np.concatenate([figures, level.figures]))
        new = np.sort(survivors[survivors >= len(figures)]) - len(figures)
        figures = np.concatenate([figures, level.figures[new]])
        columns = np.concatenate([columns, level.columns[new]])
    layers = np.arange(len(model.layers))
    sram = np.maximum(model.cost.sram[layers, columns].max(axis=1), model.cost.other_sram)
    in_order = {resource: figures[:, 1 + place] for place, resource in enumerate(summed)}
    in_order[Resource.SRAM] = sram
    return PredictedSurface(
        model,
        tuple(resources),
        np.stack([figures[:, 0], *(in_order[resource] for resource in resources)], axis=1),
        columns,
        are_all and all(level.exact for level in levels),
    )


def _within(
    model: AdditiveModel,
    summed: tuple[Resource, ...],
    most_sram_bytes: int | None,
    maximum_compared: int,
) -> PredictedSurface:
    """The surface of the sums alone, within so much SRAM."""
    usable = model.usable(most_sram_bytes)
    sums = [model.errors(usable), *(model.costs(resource, usable) for resource in summed)]
    layers = [np.stack(of_layer, axis=1) for of_layer in zip(*sums, strict=True)]
    solved = pareto_surface(layers, maximum_compared=maximum_compared)
    base = [model.quality.base, *(model.cost.base[resource] for resource in summed)]
    columns = np.empty((len(solved), len(model.layers)), np.intp)
    picks = solved.choices()
    for place, (group, choices) in enumerate(zip(model.groups, usable, strict=True)):
        columns[:, list(group)] = choices[picks[:, place]][:, None]
    return PredictedSurface(model, summed, solved.sums + base, columns, solved.exact)


def _amounts(model: AdditiveModel, most: int) -> tuple[list[int], bool]:
    """Rising amounts of SRAM that leave every layer a choice, and whether these are all."""
    occurring = np.unique(np.maximum(model.cost.sram[model.cost.available], model.cost.other_sram))
    enough = [
        int(amount)
        for amount in occurring
        if all(len(choices) for choices in model.usable(int(amount)))
    ]
    spread = np.unique(np.linspace(len(enough) - 1, 0, most).round().astype(int))
    return [enough[place] for place in spread], len(spread) == len(enough)
