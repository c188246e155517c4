"""Models with random tables, and every policy of them."""

from itertools import product

import numpy as np
from hypothesis import strategies as st

from hwsim.search.additive import AdditiveModel
from hwsim.search.cost_table import SUMMED, CostTable, Rooms
from hwsim.search.divided import DividedModel
from hwsim.search.measurement import Figures
from hwsim.search.pairs import PairTables, PairTerms
from hwsim.search.quality_table import QualityTable
from hwsim.search.resource import Resource
from quant.policy import LayerBits

LAYERS = ("head", "body", "tail", "up")
CHOICES = tuple(map(LayerBits.parse, ("w2a2", "w4a4", "w8a8")))
SHAPE = (len(LAYERS), len(CHOICES))
OTHER_SRAM = 20


def random_pairs(random: np.random.Generator, high: int, last: int) -> PairTerms:
    """Some terms of errors and costs for neighbours up to a layer."""

    def tables() -> PairTables:
        return {
            (first, first + 1): random.integers(-high, high, (len(CHOICES), len(CHOICES)))
            for first in range(last)
            if random.random() < 0.7
        }

    return PairTerms(tables(), {resource: tables() for resource in SUMMED[:2]})


@st.composite
def models(draw: st.DrawFn, cascades: bool = True) -> DividedModel:
    """A network whose first two layers run in one cascade, the third in another, the last alone.

    Without cascades all run alone. Half of them have pairs of neighbours.
    """
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    high = draw(st.sampled_from((4, 50, 10**9)))  # few values: many ties
    groups = draw(st.sampled_from((((0,), (1,), (2,), (3,)), ((0, 2), (1,), (3,)))))
    available = random.random(SHAPE) < 0.8
    available[:, -1] = True
    demand = np.zeros((2, *SHAPE), np.int64)
    demand[0, :2], demand[1, 2] = random.integers(-9, 10, (2, 3)), random.integers(-9, 10, 3)
    demand[:, :, -1] = 0
    count = 2 if cascades else 0
    rooms = Rooms(demand[:count], np.array([30, 40])[:count], 44)
    model = AdditiveModel(
        LAYERS,
        CHOICES,
        groups,
        QualityTable(high, random.integers(-high // 4, high, SHAPE), 0),
        CostTable(
            (("head", "body"), ("tail",), ("up",)) if cascades else tuple((n,) for n in LAYERS),
            dict.fromkeys(SUMMED, 10 * high) | {Resource.SRAM: 60},
            {resource: random.integers(-high, high, SHAPE) for resource in SUMMED},
            random.integers(1, 45, SHAPE),  # available is what the machine has room for
            np.array([not cascades, not cascades, not cascades, True]),
            OTHER_SRAM,
            available,
            rooms,
            rooms,
            0,
            np.zeros(SHAPE, np.int64),
        ),
        # With layers 0 and 2 tied, 2 and 3 are no neighbours any more.
        random_pairs(random, high, len(groups) - 1) if draw(st.booleans()) else PairTerms(),
    )
    return DividedModel((model,))


def every_policy(model: DividedModel) -> list[Figures]:
    """What the tables say of each policy that is permitted."""
    policies = (
        dict(zip(model.layers, picked, strict=True))
        for picked in product(model.choices, repeat=len(model.layers))
    )
    figures = [model.predict(bits) for bits in policies if model.permits(bits)]
    return [each for each in figures if each is not None]
