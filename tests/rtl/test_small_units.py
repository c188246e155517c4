"""Statistics unit, normalizer, code table and term recoder, in both simulators."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.verilator import VerilatorSimulation
from tests.rtl import small_checks as checks
from tests.rtl.small_units import RECODERS
from tests.rtl.tools import ICARUS, VERILATOR, needs

CHECKS: dict[str, Callable[[checks.Place], None]] = {
    "summaries": checks.check_summaries,
    "joined summaries": checks.check_joined_summaries,
    "long sums": checks.check_long_sums,
    "idle lanes": checks.check_idle_lanes,
    "normalization page": checks.check_normalization_page,
    "table": checks.check_table,
    **{f"terms of {bits} bits": partial(checks.check_terms, bits=bits) for bits in RECODERS},
}


@needs(*VERILATOR)
@pytest.mark.parametrize("check", CHECKS)
def test_in_verilator(check: str, tmp_path: Path) -> None:
    CHECKS[check](checks.Place(VerilatorSimulation, tmp_path))


@needs(*ICARUS)
@pytest.mark.parametrize("check", CHECKS)
def test_in_icarus(check: str, tmp_path: Path) -> None:
    CHECKS[check](checks.Place(IcarusSimulation, tmp_path))


@needs(*VERILATOR)
def test_normalizations_in_verilator(tmp_path: Path) -> None:
    checks.check_normalizations(checks.Place(VerilatorSimulation, tmp_path), channels=1500)


@needs(*ICARUS)
def test_normalizations_in_icarus(tmp_path: Path) -> None:
    checks.check_normalizations(checks.Place(IcarusSimulation, tmp_path), channels=100)
