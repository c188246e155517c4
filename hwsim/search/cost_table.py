"""How much each choice of each layer changes the cost of the whole network.

Every entry is a difference between two estimates of the whole graph, one layer changed. Adding
differences up is exact for what a layer does by itself (its multiplications, its weights, its
leakage at unchanged cycles); it is approximate where neighbours share something: the tensor
between two layers, tiles that no longer fit or now do, units that wait for one another. That is
why chosen points are estimated for real, and both figures are shown.

SRAM does not add: the network needs what its largest cascade needs. Its table has what the cascade
of each layer occupies; a policy is predicted to need the largest entry, which is too much where
several layers of that cascade get narrower together, and too little where they get wider.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.measurement import Measurement
from hwsim.search.resource import Resource
from hwsim.search.survey import Survey

SUMMED = (Resource.ENERGY, Resource.LATENCY, Resource.DRAM)
"""Costs of which layers' shares are added; SRAM is used again by the next cascade."""


@dataclass(frozen=True, slots=True, eq=False)
class CostTable:
    """Change of cost with each choice, from the base.

    Attributes:
        base: cost of the base, by resource: femtojoules, cycles, bytes.
        change: int64 [layers, choices] for each of `SUMMED`; 0 where a choice is not available.
        sram: int64 [layers, choices], bytes of SRAM of the cascade the layer runs in, its
            neighbours there at the base; 0 where a choice is not available.
        other_sram: bytes of SRAM of the largest cascade without a convolution.
        available: bool [layers, choices], false where the machine has no room or a rule forbids.
    """

    base: dict[Resource, int]
    change: dict[Resource, NDArray[np.int64]]
    sram: NDArray[np.int64]
    other_sram: int
    available: NDArray[np.bool_]


def cost_table(survey: Survey) -> CostTable:
    """The changes of cost a survey found."""
    available = np.array([[change is not None for change in row] for row in survey.changed])
    change = {
        resource: np.array(
            [
                [_difference(change, survey.base, resource) for change in row]
                for row in survey.changed
            ],
            np.int64,
        )
        for resource in SUMMED
    }
    sram = np.array(
        [
            [0 if change is None else change.layer_sram_bytes[layer] for change in row]
            for layer, row in enumerate(survey.changed)
        ],
        np.int64,
    )
    base = {resource: survey.base.cost(resource) for resource in Resource}
    return CostTable(base, change, sram, survey.base.other_sram_bytes, available)


def _difference(changed: Measurement | None, base: Measurement, resource: Resource) -> int:
    return 0 if changed is None else changed.cost(resource) - base.cost(resource)
