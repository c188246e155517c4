"""Integers and toggles of simulated gates against Icarus Verilog, on the same netlist."""

from pathlib import Path

import numpy as np
import pytest

from accelerators.synthesis.cell_models import cell_models
from accelerators.synthesis.netlist import Netlist
from accelerators.synthesis.output_units import output_trial, output_unit
from accelerators.synthesis.products import random_products
from accelerators.synthesis.simulator import STREAMS, Simulator
from accelerators.synthesis.stationary_units import stationary_trial, stationary_unit
from accelerators.synthesis.unit import TOP, Trial, Unit
from accelerators.synthesis.yosys import Design, Mapped
from tests.rtl.synthesis import icarus
from tests.rtl.synthesis.gates import CELLS, mapped, needs_synthesis
from tests.rtl.tools import ICARUS, needs

pytestmark = [needs_synthesis, needs(*ICARUS)]

MULTIPLIER = """\
module multiplier(input signed [{top}:0] a, input signed [{top}:0] b, output signed [{last}:0] y);
  assign y = a * b;
endmodule
"""
CYCLES, WARM_UP = 150, 2


def multiplier(bits: int, folder: Path) -> tuple[Mapped, Netlist]:
    text = MULTIPLIER.format(top=bits - 1, last=2 * bits - 1)
    return mapped(Design("multiplier", (), text), folder)


def random_operands(bits: int) -> dict[str, np.ndarray]:
    a, b = np.random.default_rng(bits).integers(-(1 << bits - 1), 1 << bits - 1, (2, CYCLES))
    return {"a": a, "b": b}


def of_all_streams(stimulus: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {port: np.tile(values[:, np.newaxis], STREAMS) for port, values in stimulus.items()}


def toggles_by(
    way: str, files: Mapped, netlist: Netlist, stimulus: dict[str, np.ndarray], folder: Path
) -> float:
    """Icarus's toggles with cells that have no delay, a delay of one, or delays of their own."""
    written = folder / f"{way}.v"
    if way == "settled":
        written.write_text(cell_models(netlist))
    elif way == "unit":
        written.write_text(icarus.with_unit_delays(netlist))
    else:
        simulator = Simulator(netlist)
        drivers = zip(simulator.driven_nets, simulator.delay_steps, strict=True)
        delays = {int(net): [int(each) for each in pair] for net, pair in drivers}
        written.write_text(icarus.with_delays(netlist, delays))
    sources = [written] if way == "delayed" else [files.verilog, written]
    tested = icarus.Tested(netlist.name, netlist, sources)
    found = icarus.toggles(tested, stimulus, WARM_UP, folder)
    if way == "delayed":  # there, ports are nets of their own beside those that they drive
        found -= port_toggles(netlist, stimulus)
    return found


def port_toggles(netlist: Netlist, stimulus: dict[str, np.ndarray]) -> float:
    masks = {port: (1 << len(nets)) - 1 for port, nets in netlist.inputs.items()}
    changed = sum(
        (int(one ^ other) & masks[port]).bit_count()
        for port, values in stimulus.items()
        for one, other in zip(values[WARM_UP - 1 :], values[WARM_UP:], strict=False)
    )
    return changed / (CYCLES - WARM_UP)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("way", ["settled", "unit", "delayed"])
def test_toggles_of_multipliers(bits: int, way: str, tmp_path: Path) -> None:
    files, netlist = multiplier(bits, tmp_path)
    stimulus = random_operands(bits)
    toggles = Simulator(netlist).run(of_all_streams(stimulus), WARM_UP).toggles
    ours = getattr(toggles, way).sum() / toggles.cycles
    assert ours == pytest.approx(toggles_by(way, files, netlist, stimulus, tmp_path), rel=1e-12)
    assert ours > 2 * bits


@pytest.mark.parametrize(("bits", "most"), [(4, 0.2), (8, 0.2)])
def test_delays_of_the_library_s_own_models(bits: int, most: float, tmp_path: Path) -> None:
    """Those have one load for all; toggles with our delays and calibrated ones are near theirs."""
    files, netlist = multiplier(bits, tmp_path)
    stimulus = random_operands(bits)
    toggles = Simulator(netlist).run(of_all_streams(stimulus), WARM_UP).toggles
    tested = icarus.Tested(netlist.name, netlist, [files.verilog, CELLS], ("-gspecify",))
    theirs = icarus.toggles(tested, stimulus, WARM_UP, tmp_path)
    for ours in (toggles.delayed, toggles.calibrated):
        assert ours.sum() / toggles.cycles == pytest.approx(theirs, rel=most)


ELEMENTS = {
    "output_stationary": (output_unit, output_trial),
    "activation_serial": (output_unit, output_trial),
    "weight_stationary": (stationary_unit, stationary_trial),
}


@pytest.mark.parametrize("kind", ELEMENTS)
def test_an_element_on_gates_does_what_its_verilog_does(kind: str, tmp_path: Path) -> None:
    """Every output port in every cycle, once the Verilog knows its registers."""
    unit_of, trial_of = ELEMENTS[kind]
    unit: Unit = unit_of(kind, 3, 3)
    trial: Trial = trial_of(kind, random_products(3, 3))
    _, netlist = mapped(unit.design, tmp_path)
    wrapper = tmp_path / f"{TOP}.v"
    tested = icarus.Tested(TOP, netlist, [wrapper, *unit.design.sources])
    stream = {port: values[:, 5] for port, values in trial.stimulus.items()}
    wanted = icarus.outputs(tested, stream, tmp_path)
    made = Simulator(netlist).run(trial.stimulus).outputs
    compared = 0
    for port, words in wanted.items():
        bits = len(netlist.outputs[port])
        ours = made[port][:, 5] & ((1 << bits) - 1)
        pairs = [
            (int(one), other) for one, other in zip(ours, words, strict=True) if other is not None
        ]
        assert all(one == other for one, other in pairs), port
        compared += len(pairs)
    assert compared > 0.8 * len(wanted) * len(next(iter(stream.values())))
