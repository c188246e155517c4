"""A program does all of the work, none of it twice, and its account adds up."""

from collections import Counter
from functools import cache
from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Accelerator, EnergyModel, resized
from hwsim.cost import program_cost, timeline
from hwsim.cost.charges import charge_idle
from hwsim.cost.command_costs import UNITS, command_cost
from hwsim.schedule import Program, schedule
from hwsim.schedule.commands import Convolve, LoadConstants, LoadRows, StoreRows
from hwsim.schedule.plan import plan_network
from hwsim.schedule.storage import Rows
from hwsim.schedule.traffic import dram_bytes
from hwsim.schedule.walk_figures import MOST_RECOMPUTED
from hwsim.simulation import estimate, simulate
from quant.graph import Convolution, Graph, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine, prices
from tests.property.effort import effort
from tests.property.random_machines import random_accelerators, scheduled
from tests.random_graphs import random_graphs, smallest_image

SOME = effort(30)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Graph, Program, Accelerator, Size]:
    graph = draw(random_graphs(every_operator=True))
    smallest = smallest_image(graph)
    image = Size(
        smallest.height + draw(st.integers(0, 20)), smallest.width + draw(st.integers(0, 20))
    )
    program, accelerator = scheduled(graph, draw(random_accelerators()), image)
    return graph, program, accelerator, image


@SOME
@given(cases())
def test_every_multiplication_is_done_once_and_few_again(
    case: tuple[Graph, Program, Accelerator, Size],
) -> None:
    graph, program, accelerator, image = case
    sizes = graph.sizes(image)
    necessary = Counter(
        {
            node.name: node.operator.macs_per_pixel * sizes[node.name].pixels
            for node in graph.nodes
            if isinstance(node.operator, Convolution)
        }
    )
    assert necessary.total() == graph.macs(image)
    done = _multiplications(program)
    assert done.keys() == necessary.keys()
    assert all(done[node] >= count for node, count in necessary.items())
    assert done.total() <= necessary.total() * (1 + MOST_RECOMPUTED)
    alone = schedule(graph, resized(accelerator, fusion=False), image)
    assert _multiplications(alone) == necessary


def _multiplications(program: Program) -> Counter[str]:
    done: Counter[str] = Counter()
    for command in program.commands:
        if isinstance(command, Convolve):
            group_channels = command.input.buffer.channels // command.settings.groups
            reduction = prod(command.settings.kernel) * group_channels
            done[command.node] += command.pixels * command.channels * reduction
    return done


@SOME
@given(cases())
def test_transfers_are_what_the_tilings_promised(
    case: tuple[Graph, Program, Accelerator, Size],
) -> None:
    graph, program, accelerator, image = case
    burst_bytes = accelerator.dram.burst_bytes
    cascades = [group.cascade for group in program.groups]
    moved = Counter(dict.fromkeys(cascades, 0))
    for command in program.commands:
        if isinstance(command, LoadConstants | LoadRows | StoreRows):
            moved[cascades[command.group]] += dram_bytes(command, burst_bytes)
    plans = plan_network(graph, accelerator, image)
    promised = [plan.traffic_bytes for plan in plans]
    assert [moved[cascade] for cascade in sorted(moved)] == promised


@SOME
@given(cases())
def test_every_pixel_is_stored_once(case: tuple[Graph, Program, Accelerator, Size]) -> None:
    graph, program, _, image = case
    sizes = graph.sizes(image)
    stored = {
        name: np.zeros((sizes[name].height, sizes[name].width), np.int64)
        for name in program.tensors
        if name != graph.input.name
    }
    for command in program.commands:
        if isinstance(command, StoreRows):
            rows = slice(command.row, command.row + command.rows.count * command.factor)
            columns = slice(command.column, command.column + command.rows.columns * command.factor)
            stored[command.tensor.name][rows, columns] += 1
    assert graph.output in stored
    for name, times in stored.items():
        assert (times == 1).all(), name


@SOME
@given(cases())
def test_everything_lies_within_the_memory(
    case: tuple[Graph, Program, Accelerator, Size],
) -> None:
    _, program, accelerator, _ = case
    available = accelerator.sram.size_kib * 1024
    for command in program.commands:
        for piece in (*command.reads, *command.writes):
            place = piece.buffer if isinstance(piece, Rows) else piece
            assert place.address >= 0
            assert place.address + place.size_bytes <= available
    assert all(group.sram_bytes <= available for group in program.groups)


@SOME
@given(cases())
def test_a_unit_does_one_thing_at_a_time(
    case: tuple[Graph, Program, Accelerator, Size],
) -> None:
    _, program, accelerator, _ = case
    events = timeline(program, accelerator)
    for unit in UNITS:
        held = sorted((e.start, e.end) for e in events if e.unit == unit)
        for (_, end), (start, _) in pairwise(held):
            assert end <= start
    assert all(0 <= event.start < event.end <= event.done for event in events)


@SOME
@given(cases())
def test_nothing_is_read_before_it_is_there_or_overwritten_before_it_is_read(
    case: tuple[Graph, Program, Accelerator, Size],
) -> None:
    _, program, accelerator, _ = case
    written: dict[tuple[int, int], int] = {}
    read: dict[tuple[int, int], int] = {}
    for event in timeline(program, accelerator):
        group = program.groups[event.command.group].cascade
        sources = [(group, at) for piece in event.command.reads for at in piece.addresses()]
        targets = [(group, at) for piece in event.command.writes for at in piece.addresses()]
        assert all(written[place] <= event.start for place in sources)
        # By others: a statistic overwrites what it has read itself.
        assert all(read.get(place, 0) <= event.start for place in targets)
        for place in sources:
            read[place] = max(read.get(place, 0), event.end)
        for place in targets:
            written[place] = event.done


@SOME
@given(cases())
def test_the_account_is_the_sum_of_its_events(
    case: tuple[Graph, Program, Accelerator, Size],
) -> None:
    _, program, accelerator, _ = case
    events = timeline(program, accelerator)
    cost = program_cost(program, accelerator, _any_prices())
    assert cost.cycles == max(event.done for event in events)
    busy = Counter(dict.fromkeys(UNITS, 0))
    for event in events:
        busy[event.unit] += event.end - event.start
    assert busy == {unit: sum(g.busy_cycles[unit] for g in cost.groups) for unit in UNITS}
    charged = charge_idle(cost.cycles, accelerator)
    for event in events:
        afresh = command_cost(event.command, accelerator)
        assert (event.unit, event.end - event.start) == (afresh.unit, afresh.cycles)
        assert event.done - event.end == afresh.latency_cycles
        charged.update(afresh.charges)
    accounted: Counter[object] = Counter()
    for group in cost.groups:
        accounted.update(group.charges)
    assert +charged == +accounted


@pytest.mark.parametrize("sram_kib", [4, 8, 512])
def test_estimates_equal_simulations(sram_kib: int) -> None:
    graph = edsr_graph(channels=12)
    accelerator = machine(sram_kib=sram_kib, array=8)
    energy = prices(accelerator)
    image = np.random.default_rng(3).integers(0, 256, (19, 23, 3), np.int32)
    estimated = estimate(graph, accelerator, energy, Size(19, 23))
    simulated = simulate(graph, accelerator, energy, image)
    assert simulated.cost == estimated.cost
    assert estimated.cost.energy_uj == pytest.approx(
        sum(group.energy_uj for group in estimated.cost.groups), rel=1e-12
    )


@cache
def _any_prices() -> EnergyModel:
    """Prices of the shipped machine, for tests where any will do."""
    return prices(machine())
