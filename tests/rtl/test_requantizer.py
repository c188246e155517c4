"""The requantizer in every integer mode: codes of the reference, three cycles behind their sums."""

from pathlib import Path

import numpy as np
import pytest

from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.verilator import VerilatorSimulation
from quant.common.requantization_modes import PRIMITIVE_MODES
from tests.rtl.requantizers import (
    INTEGER_MODES,
    check_requantizers,
    extreme_cases,
    random_cases,
)
from tests.rtl.tools import ICARUS, VERILATOR, needs
from tests.rtl.units import Simulator

VARIANTS = [(mode, first) for mode in INTEGER_MODES for first in (0, 1)]


@pytest.mark.parametrize(
    ("simulator", "count"),
    [
        pytest.param(VerilatorSimulation, 1200, marks=needs(*VERILATOR), id="verilator"),
        pytest.param(IcarusSimulation, 256, marks=needs(*ICARUS), id="icarus"),
    ],
)
def test_every_mode(simulator: Simulator, count: int, tmp_path: Path) -> None:
    cases = {variant: random_cases(*variant, count) for variant in VARIANTS}
    check_requantizers(simulator, VARIANTS, cases, tmp_path)


@needs(*VERILATOR)
def test_products_beyond_62_bits(tmp_path: Path) -> None:
    cases = {
        given: extreme_cases(*given, 1000) for given in VARIANTS if given[0] in PRIMITIVE_MODES
    }
    check_requantizers(VerilatorSimulation, VARIANTS, cases, tmp_path)


@pytest.mark.parametrize("mode", INTEGER_MODES)
def test_vectors_spread(mode: str) -> None:
    cases = random_cases(mode, 0, 1200)
    low, high = cases.columns["low"], cases.columns["high"]
    assert ((cases.wanted > low) & (cases.wanted < high)).mean() > 0.4
    assert len(np.unique(cases.wanted)) > 200
    assert (cases.wanted == low).any()
    assert (cases.wanted == high).any()
