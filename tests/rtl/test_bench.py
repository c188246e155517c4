"""Both simulators do the same with the same design, and what is wrong with one is found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.verify.rtl.comparison import Comparison, Expected, compare
from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.outcome import TRAILING_CYCLES, Job, Outcome, Simulation
from hwsim.verify.rtl.verilator import VerilatorSimulation
from hwsim.verify.rtl.words import pack, unpack
from quant.common.errors import UserError
from tests.rtl.designs import ADDER, adder, echo
from tests.rtl.tools import ICARUS, VERILATOR, needs

BITS, LANES, OFFSET = 5, 3, -2
Wide = NDArray[np.int64]
Simulate = Callable[[Design], Simulation]

in_each_simulator = pytest.mark.parametrize(
    "simulate",
    [
        pytest.param(VerilatorSimulation, marks=needs(*VERILATOR), id="verilator"),
        pytest.param(IcarusSimulation, marks=needs(*ICARUS), id="icarus"),
    ],
)


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


def sentence(comparison: Comparison) -> str:
    assert comparison.first is not None
    return comparison.first.sentence


@in_each_simulator
def test_integers_and_cycles(simulate: Simulate, tmp_path: Path) -> None:
    a, b = operands(20)
    outcome = simulate(adder(tmp_path, PERIOD=3)).run(job(a, b))
    wanted = expected(a, b, 3 * np.arange(20) + 2)
    compared = compare(outcome, wanted, taken={"a": 20, "b": 20}, last_cycle=59)
    assert compared.first is None
    assert (compared.values, compared.mismatches) == (20 * LANES + 20 + 3, 0)
    assert outcome.simulated_cycles == 59 + 1 + TRAILING_CYCLES


@needs(*VERILATOR, *ICARUS)
@pytest.mark.parametrize("limit", [10_000, 25])
def test_both_simulators_do_the_same_whatever_stalls(limit: int, tmp_path: Path) -> None:
    design = adder(tmp_path, PERIOD=2, OPERATION="subtract")
    jobs = [
        job(*operands(items, seed=items), stall_seed=seed, limit=limit)
        for items in (0, 1, 30)
        for seed in (None, 1, 2)
    ]
    found, others = (
        simulation(design).run_many(jobs) for simulation in (VerilatorSimulation, IcarusSimulation)
    )
    assert all(same(one, other) for one, other in zip(found, others, strict=True))
    moments = {tuple(outcome.cycles["sum"]) for outcome in found[-3:]}
    assert len(moments) == 3  # stalls take effect


@in_each_simulator
def test_stalls_change_no_integer(simulate: Simulate, tmp_path: Path) -> None:
    jobs = [job(*operands(9, seed=seed), stall_seed=seed) for seed in range(6)]
    for seed, outcome in enumerate(simulate(adder(tmp_path)).run_many(jobs)):
        assert compare(outcome, expected(*operands(9, seed=seed))).first is None
        assert outcome.last_cycle is not None
        assert outcome.last_cycle > 10


@in_each_simulator
def test_lanes_are_streams_of_their_own(simulate: Simulate, tmp_path: Path) -> None:
    low, high = (np.random.default_rng(seed).integers(0, 2**35, (3, 2)) for seed in (0, 1))
    streams = {"template[0]": pack(low, 35), "template[1]": pack(high[:2], 35)}
    design = replace(echo(tmp_path, twice=True), counts_from="template[1]")
    outcome = simulate(design).run(Job(streams, {"cycle[0]": 3, "cycle[1]": 3}, 100))
    np.testing.assert_array_equal(unpack(outcome.outputs["cycle[0]"], 35, 2, is_signed=False), low)
    twice = unpack(outcome.outputs["cycle[1]"], 35, 2, is_signed=False)
    np.testing.assert_array_equal(twice, high[[0, 1, 1]])
    assert [outcome.cycles[name].tolist() for name in outcome.cycles] == [[1, 2, 3], [1, 2, 3]]
    assert outcome.taken == {"template[0]": 3, "template[1]": 2}


@in_each_simulator
def test_a_wrong_element_is_located(simulate: Simulate, tmp_path: Path) -> None:
    a, b = operands(20)
    wanted = expected(a, b)
    wanted["sum"].integers[7, 2] += 1
    compared = compare(simulate(adder(tmp_path)).run(job(a, b)), wanted)
    right = int(wanted["sum"].integers[7, 2])
    assert compared.mismatches == 1
    found = f"sum, item 7, element 2: found {right - 1} in cycle 9, expected {right}"
    assert sentence(compared) == found


@in_each_simulator
def test_what_comes_late_or_never_or_too_often(simulate: Simulate, tmp_path: Path) -> None:
    a, b = operands(5)
    late = expected(a, b, np.arange(5) + 1)
    outcome = simulate(adder(tmp_path)).run(job(a, b))
    compared = compare(outcome, late, last_cycle=5)
    assert compared.mismatches == 6
    assert sentence(compared) == "sum, item 0: found it in cycle 2, expected cycle 1"
    compared = compare(outcome, expected(a, b), taken={"a": 5, "b": 6}, last_cycle=5)
    assert compared.mismatches == 2
    assert sentence(compared) == "b: found 5 items taken, expected 6"
    ended = simulate(adder(tmp_path)).run(job(a, b, limit=4))
    compared = compare(ended, expected(a, b), last_cycle=6)
    assert compared.mismatches == 3 * LANES + 1
    assert sentence(compared) == "sum, item 2: found no item, expected 5 items"
    never = simulate(adder(tmp_path)).run(job(a, b, limit=1))
    assert never.last_cycle is None
    last = compare(never, {}, last_cycle=6)
    assert sentence(last) == "last output: found none, expected cycle 6"
    streams = {"template[0]": pack(a[:, :2], 35), "template[1]": pack(a[:, :2], 35)}
    outcome = simulate(echo(tmp_path)).run(Job(streams, {"cycle[0]": 5, "cycle[1]": 3}, 100))
    lane = Expected(a[:3, :2], 35, is_signed=True)
    compared = compare(outcome, {"cycle[1]": lane})
    assert compared.mismatches == 4
    assert sentence(compared) == (
        "cycle[1], item 3: found a superfluous item in cycle 4, expected 3 items"
    )


@needs(*ICARUS)
def test_unknown_bits_are_a_mismatch(tmp_path: Path) -> None:
    """A register that is read before anything was written to it."""
    text = ADDER.replace("kept + offset", "kept + offset + never")
    text = text.replace("reg [7:0] wait_cycles;", "reg never; reg [7:0] wait_cycles;")
    a, b = operands(3)
    outcome = IcarusSimulation(adder(tmp_path, text=text)).run(job(a, b))
    compared = compare(outcome, expected(a, b))
    assert compared.mismatches == a.size
    assert sentence(compared).startswith(
        "sum, item 0, element 0: found unknown bits in cycle 2, expected "
    )


@needs(*ICARUS)
@pytest.mark.parametrize(
    ("reset", "broken", "port"),
    [
        ("added_valid && !reset", "added_valid | b[0]", "sum_valid"),
        ("if (reset) wait_cycles <= 0;", "if (reset) wait_cycles <= wait_cycles;", "a_ready"),
    ],
)
def test_unknown_control_is_a_mismatch(reset: str, broken: str, port: str, tmp_path: Path) -> None:
    design = adder(tmp_path, text=ADDER.replace(reset, broken))
    outcome = IcarusSimulation(design).run(job(*operands(3), limit=8))
    assert port in {bit.port for bit in outcome.unknown}
    compared = compare(outcome, {})
    assert compared.mismatches
    assert sentence(compared) == f"{port}: found an unknown bit in cycle 0, expected 0 or 1"


@needs(*VERILATOR)
def test_an_uninitialised_register_shows_in_verilator(tmp_path: Path) -> None:
    """It begins at random, and not at 0."""
    text = ADDER.replace("kept + offset", "kept + offset + never[k*(BITS+2) +: BITS+2]")
    text = text.replace("reg [7:0] wait", "reg [LANES*(BITS+2)-1:0] never; reg [7:0] wait")
    text = text.replace("wait_cycles <= 0;", "begin wait_cycles <= 0; never <= never; end")
    a, b = operands(3)
    first, second = (
        VerilatorSimulation(adder(tmp_path, text=text)).run(job(a, b)) for _ in range(2)
    )
    assert same(first, second)
    assert compare(first, expected(a, b)).mismatches


@in_each_simulator
def test_what_is_not_reset_is_found(simulate: Simulate, tmp_path: Path) -> None:
    """A counter that the job before left running."""
    text = ADDER.replace("if (reset) wait_cycles <= 0;\n    else if", "if")
    text = text.replace("reg [7:0] wait_cycles;", "reg [7:0] wait_cycles; initial wait_cycles = 0;")
    design = adder(tmp_path, text=text, PERIOD=200)
    a, b = operands(2)
    first, second = simulate(design).run_many([job(a, b), job(a, b)])
    wanted = expected(a, b, np.array([2, 202]))
    assert compare(first, wanted).first is None
    alone = simulate(design).run(job(a, b))
    assert alone.simulated_cycles != second.simulated_cycles


@needs(*VERILATOR)
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("always @(posedge clock) if (sum_valid) $finish;", r"adder\.v:42: \$finish"),
        ("always @(posedge clock) if (sum_valid) $stop;", r"adder\.v:42: \$stop"),
        ("wire loop; assign loop = ~loop & sum_valid; assign b_ready = loop;", "did not converge"),
    ],
)
def test_a_design_that_ends_the_simulation(statement: str, reason: str, tmp_path: Path) -> None:
    text = ADDER.replace("endmodule", f"{statement}\nendmodule")
    if "loop" in statement:
        text = text.replace("assign b_ready = takes;", "")
    with pytest.raises(UserError, match=f"^simulating 'adder': ended by .*{reason}"):
        VerilatorSimulation(adder(tmp_path, text=text)).run(job(*operands(3)))


@in_each_simulator
def test_what_a_design_prints_is_not_among_results(
    simulate: Simulate, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = ADDER.replace("endmodule", 'always @(posedge clock) $display("here");\nendmodule')
    a, b = operands(3)
    outcome = simulate(adder(tmp_path, text=text)).run(job(a, b))
    assert compare(outcome, expected(a, b)).first is None
    assert capfd.readouterr().out == ""


@in_each_simulator
def test_sources_with_a_mistake(simulate: Simulate, tmp_path: Path) -> None:
    design = adder(tmp_path, text=ADDER.replace("wire takes =", "wire takes"))
    with pytest.raises(UserError, match=r"'adder': \w+ failed with '.*adder.v:18.*'; correct the"):
        simulate(design).run(job(*operands(3)))


@needs(*VERILATOR)
def test_a_missing_source(tmp_path: Path) -> None:
    design = replace(adder(tmp_path), sources=(tmp_path / "none.v",))
    with pytest.raises(UserError, match=r"none\.v: no such Verilog file; check the path"):
        VerilatorSimulation(design)


@needs(*VERILATOR)
def test_a_batch_is_all_its_jobs(tmp_path: Path) -> None:
    simulation = VerilatorSimulation(adder(tmp_path))
    assert simulation.run_many([]) == []
    pairs = [operands(count, seed=count) for count in (3, 0, 7, 1)]
    for (a, b), outcome in zip(pairs, simulation.run_many([job(*p) for p in pairs]), strict=True):
        assert compare(outcome, expected(a, b)).first is None


@needs(*VERILATOR)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"streams": {"a": pack(operands(2)[0], BITS)}}, r"inputs: expected \['a', 'b'\], found"),
        ({"wanted": {}}, r"outputs: expected \['sum'\], found \[\]"),
        ({"settings": {}}, r"settings: expected \['offset'\], found \[\]"),
        ({"streams": {"a": np.zeros((2, 2), np.uint32)}}, "stream 'a': expected uint32"),
        ({"streams": {"a": np.full((1, 1), 1 << 15, np.uint32)}}, "an item has more than 15 bits"),
    ],
)
def test_a_job_that_is_not_the_designs(
    change: dict[str, dict[str, object]], message: str, tmp_path: Path
) -> None:
    right = job(*operands(2))
    if "a" in change.get("streams", {}) and "expected \\['a'" not in message:
        change = {"streams": {**right.streams, **change["streams"]}}
    with pytest.raises(ValueError, match=message):
        VerilatorSimulation(adder(tmp_path)).run(replace(right, **change))  # type: ignore[arg-type]
