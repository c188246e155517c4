"""The vector unit: integers of the reference, in the cycles of the cost model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.verilator import VerilatorSimulation
from hwsim.verify.stepped import stepped_addition
from tests.rtl import vector_units as vectors
from tests.rtl.tools import ICARUS, VERILATOR, needs
from tests.rtl.units import Simulator, job_for, side_by_side
from tests.rtl.vector_checks import UNITS, check_operations, run_operations
from tests.rtl.vector_operations import OPERATIONS, Operation
from tests.rtl.vector_units import LANES, Elements


@needs(*VERILATOR)
def test_operations_in_verilator(tmp_path: Path) -> None:
    check_operations(VerilatorSimulation, tmp_path, (500, 1, 2, 4, 5, 6, 7, 8, 9, 10))


@needs(*ICARUS)
def test_operations_in_icarus(tmp_path: Path) -> None:
    check_operations(IcarusSimulation, tmp_path, (1, 5, 7, 30))


def additions(random: np.random.Generator) -> list[tuple[Operation, int]]:
    """Rescaled additions of several sizes, as the stepped model computes them, with its cycles."""
    found = []
    for count in (1, 3, 4, 5, 8, 31, 1000):
        first, second = random.integers(-128, 128, (2, count))
        multipliers = random.integers(2**29, 2**31, 2)
        shifts = random.integers(29, 33, 2)
        zeros = random.integers(-128, 128, 2)
        scale = [
            zeros[0],
            multipliers[0],
            shifts[0],
            zeros[1],
            multipliers[1],
            shifts[1],
            5,
            -128,
            127,
        ]
        wanted, cycles = stepped_addition(first, second, np.array(scale), LANES)
        rows = {
            "kind": vectors.ADD,
            "first": first,
            "second": second,
            "zero_point": 5,
            "low": -128,
            "high": 127,
        }
        for place, side in enumerate(("first", "second")):
            rows[f"{side}_offset"] = int(zeros[place])
            rows[f"{side}_multiplier"] = int(multipliers[place])
            rows[f"{side}_shift"] = int(shifts[place])
        found.append(((Elements((rows,), count), wanted), cycles))
    return found


@pytest.mark.parametrize(
    "simulator",
    [
        pytest.param(VerilatorSimulation, marks=needs(*VERILATOR), id="verilator"),
        pytest.param(IcarusSimulation, marks=needs(*ICARUS), id="icarus"),
    ],
)
def test_additions_of_the_stepped_model(simulator: Simulator, tmp_path: Path) -> None:
    given = additions(np.random.default_rng(2))
    unit = UNITS["half_up", 0]
    cycles = run_operations(simulator, tmp_path, [(unit, operation) for operation, _ in given])
    assert cycles == [wanted for _, wanted in given]


@needs(*VERILATOR)
def test_passes_with_pauses(tmp_path: Path) -> None:
    unit = UNITS["tflite_double", 0]
    design = side_by_side(list(UNITS.values()), tmp_path)
    elements, wanted = OPERATIONS["prelu"](np.random.default_rng(4), "tflite_double", 0, 200)
    job = job_for(design, {unit.name: elements.words}, {unit.result.name: elements.groups})
    outcome = VerilatorSimulation(design).run(replace(job, stall_seed=5))
    np.testing.assert_array_equal(elements.results(outcome, unit.result.name), wanted)
