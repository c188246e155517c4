"""The vector unit: integers of the reference, in the cycles of the cost model."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accelerators.vector_unit import WORK, elementwise_cycles, work_cycles
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.verilator import VerilatorSimulation
from hwsim.verify.stepped import stepped_addition
from tests.rtl import vector_units as vectors
from tests.rtl.tools import ICARUS, VERILATOR, needs
from tests.rtl.units import Simulator, Unit, check_clean, job_for, side_by_side
from tests.rtl.vector_operations import OPERATIONS, Operation
from tests.rtl.vector_units import LANES, Elements, vector_unit

UNITS = {
    (mode, first): vector_unit(mode, first)
    for mode, first in (("half_up", 0), ("tflite_double", 0), ("half_even", 1))
}


def run(simulator: Simulator, folder: Path, given: Iterable[tuple[Unit, Operation]]) -> list[int]:
    """The cycles of operations on units, all of whose integers are as wanted."""
    design = side_by_side(list(UNITS.values()), folder)
    pairs = list(given)
    jobs = []
    for unit, (elements, _) in pairs:
        streams = {unit.name: elements.words, f"{unit.name}_other": elements.table_words}
        jobs.append(job_for(design, streams, {unit.result.name: elements.lead + elements.groups}))
    cycles = []
    for (unit, (elements, wanted)), outcome in zip(
        pairs, simulator(design).run_many(jobs), strict=True
    ):
        check_clean(outcome)
        np.testing.assert_array_equal(elements.results(outcome, unit.result.name), wanted)
        cycles.append(int(outcome.cycles[unit.result.name][-1]) - elements.lead)
    return cycles


def operations(pixels: Iterable[int]) -> list[tuple[str, int, Unit, Operation]]:
    """Every operation that a unit's mode has, with its name and pixels."""
    random = np.random.default_rng(1)
    return [
        (name, count, unit, operation(random, *variant, count))
        for variant, unit in UNITS.items()
        for name, operation in OPERATIONS.items()
        if name != "add_rounded" or variant[0] == "tflite_double"
        for count in pixels
    ]


def check_operations(simulator: Simulator, folder: Path, pixels: Iterable[int]) -> None:
    """Integers are the reference's, cycles those of the cost model."""
    given = operations(pixels)
    cycles = run(simulator, folder, [(unit, operation) for _, _, unit, operation in given])
    for (name, count, unit, (elements, wanted)), found in zip(given, cycles, strict=True):
        what = f"{name} of {count} pixels in {unit.name}"
        if name == "add_rounded":  # the model takes it for one pass
            assert found == elementwise_cycles(LANES, elements.count, passes=2), what
        else:
            work = WORK[name.removesuffix("_equal_scales")]
            assert found == work_cycles(work, LANES, vectors.TABLES, elements.count), what
        if count > 100:
            assert len(np.unique(wanted)) > 60, what


@needs(*VERILATOR)
def test_operations_in_verilator(tmp_path: Path) -> None:
    check_operations(VerilatorSimulation, tmp_path, (350, 6, 7, 8, 9, 10))


@needs(*ICARUS)
def test_operations_in_icarus(tmp_path: Path) -> None:
    check_operations(IcarusSimulation, tmp_path, (7, 30))


def additions(random: np.random.Generator) -> list[tuple[Operation, int]]:
    """Rescaled additions of several sizes, as the stepped model computes them, with its cycles."""
    found = []
    for count in (1, 3, 4, 5, 8, 31, 1000):
        first, second = random.integers(-128, 128, (2, count))
        multipliers = random.integers(2**29, 2**31, 2)
        shifts = random.integers(29, 33, 2)
        zeros = random.integers(-128, 128, 2)
        scale = [zeros[0], multipliers[0], shifts[0], zeros[1], multipliers[1], shifts[1], 5, -128, 127]
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
    cycles = run(simulator, tmp_path, [(unit, operation) for operation, _ in given])
    assert cycles == [wanted for _, wanted in given]


@needs(*VERILATOR)
def test_passes_wait_for_those_before(tmp_path: Path) -> None:
    # Fewer than four groups cannot fill the pipeline: a second pass waits for the first.
    unit = UNITS["half_up", 0]
    random = np.random.default_rng(3)
    given = [OPERATIONS["multiply"](random, "half_up", 0, pixels) for pixels in (1, 2, 4)]
    groups = [elements.groups for elements, _ in given]
    cycles = run(VerilatorSimulation, tmp_path, [(unit, operation) for operation in given])
    assert groups == [1, 2, 3]
    assert cycles == [count + 7 for count in groups]


@needs(*VERILATOR)
def test_passes_with_pauses(tmp_path: Path) -> None:
    unit = UNITS["tflite_double", 0]
    design = side_by_side(list(UNITS.values()), tmp_path)
    elements, wanted = OPERATIONS["prelu"](np.random.default_rng(4), "tflite_double", 0, 200)
    job = job_for(design, {unit.name: elements.words}, {unit.result.name: elements.groups})
    outcome = VerilatorSimulation(design).run(replace(job, stall_seed=5))
    np.testing.assert_array_equal(elements.results(outcome, unit.result.name), wanted)
