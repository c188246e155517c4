"""Explanations of small programs worked out by hand, and of several programs together."""

from dataclasses import replace
from fractions import Fraction

import pytest

from accelerators import Accelerator, resized
from hwsim.cost import Clock, Event, program_cost
from hwsim.cost.combination import in_sequence
from hwsim.cost.explanation import (
    CAUSES,
    Explanation,
    LayerExplanation,
    Roofline,
    explain,
    explained_in_sequence,
    explained_reading,
    explained_with_prefix,
)
from hwsim.cost.idle_time import (
    DEPENDENCIES,
    DRAM,
    DRAM_LATENCY,
    FIRST_AND_LAST_TRANSFERS,
    VECTOR_WORK,
    idle_time,
)
from hwsim.cost.live_memory import SAMPLES, live_dram, live_sram
from hwsim.schedule import schedule
from hwsim.schedule.commands import Barrier, Command, Elementwise, LoadRows, StoreRows
from hwsim.schedule.storage import DramTensor, LineBuffer, Rows
from quant.graph import Graph, IntegerType, Requantize, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine, prices

U8 = IntegerType(8)
TENSOR = DramTensor("map", 0, Size(8, 128), 32, U8, 4096)
ROW_BYTES = 128 * 32
LOAD, COMPUTE = 256, 131  # cycles of 4096 bytes at 16 a cycle, and on 32 lanes of four stages
LATENCY = machine().dram.latency_cycles


def _buffers(rows: int) -> tuple[LineBuffer, LineBuffer]:
    source = LineBuffer("map", 0, rows, ROW_BYTES, 32, U8)
    return source, LineBuffer("result", rows * ROW_BYTES, 2, ROW_BYTES, 32, U8)


def _events(rings: tuple[LineBuffer, LineBuffer], kinds: str) -> list[Event]:
    """Events of loads, computations and stores of one row after the other, by their letters."""
    source, result = rings
    operator = next(n.operator for n in edsr_graph().nodes if isinstance(n.operator, Requantize))
    clock, turns, events = Clock(machine()), dict.fromkeys("lcs", 0), []
    for kind in kinds:
        row = turns[kind]
        turns[kind] += 1
        loaded, made = Rows(source, row, 1, 128), Rows(result, row, 1, 128)
        command: Command = {
            "l": LoadRows(0, TENSOR, row, 0, loaded),
            "c": Elementwise(0, "requantize", (loaded,), made, operator),
            "s": StoreRows(0, made, TENSOR, row, 0),
        }[kind]
        event = clock.advance(command)
        assert event is not None
        events.append(event)
    return events


def _causes(events: list[Event]) -> dict[str, int]:
    found: dict[str, int] = {}
    for idle in idle_time(events, max(event.done for event in events)):
        found[idle.cause] = found.get(idle.cause, 0) + idle.cycles
    return found


def test_a_row_is_loaded_travels_is_worked_on_and_stored() -> None:
    assert _causes(_events(_buffers(2), "lcs")) == {
        FIRST_AND_LAST_TRANSFERS: 2 * LOAD,
        DRAM_LATENCY: LATENCY,
        VECTOR_WORK: COMPUTE,
    }


def test_while_two_units_work_the_busier_one_is_waited_for() -> None:
    # Loads take 0 to 256 and 256 to 512, the store of the first row 512 to 768; rows are worked
    # on from 336 and 592 on, while the bus is never free.
    assert _causes(_events(_buffers(2), "llccs")) == {
        FIRST_AND_LAST_TRANSFERS: (LOAD + LATENCY) + (3 * LOAD - (2 * LOAD + LATENCY + COMPUTE)),
        DRAM: LOAD + COMPUTE,
    }


def test_a_load_that_waited_for_room_holds_up_what_waits_for_it() -> None:
    # With one slot, the second load begins at 467, when the first row has been worked on; the
    # bus has been free since 256.
    assert _causes(_events(_buffers(1), "lclcs")) == {
        FIRST_AND_LAST_TRANSFERS: LOAD + (LOAD - LATENCY - COMPUTE),
        DRAM_LATENCY: LATENCY,
        VECTOR_WORK: COMPUTE,
        DEPENDENCIES: LATENCY + COMPUTE,
        DRAM: LOAD,
    }


