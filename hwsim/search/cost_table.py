"""How much each choice of each layer changes the cost of the whole network.

Every entry is a difference between two estimates of the whole graph, one layer changed. Adding
differences up is exact for what a layer does by itself (its multiplications, its weights, its
leakage at unchanged cycles); it is approximate where neighbours share something: the tensor
between two layers, tiles that no longer fit or now do, units that wait for one another. That is
why chosen points are estimated for real, and both figures are shown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.request import Objective
from hwsim.search.survey import Survey


@dataclass(frozen=True, slots=True, eq=False)
class CostTable:
    """Change of cost with each choice, from the base.

    Attributes:
        base: cost of the base, by objective: femtojoules, cycles.
        change: int64 [layers, choices] by objective; 0 where a choice is not available.
        available: bool [layers, choices], false where the machine has no room.
    """

    base: dict[Objective, int]
    change: dict[Objective, NDArray[np.int64]]
    available: NDArray[np.bool_]


def cost_table(survey: Survey) -> CostTable:
    """The changes of cost a survey found."""
    base = {
        Objective.ENERGY: survey.base.energy_fj,
        Objective.CYCLES: survey.base.cycles,
    }
    shape = (len(survey.layers), len(survey.choices))
    change = {objective: np.zeros(shape, np.int64) for objective in Objective}
    available = np.zeros(shape, np.bool_)
    for layer, changes in enumerate(survey.changed):
        for choice, measured in enumerate(changes):
            if measured is None:
                continue
            available[layer, choice] = True
            change[Objective.ENERGY][layer, choice] = measured.energy_fj - survey.base.energy_fj
            change[Objective.CYCLES][layer, choice] = measured.cycles - survey.base.cycles
    return CostTable(base, change, available)
