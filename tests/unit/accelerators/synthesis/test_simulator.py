"""A netlist of four cells: order of gates, integers, toggles with and without delays, energies."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelerators.synthesis.energy import cycle_energy, energies_of
from accelerators.synthesis.netlist import Netlist
from accelerators.synthesis.simulator import STREAMS, Simulator
from accelerators.synthesis.timing import timing_of
from quant.common.errors import UserError
from tests.unit.accelerators.synthesis.small_netlist import (
    HALF_ADDER,
    PORTS,
    Cells,
    small_netlist,
)

CHAIN: Cells = [
    ("NAND", {"A": [3], "B": [6], "Y": [7]}),
    ("INV", {"A": [5], "Y": [6]}),
    ("INV", {"A": [4], "Y": [5]}),
    ("INV", {"A": [3], "Y": [4]}),
]
"""NAND of an input and its inverse, three gates later."""
CHAIN_PORTS = {
    "input": {"direction": "input", "bits": [3]},
    "output": {"direction": "output", "bits": [7]},
}


@pytest.fixture
def half_adder(tmp_path: Path) -> Netlist:
    return small_netlist(tmp_path, HALF_ADDER, PORTS)


def same_for_all(values: list[int]) -> np.ndarray:
    return np.tile(np.array(values, np.int64)[:, np.newaxis], (1, STREAMS))


def test_what_is_read(half_adder: Netlist) -> None:
    assert half_adder.inputs.keys() == {"operands"}
    assert half_adder.area == 12.0
    assert half_adder.leakage_nw == 2500.0
    assert (len(half_adder.gates), len(half_adder.flip_flops)) == (3, 2)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, 3), min_size=2, max_size=6), st.integers(0, 2**32))
def test_integers(tmp_path_factory: pytest.TempPathFactory, first: list[int], seed: int) -> None:
    netlist = small_netlist(tmp_path_factory.mktemp("netlist"), HALF_ADDER, PORTS)
    operands = np.random.default_rng(seed).integers(0, 4, (len(first), STREAMS))
    operands[:, 0] = first
    made = Simulator(netlist).run({"operands": operands}).outputs
    sums = (operands & 1) ^ (operands >> 1)
    carries = operands == 3
    before = np.concatenate([np.zeros((1, STREAMS), np.int64), sums[:-1]])
    assert np.array_equal(made["sum"], before)
    # Two signed bits: the carry, and above it the sum before, inverted.
    assert np.array_equal(made["result"], carries - 2 * (1 - before))


def test_only_ports_asked_for_are_recorded(half_adder: Netlist) -> None:
    stimulus = {"operands": same_for_all([0, 1])}
    assert Simulator(half_adder).run(stimulus, record=["sum"]).outputs.keys() == {"sum"}


def test_toggles_and_energy(half_adder: Netlist) -> None:
    """Operands 0, 3, 1: in the last cycle one operand, carry, its inverse and the sum toggle."""
    simulation = Simulator(half_adder).run({"operands": same_for_all([0, 3, 1])}, warm_up=2)
    toggles = simulation.toggles
    assert toggles.cycles == STREAMS
    assert np.array_equal(toggles.settled, toggles.unit)
    energies = energies_of(half_adder, timing_of(half_adder), 2.0)
    found = cycle_energy(energies, toggles.settled, toggles.cycles)
    # Half of C V^2 in fJ: the operand drives 3 + 4 fF, the NAND 2, the XOR 1 of the flip-flop.
    assert found.load_pj == pytest.approx((7 + 2 + 1) * 2 / 1000)
    # The inverter has no load: (1 + 4) / 2 fJ.
    assert found.internal_pj == pytest.approx(2.5 / 1000)
    # Twice half of 1 fF V^2, and the clock pin's rise and fall.
    assert found.clock_pj == pytest.approx((4 + 2 + 3) / 1000)
    assert found.total_pj == pytest.approx((20 + 2.5 + 9) / 1000)


def test_a_glitch_shows_with_delays_alone(tmp_path: Path) -> None:
    """The input rises before its inverse falls, so that the NAND falls and rises again."""
    simulator = Simulator(small_netlist(tmp_path, CHAIN, CHAIN_PORTS))
    toggles = simulator.run({"input": same_for_all([0, 1])}, warm_up=1).toggles
    output = simulator.netlist.outputs["output"][0]
    assert (toggles.settled[output], toggles.unit[output]) == (0, 2 * STREAMS)
    assert toggles.calibrated[output] == STREAMS


def test_a_fast_pulse_does_not_get_through_a_slow_gate(tmp_path: Path) -> None:
    """Three inverters take 7 + 10 + 7 ps at least; the NAND is made slower than that."""
    netlist = small_netlist(tmp_path, CHAIN, CHAIN_PORTS)
    simulator = Simulator(netlist)
    output = netlist.outputs["output"][0]
    for slowest_ns, seen in ((0.010, 2 * STREAMS), (0.040, 0)):
        simulator.timing.delays_ns[output] = slowest_ns
        simulator.__dict__.pop("delay_steps", None)
        toggles = simulator.run({"input": same_for_all([0, 1])}, warm_up=1).toggles
        assert toggles.delayed[output] == seen
        assert toggles.unit[output] == 2 * STREAMS


def test_edges_are_followed(tmp_path: Path) -> None:
    netlist = small_netlist(tmp_path, CHAIN, CHAIN_PORTS)
    timing = timing_of(netlist)
    driven_by_inverter = int(netlist.gates.output[0])
    assert timing.transitions_ns[driven_by_inverter] == pytest.approx(0.015)
    assert timing.loads_pf[driven_by_inverter] == pytest.approx(0.002)
    # fall 7 ps; rise by an input edge of 0 and a load of 2 fF, along 10 + 2 per fF and edge
    assert timing.delays_ns[driven_by_inverter, 0] == pytest.approx(0.007)
    assert 0 < timing.delays_ns[driven_by_inverter, 1] < 0.014


def test_ports_that_are_missing_or_unknown(half_adder: Netlist) -> None:
    with pytest.raises(UserError) as error:
        Simulator(half_adder).run({"operand": same_for_all([0])})
    assert str(error.value) == (
        "the netlist of 'small': expected a stimulus for each of its input ports operands; "
        "operand, operands is missing or unknown"
    )


def test_a_loop_is_refused(tmp_path: Path) -> None:
    cells: Cells = [("INV", {"A": [3], "Y": [4]}), ("INV", {"A": [4], "Y": [3]})]
    with pytest.raises(UserError, match="'small' has a loop without a flip-flop"):
        small_netlist(tmp_path, cells, {})


def test_two_clocks_are_refused(tmp_path: Path) -> None:
    cells: Cells = [
        ("FLOP", {"C": [2], "D": ["1"], "Q": [5], "QN": [6]}),
        ("FLOP", {"C": [3], "D": ["x"], "Q": [7], "QN": [8]}),
    ]
    with pytest.raises(UserError, match="'small' has 2 clocks or clock edges, but only one"):
        small_netlist(tmp_path, cells, {})