def test_rows_are_live_from_their_load_to_their_last_read() -> None:
    events = _events(_buffers(2), "llccss")
    live = live_sram(events, max(event.done for event in events))
    # Both rows while the first is worked on, and its result.
    assert live.peak_bytes == 3 * ROW_BYTES
    assert len(live.samples_bytes) == SAMPLES
    assert live.samples_bytes[0] == ROW_BYTES
    assert live.samples_bytes[-1] == ROW_BYTES
    assert live_sram((), 10).samples_bytes == (0,) * SAMPLES


@pytest.fixture(scope="module")
def accelerator() -> Accelerator:
    return machine(sram_kib=16, array=8)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return edsr_graph(blocks=1, channels=12)


def test_feature_maps_in_dram_are_live_while_they_are_needed(
    accelerator: Accelerator, graph: Graph
) -> None:
    program = schedule(graph, accelerator, Size(12, 12))
    live = live_dram(program)
    tensors = program.tensors
    cascades = [group.cascade for group in program.groups]
    assert len(live) == 1 + cascades[-1] < len(cascades)
    stored = [
        command.tensor.name
        for command in program.commands
        if isinstance(command, StoreRows) and cascades[command.group] == 0
    ]
    first = {program.input.name, *stored}
    assert live[0] == sum(tensors[name].size_bytes for name in first)
    assert live[-1] < sum(tensor.size_bytes for tensor in tensors.values())


def test_a_group_of_several_convolutions_has_a_layer_for_each(
    accelerator: Accelerator, graph: Graph
) -> None:
    """All groups of a program as one, without the barriers between them."""
    program = schedule(graph, accelerator, Size(12, 12))
    nodes = tuple(name for group in program.groups for name in group.nodes)
    commands = [
        replace(command, group=0)
        for place, command in enumerate(program.commands)
        if place == 0 or not isinstance(command, Barrier)
    ]
    together = replace(
        program,
        groups=(replace(program.groups[0], nodes=nodes, shape="together"),),
        commands=tuple(commands),
    )
    (group,) = explain(together, accelerator).groups
    cost = program_cost(together, accelerator, prices(accelerator))
    apart = explain(program, accelerator).layers
    assert [layer.name for layer in group.layers] == [each.name for each in apart if each.macs]
    assert [layer.macs for layer in group.layers] == [each.macs for each in apart if each.macs]
    assert group.cycles == cost.cycles <= explain(program, accelerator).total.cycles
    assert all(sum(layer.parts.values()) == layer.cycles for layer in group.layers)
    for layer, alone in zip(group.layers, (each for each in apart if each.macs), strict=True):
        assert layer.parts["compute"] == alone.parts["compute"]


def test_two_runs_of_a_program_take_twice_its_cycles(
    accelerator: Accelerator, graph: Graph
) -> None:
    once = explain(schedule(graph, accelerator, Size(12, 12)), accelerator)
    other = explain(schedule(graph, accelerator, Size(7, 12)), accelerator)
    both = explained_in_sequence([once, other, once])
    assert both.total.cycles == 2 * once.total.cycles + other.total.cycles
    assert [group.name for group in both.groups] == [group.name for group in once.groups]
    for mine, first, second in zip(both.groups, once.groups, other.groups, strict=True):
        assert mine.dram_live_bytes == max(first.dram_live_bytes, second.dram_live_bytes)
        assert mine.dram_bytes == 2 * first.dram_bytes + second.dram_bytes
        assert mine.roofline is None or mine.roofline.dram_bytes == mine.dram_bytes


def _cut(explanation: Explanation) -> list[tuple[str, ...]]:
    return [group.nodes for group in explanation.groups]


