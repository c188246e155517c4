"""Both simulators do the same with the same design, and what is wrong with one is found."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.verify.rtl.comparison import Expected, compare
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.outcome import Job, Outcome, Simulation
from hwsim.verify.rtl.verilator import VerilatorSimulation
from hwsim.verify.rtl.words import pack
from tests.rtl.designs import ADDER, adder
from tests.rtl.tools import ICARUS, VERILATOR, needs

BITS, LANES, OFFSET = 5, 3, -2
Wide = NDArray[np.int64]

SIMULATORS = [
    pytest.param(VerilatorSimulation, marks=needs(*VERILATOR), id="verilator"),
    pytest.param(IcarusSimulation, marks=needs(*ICARUS), id="icarus"),
]


def operands(items: int, seed: int = 0) -> tuple[Wide, Wide]:
    a, b = np.random.default_rng(seed).integers(-16, 16, (2, items, LANES))
    return a, b


def job(a: Wide, b: Wide, stall_seed: int | None = None, limit: int = 10_000) -> Job:
    streams = {"a": pack(a, BITS), "b": pack(b, BITS)}
    return Job(streams, {"sum": len(a)}, limit, {"offset": OFFSET}, stall_seed)


def expected(a: Wide, b: Wide, cycles: Wide | None = None) -> dict[str, Expected]:
    return {"sum": Expected(a + b + OFFSET, BITS + 2, is_signed=True, cycles=cycles)}


def same(one: Outcome, other: Outcome) -> bool:
    return (
        one.taken == other.taken
        and one.unknown == other.unknown
        and one.simulated_cycles == other.simulated_cycles
        and all(np.array_equal(one.outputs[name], other.outputs[name]) for name in one.outputs)
        and all(np.array_equal(one.cycles[name], other.cycles[name]) for name in one.cycles)
    )


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_integers_and_cycles(simulator: type[Simulation], tmp_path: Path) -> None:
    a, b = operands(20)
    simulation = simulator(adder(tmp_path, PERIOD=3))  # type: ignore[call-arg]
    outcome = simulation.run(job(a, b))
    wanted = expected(a, b, 3 * np.arange(20) + 2)
    compared = compare(outcome, wanted, taken={"a": 20, "b": 20}, last_cycle=59)
    assert compared.first is None
    assert (compared.values, compared.mismatches) == (20 * LANES + 20 + 3, 0)


@needs(*VERILATOR, *ICARUS)
def test_both_simulators_do_the_same_whatever_stalls(tmp_path: Path) -> None:
    design = adder(tmp_path, PERIOD=2, OPERATION="subtract")
    jobs = [
        job(*operands(items, seed=items), stall_seed=seed)
        for items in (0, 1, 30)
        for seed in (None, 1, 2)
    ]
    pairs = zip(
        VerilatorSimulation(design).run_many(jobs),
        IcarusSimulation(design).run_many(jobs),
        strict=True,
    )
    assert all(same(one, other) for one, other in pairs)
    lasts = [outcome.last_cycle for outcome in VerilatorSimulation(design).run_many(jobs)[-3:]]
    assert len(set(lasts)) == 3  # stalls take effect


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_a_wrong_element_is_located(simulator: type[Simulation], tmp_path: Path) -> None:
    a, b = operands(20)
    wanted = expected(a, b)
    wanted["sum"].integers[7, 2] += 1
    compared = compare(simulator(adder(tmp_path)).run(job(a, b)), wanted)  # type: ignore[call-arg]
    right = int(wanted["sum"].integers[7, 2])
    assert compared.mismatches == 1
    assert compared.first is not None
    sentence = f"sum, item 7, element 2: found {right - 1} in cycle 9, expected {right}"
    assert compared.first.sentence == sentence


@needs(*ICARUS)
def test_unknown_bits_are_a_mismatch(tmp_path: Path) -> None:
    """A register that is read before anything was written to it."""
    text = ADDER.replace("kept + offset", "kept + offset + before")
    text = text.replace("reg [7:0] wait_cycles;", "reg before; reg [7:0] wait_cycles;")
    a, b = operands(3)
    outcome = IcarusSimulation(adder(tmp_path, text=text)).run(job(a, b))
    compared = compare(outcome, expected(a, b))
    assert compared.mismatches == a.size
    assert compared.first is not None
    assert compared.first.sentence.startswith(
        "sum, item 0, element 0: found unknown bits in cycle 2, expected "
    )
