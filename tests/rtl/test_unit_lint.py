"""Verilator, Icarus and yosys accept the units in every mode without a word."""

import subprocess
from pathlib import Path

import pytest

from hwsim.verify.rtl.design import Design
from tests.rtl.requantizers import INTEGER_MODES, requantizer
from tests.rtl.small_units import REGISTERED, SMALL_UNITS
from tests.rtl.tools import needs
from tests.rtl.units import side_by_side
from tests.rtl.vector_checks import UNITS

YOSYS = "hierarchy -check -top {top}; proc; opt; check -assert"


def every_unit(folder: Path) -> Design:
    """All units, the requantizer in each mode, in one design."""
    requantizers = [requantizer(mode, first) for mode in INTEGER_MODES for first in (0, 1)]
    return side_by_side([*requantizers, *UNITS.values(), *SMALL_UNITS], folder, REGISTERED)


def commands(design: Design) -> dict[str, list[str]]:
    """How each program checks a design."""
    files, top = [str(source) for source in design.sources], design.top
    return {
        "verilator": ["--lint-only", "-Wall", "-Wno-DECLFILENAME", "--top-module", top, *files],
        "iverilog": ["-g2005", "-Wall", "-s", top, "-o", "/dev/null", *files],
        "yosys": ["-q", "-p", YOSYS.format(top=top), *files],
    }


@pytest.mark.parametrize(
    "program",
    [pytest.param(name, marks=needs(name)) for name in ("verilator", "iverilog", "yosys")],
)
def test_accepted_without_a_warning(program: str, tmp_path: Path) -> None:
    command = [program, *commands(every_unit(tmp_path))[program]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
