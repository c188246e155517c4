"""Surveys and tables written by hand, for tests of what is made of them."""

from collections.abc import Mapping

import numpy as np

from hwsim.search.additive import AdditiveModel
from hwsim.search.cost_table import SUMMED, CostTable, Rooms
from hwsim.search.divided import DividedModel
from hwsim.search.measurement import Measurement
from hwsim.search.quality_table import quality_table
from hwsim.search.resource import Resource
from hwsim.search.survey import Survey
from quant.policy import LayerBits

W2A8, W8A8 = LayerBits(2, 8), LayerBits(8, 8)
LAYERS_AT_MOST = 8
OTHER_SRAM = 16


def measurement(
    mse: float, energy_fj: int = 1000, cycles: int = 500, dram_bytes: int = 64, sram: int = 32
) -> Measurement:
    """A measurement in which every layer's cascade occupies the same SRAM."""
    return Measurement(
        mse, energy_fj, cycles, dram_bytes, sram, (sram,) * LAYERS_AT_MOST, OTHER_SRAM
    )


BASE = measurement(1.0)

Changed = Mapping[str, tuple[Measurement | None, ...]]


def survey_of(changed: Changed, choices: tuple[LayerBits, ...] = (W2A8, W8A8)) -> Survey:
    """The errors of these measurements."""
    errors = [[np.nan if each is None else each.mse for each in row] for row in changed.values()]
    return Survey(choices, BASE.mse, np.array(errors))


def no_rooms(layers: int, choices: int) -> Rooms:
    """Of a network without cascades."""
    return Rooms(np.zeros((0, layers, choices), np.int64), np.zeros(0, np.int64), 1000)


def costs_of(changed: Changed) -> CostTable:
    """The costs of these measurements, every layer running alone."""
    rows = list(changed.values())
    shape = len(rows), len(rows[0])
    rooms = no_rooms(*shape)
    change = {
        resource: np.array(
            [
                [0 if each is None else each.cost(resource) - BASE.cost(resource) for each in row]
                for row in rows
            ],
            np.int64,
        )
        for resource in SUMMED
    }
    sram = [
        [0 if each is None else each.layer_sram_bytes[layer] for each in row]
        for layer, row in enumerate(rows)
    ]
    return CostTable(
        tuple((layer,) for layer in changed),
        {resource: BASE.cost(resource) for resource in Resource},
        change,
        np.array(sram, np.int64),
        np.ones(len(rows), np.bool_),
        BASE.other_sram_bytes,
        np.array([[each is not None for each in row] for row in rows]),
        rooms,
        rooms,
        BASE.cycles,
        change[Resource.LATENCY],
    )


def model_of(changed: Changed, choices: tuple[LayerBits, ...] = (W2A8, W8A8)) -> DividedModel:
    """The model of a network of which these measurements are all that is known."""
    groups = tuple((layer,) for layer in range(len(changed)))
    quality = quality_table(survey_of(changed, choices))
    return DividedModel(
        (AdditiveModel(tuple(changed), choices, groups, quality, costs_of(changed)),)
    )
