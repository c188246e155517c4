"""Surveys written by hand, for tests of what is made of them."""

from collections.abc import Mapping

from hwsim.search.measurement import Measurement
from hwsim.search.survey import Survey
from quant.policy import LayerBits

W2A8, W8A8 = LayerBits(2, 8), LayerBits(8, 8)
BASE = Measurement(mse=1.0, energy_fj=1000, cycles=500, dram_bytes=64)


def measurement(mse: float, energy_fj: int = 1000, cycles: int = 500) -> Measurement:
    return Measurement(mse, energy_fj, cycles, 64)


def survey_of(
    changed: Mapping[str, tuple[Measurement | None, ...]],
    choices: tuple[LayerBits, ...] = (W2A8, W8A8),
) -> Survey:
    return Survey(tuple(changed), choices, BASE, tuple(changed.values()))
