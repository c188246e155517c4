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

from hwsim.search.measurement import Measurement
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
    available = np.array([[change is not None for change in row] for row in survey.changed])
    change = {
        objective: np.array(
            [
                [_difference(change, survey.base, objective) for change in row]
                for row in survey.changed
            ],
            np.int64,
        )
        for objective in Objective
    }
    base = {objective: survey.base.cost(objective) for objective in Objective}
    return CostTable(base, change, available)


def _difference(changed: Measurement | None, base: Measurement, objective: Objective) -> int:
    return 0 if changed is None else changed.cost(objective) - base.cost(objective)
