"""Charges of a program against counts made here from the graph and the program's shape."""

from collections import Counter

import pytest

from accelerators import Action
from hwsim.cost import ProgramCost, program_cost, timeline
from hwsim.cost.charges import (
    ARRAY_LEAKAGE,
    REQUANTIZE_OUTPUT,
    SRAM_LEAKAGE,
)
from hwsim.schedule import Program, schedule
from quant.graph import Graph, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine, prices

IMAGE = Size(13, 21)
ADD_ELEMENT = Action("vector_unit", "add")
REQUANTIZE_ELEMENT = Action("vector_unit", "requantize")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return edsr_graph(blocks=2, channels=16)


@pytest.fixture(scope="module")
def program(graph: Graph) -> Program:
    return schedule(graph, machine(16), IMAGE)


@pytest.fixture(scope="module")
def cost(program: Program) -> ProgramCost:
    return program_cost(program, machine(16), prices(machine(16)))


def test_operations_are_charged_once_each(graph: Graph, cost: ProgramCost) -> None:
    charges = sum((group.charges for group in cost.groups), Counter())
    pixels = IMAGE.pixels
    macs = {action: count for action, count in charges.items() if action.name == "mac"}
    assert sum(macs.values()) == graph.macs(IMAGE) == cost.macs
    adds = 3 * 16 * pixels
    rescaled = (3 + 2 * 16 + 2 * 16) * pixels
    assert charges[ADD_ELEMENT] == adds
    assert charges[REQUANTIZE_ELEMENT] == rescaled + 2 * adds
    assert charges[REQUANTIZE_OUTPUT] == (16 * 6 + 64 + 3 * 4) * pixels
    assert charges[SRAM_LEAKAGE] == cost.cycles
    assert charges[ARRAY_LEAKAGE] == cost.cycles * cost.mac_slots_per_cycle


def test_energy_is_count_times_price(cost: ProgramCost) -> None:
    model = prices(machine(16))
    by_hand = sum(
        count * model.energy_pj(action)
        for group in cost.groups
        for action, count in group.charges.items()
    )
    assert cost.energy_uj == pytest.approx(by_hand / 1e6, rel=1e-12)
    assert cost.energy_uj == pytest.approx(sum(group.energy_uj for group in cost.groups), rel=1e-12)
    assert set(cost.energy_by_component_uj) == {
        "dram",
        "sram",
        "mac_array",
        "requantizer",
        "vector_unit",
    }


def test_cycles_end_with_the_last_event(program: Program, cost: ProgramCost) -> None:
    events = timeline(program, machine(16))
    assert cost.cycles == max(event.done for event in events)
    for unit in ("dma", "mac_array", "vector_unit"):
        held = sum(event.end - event.start for event in events if event.unit == unit)
        assert held == sum(group.busy_cycles[unit] for group in cost.groups)


def test_derived_figures(cost: ProgramCost) -> None:
    assert cost.latency_ms == pytest.approx(cost.cycles / (machine().clock_mhz * 1000))
    assert cost.mac_utilization == pytest.approx(cost.macs / (cost.cycles * 1024))
    assert cost.sram_peak_bytes <= 16 * 1024
    assert cost.dram_read_bytes + cost.dram_write_bytes == sum(g.dram_bytes for g in cost.groups)
