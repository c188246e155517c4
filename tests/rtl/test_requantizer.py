"""The requantizer in every integer mode: codes of the reference, three cycles behind their sums."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.verilator import VerilatorSimulation
from quant.common.requantization_modes import PRIMITIVE_MODES
from tests.rtl.requantizers import (
    INTEGER_MODES,
    OUTPUTS,
    Cases,
    extreme_cases,
    random_cases,
    requantizer,
)
from tests.rtl.tools import ICARUS, VERILATOR, needs
from tests.rtl.units import Simulator, check_clean, integers, job_for, side_by_side

REQUANTIZERS = {
    (mode, first): requantizer(mode, first) for mode in INTEGER_MODES for first in (0, 1)
}


def check(
    simulator: Simulator, folder: Path, cases: Mapping[tuple[str, int], Cases]
) -> None:
    design = side_by_side(list(REQUANTIZERS.values()), folder)
    named = {REQUANTIZERS[variant]: given for variant, given in cases.items()}
    streams = {unit.name: given.words for unit, given in named.items()}
    wanted = {unit.result.name: len(given.wanted) for unit, given in named.items()}
    outcome = simulator(design).run(job_for(design, streams, wanted))
    check_clean(outcome)
    for unit, given in named.items():
        found = integers(OUTPUTS, outcome.outputs[unit.result.name], "code")[:, 0]
        np.testing.assert_array_equal(found, given.wanted, unit.name)
        cycles = outcome.cycles[unit.result.name]
        np.testing.assert_array_equal(cycles, np.arange(len(given.wanted)) + 3)


@needs(*VERILATOR)
def test_every_mode_in_verilator(tmp_path: Path) -> None:
    check(VerilatorSimulation, tmp_path, {given: random_cases(*given, 1200) for given in REQUANTIZERS})


@needs(*ICARUS)
def test_every_mode_in_icarus(tmp_path: Path) -> None:
    check(IcarusSimulation, tmp_path, {given: random_cases(*given, 256) for given in REQUANTIZERS})


@needs(*VERILATOR)
def test_products_beyond_62_bits(tmp_path: Path) -> None:
    primitive = [given for given in REQUANTIZERS if given[0] in PRIMITIVE_MODES]
    check(VerilatorSimulation, tmp_path, {given: extreme_cases(*given, 1000) for given in primitive})


@pytest.mark.parametrize("mode", INTEGER_MODES)
def test_vectors_spread(mode: str) -> None:
    cases = random_cases(mode, 0, 1200)
    low, high = cases.columns["low"], cases.columns["high"]
    assert ((cases.wanted > low) & (cases.wanted < high)).mean() > 0.4
    assert len(np.unique(cases.wanted)) > 200
    assert (cases.wanted == low).any() and (cases.wanted == high).any()
