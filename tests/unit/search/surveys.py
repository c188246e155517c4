"""Surveys written by hand, for tests of what is made of them."""

from collections.abc import Mapping

from hwsim.search.measurement import Measurement
from hwsim.search.survey import Survey
from quant.policy import LayerBits

W2A8, W8A8 = LayerBits(2, 8), LayerBits(8, 8)
LAYERS_AT_MOST = 8


def measurement(
    mse: float, energy_fj: int = 1000, cycles: int = 500, dram_bytes: int = 64, sram: int = 32
) -> Measurement:
    """A measurement in which every layer's cascade occupies the same SRAM."""
    return Measurement(
        mse, energy_fj, cycles, dram_bytes, sram, (sram,) * LAYERS_AT_MOST, other_sram_bytes=16
    )


BASE = measurement(1.0)


def survey_of(
    changed: Mapping[str, tuple[Measurement | None, ...]],
    choices: tuple[LayerBits, ...] = (W2A8, W8A8),
) -> Survey:
    return Survey(tuple(changed), choices, BASE, tuple(changed.values()))