def test_programs_that_are_cut_otherwise_are_explained_by_what_none_of_them_cuts(
    accelerator: Accelerator, graph: Graph
) -> None:
    alone = schedule(graph, resized(accelerator, fusion=False), Size(12, 12))
    together = schedule(graph, accelerator, Size(12, 12))
    apart, joined = explain(alone, accelerator), explain(together, accelerator)
    assert len(apart.groups) > len(joined.groups) > 1
    for order in ([apart, joined], [joined, apart], [joined, apart, joined]):
        found = explained_in_sequence(order)
        assert sorted(map(sorted, _cut(found))) == sorted(map(sorted, _cut(joined)))
        assert found.total.cycles == sum(each.total.cycles for each in order)
        for group in found.groups:
            parts = [p for each in order for p in each.groups if set(p.nodes) <= set(group.nodes)]
            assert group.cycles == sum(part.cycles for part in parts)
            assert group.dram_bytes == sum(part.dram_bytes for part in parts)
            assert group.sram.peak_bytes == max(part.sram.peak_bytes for part in parts)
            assert group.sram.peak_bytes == max(group.sram.samples_bytes)
            assert {layer.name for layer in group.layers} == {
                layer.name for part in parts for layer in part.layers
            }
            assert group.roofline is not None
            assert group.roofline.macs == sum(layer.macs for layer in group.layers)


def test_costs_and_explanations_of_a_sequence_are_divided_alike(
    accelerator: Accelerator, graph: Graph
) -> None:
    machines = [resized(accelerator, fusion=False), accelerator, machine(array=8)]
    programs = [schedule(graph, each, Size(12, 12)) for each in machines]
    costs = [program_cost(each, accelerator, prices(accelerator)) for each in programs]
    # Copies are made by other groups from machine to machine, so that groups have other nodes.
    for order in ((0, 1), (1, 0), (2, 0, 1), (1, 2), (0, 2, 0)):
        explained = explained_in_sequence([explain(programs[n], accelerator) for n in order])
        cost = in_sequence([costs[n] for n in order])
        cascades = [each.group.cascade for each in cost.groups]
        assert cascades == sorted(cascades)
        assert set(cascades) == set(range(len(explained.groups)))
        assert cost.cycles == sum(costs[n].cycles for n in order)
        for number, group in enumerate(explained.groups):
            members = [each for each in cost.groups if each.group.cascade == number]
            assert group.cycles == sum(each.cycles for each in members)
            assert set(group.groups) == {each.group.name for each in members}
            assert group.dram_bytes == sum(each.dram_bytes for each in members)


def test_a_prefix_is_in_front_of_groups_and_layers(accelerator: Accelerator, graph: Graph) -> None:
    explanation = explain(schedule(graph, accelerator, Size(6, 6)), accelerator)
    named = explained_with_prefix(explanation, "front/")
    assert all(group.name.startswith("front/") for group in named.groups)
    assert all(layer.name.startswith("front/") for layer in named.layers)
    assert named.total == explanation.total


def test_a_reading_is_a_transfer_and_its_latency() -> None:
    group = explained_reading("sums", 48, 3, 83)
    assert (group.name, group.dram_bytes) == ("sums", 48)
    (layer,) = group.layers
    assert (group.cycles, layer.bound) == (83, DRAM_LATENCY)
    assert layer.parts[FIRST_AND_LAST_TRANSFERS] == 3
    assert group.roofline is None


def test_a_layer_is_bound_by_what_takes_most_of_its_cycles() -> None:
    none = dict.fromkeys(CAUSES, Fraction(0))
    parts = none | {"compute": Fraction(5, 2), "dram": Fraction(15, 2)}
    layer = LayerExplanation("layer", 10, parts)
    assert (layer.cycles, layer.bound, layer.share("dram")) == (10, "dram", 0.75)
    nothing = LayerExplanation("nothing", 0, none)
    assert (nothing.cycles, nothing.share("dram")) == (0, 0.0)


@pytest.mark.parametrize(
    ("dram_bytes", "bound", "attainable", "intensity"),
    [(100, "compute", 64.0, 10.0), (250, "dram", 32.0, 4.0), (0, "compute", 64.0, None)],
)
def test_the_roof_is_the_lower_of_peak_and_bandwidth(
    dram_bytes: int, bound: str, attainable: float, intensity: float | None
) -> None:
    roofline = Roofline(1000, dram_bytes, 50, Fraction(64), Fraction(8))
    assert roofline.bound == bound
    assert roofline.attainable_macs_per_cycle == attainable
    assert roofline.macs_per_byte == intensity
    assert roofline.ridge_macs_per_byte == 8
    assert roofline.achieved_macs_per_cycle == 20
