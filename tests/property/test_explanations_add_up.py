"""Every cycle has exactly one cause, as a count cycle by cycle finds it."""

from itertools import groupby, pairwise

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelerators import Accelerator
from accelerators.datapaths.kinds import DATAPATHS, datapath_of
from hwsim.cost import Event, GroupCost, program_cost, timeline
from hwsim.cost.array_losses import ARRAY_CAUSES, COMPUTE, NARROW_OPERANDS, WIDE_OPERANDS
from hwsim.cost.clock import Clock
from hwsim.cost.command_costs import DMA, MAC_ARRAY, UNITS, VECTOR_UNIT
from hwsim.cost.explanation import CAUSES, GroupExplanation, explain
from hwsim.cost.idle_time import (
    DEPENDENCIES,
    DRAM,
    DRAM_LATENCY,
    FIRST_AND_LAST_TRANSFERS,
    MODE_SWITCH,
    VECTOR_WORK,
)
from hwsim.schedule import Program
from hwsim.schedule.commands import Convolve
from hwsim.schedule.walk_figures import MOST_RECOMPUTED
from quant.graph import Convolution, Graph, ScaledConvolution, Size
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.machines import machine, prices
from tests.property.effort import effort
from tests.property.random_machines import random_accelerators, scheduled, sides
from tests.random_graphs import random_graphs, smallest_image

Case = tuple[Graph, Program, Accelerator, Size]
PRICES = prices(machine())
"""Of some machine: what is compared are cycles and bytes."""
FASTER_WITH_FEWER_BITS = (
    "activation_serial", "weight_serial", "bit_serial", "composable", "shift_add",
)  # fmt: skip
TRANSFERS = (DRAM, FIRST_AND_LAST_TRANSFERS, DEPENDENCIES)


@st.composite
def machines(draw: st.DrawFn) -> Accelerator:
    """Random ones of every kind of array, half of them the plain one."""
    accelerator = draw(random_accelerators())
    kind = draw(st.sampled_from((None, *DATAPATHS)), label="kind of array")
    if kind is None:
        return accelerator
    changes: dict[str, object] = {
        "dataflow": kind,
        "kernel_taps": draw(st.sampled_from(("together", "apart"))),
        "mode_switch_cycles": draw(st.sampled_from((0, 7, 300))),
    }
    if kind in ("weight_stationary", "input_stationary", "composable"):
        changes["accumulator_entries"] = draw(st.sampled_from((1024, 16, 5)))
    else:
        lanes = draw(st.sampled_from((1, 4, 16)))
        changes["lanes"] = lanes
        if kind == "weight_serial":
            changes["lanes_at_one_bit"] = draw(st.sampled_from((0, lanes, lanes + 5)))
    array = accelerator.array.model_copy(update=changes)
    sram = {
        "word_bits": 1024,
        "banks": -(-datapath_of(array).feed_bits_per_cycle // 1024),
        "size_kib": max(64, accelerator.sram.size_kib),
    }
    parts = {"array": array.model_dump(), "sram": {**accelerator.sram.model_dump(), **sram}}
    return Accelerator.model_validate({**accelerator.model_dump(), **parts})


@st.composite
def cases(draw: st.DrawFn) -> Case:
    accelerator = draw(machines())
    if draw(st.booleans(), label="EDSR"):
        widths = st.sampled_from((8, 1, 2, 3, 4, 12))
        bits = {layer: (draw(widths), draw(widths)) for layer in edsr_layers(1)}
        graph = edsr_graph(1, draw(st.sampled_from((4, 12))), bits=bits)
        image = Size(draw(sides), draw(sides))
    else:
        graph = draw(random_graphs(every_operator=True))
        scaled = any(isinstance(node.operator, ScaledConvolution) for node in graph.nodes)
        assume(not scaled or datapath_of(accelerator.array).scales_at_run_time)
        smallest = smallest_image(graph)
        image = Size(
            smallest.height + draw(st.integers(0, 20)), smallest.width + draw(st.integers(0, 20))
        )
    program, accelerator = scheduled(graph, accelerator, image)
    return graph, program, accelerator, image


def _groups(case: Case) -> list[tuple[GroupExplanation, list[Event], int]]:
    """Of each cascade its explanation, its events from cycle 0 on, and its end."""
    _, program, accelerator, _ = case
    explanation = explain(program, accelerator)
    found = []
    for number, commands in groupby(
        program.commands, key=lambda command: program.groups[command.group].cascade
    ):
        clock = Clock(accelerator)
        events = [event for each in commands if (event := clock.advance(each)) is not None]
        found.append((explanation.groups[number], events, clock.now))
    assert len(found) == len(explanation.groups)
    return found


def _may_switch(events: list[Event], end: int, switch_cycles: int) -> NDArray[np.bool_]:
    """Cycles in which the array may be changing its widths: at first, and between convolutions.

    Between two convolutions of other widths it does so as soon as the first has ended.
    """
    found = np.zeros(end, bool)
    found[:switch_cycles] = True
    on_array = [event for event in events if event.unit == MAC_ARRAY]
    for one, other in pairwise(on_array):
        if _widths(one) != _widths(other):
            found[one.end : one.end + switch_cycles] = True
    return found


def _widths(event: Event) -> tuple[int, int]:
    command = event.command
    assert isinstance(command, Convolve)
    return command.settings.weight_type.bits, command.input.buffer.integer.bits


def _cascade(cost: GroupCost) -> int:
    return cost.group.cascade


@effort(60)
@given(cases())
def test_causes_add_up_to_the_cycles_of_the_account(case: Case) -> None:
    graph, program, accelerator, image = case
    explanation = explain(program, accelerator)
    cost = program_cost(program, accelerator, PRICES)
    assert sum(explanation.total.parts.values()) == explanation.total.cycles == cost.cycles
    # Between strips some are done again, of the whole at most a sixteenth.
    once = graph.macs(image)
    assert once <= explanation.total.macs <= once * (1 + MOST_RECOMPUTED)
    tiles = [command.work for command in program.commands if isinstance(command, Convolve)]
    assert explanation.total.macs == sum(work.macs for work in tiles)
    assert [number for number, _ in groupby(cost.groups, key=_cascade)] == list(
        range(len(explanation.groups))
    )
    for group, (_, members) in zip(
        explanation.groups, groupby(cost.groups, key=_cascade), strict=True
    ):
        priced = tuple(members)
        assert group.groups == tuple(each.group.name for each in priced)
        assert group.cycles == sum(each.cycles for each in priced)
        for layer in group.layers:
            assert list(layer.parts) == list(CAUSES)
            assert min(layer.parts.values()) >= 0
            assert sum(layer.parts.values()) == layer.cycles
        busy = sum(layer.parts[cause] for layer in group.layers for cause in ARRAY_CAUSES)
        assert busy == sum(each.busy_cycles[MAC_ARRAY] for each in priced)
        assert group.dram_bytes == sum(each.dram_bytes for each in priced)
        if group.roofline is not None:
            assert group.roofline.dram_bytes == group.dram_bytes


@effort(60)
@given(cases())
def test_useful_cycles_are_products_over_the_peak(case: Case) -> None:
    graph, program, accelerator, image = case
    datapath, array = datapath_of(accelerator.array), accelerator.array
    native = datapath.peak_macs_per_cycle(array.weight_bits, array.activation_bits)
    types = {node.name: node.output for node in graph.nodes}
    sizes = graph.sizes(image)
    layers = {layer.name: layer for layer in explain(program, accelerator).layers if layer.macs}
    convolutions = {
        node: node.operator for node in graph.nodes if isinstance(node.operator, Convolution)
    }
    assert set(layers) == {node.name for node in convolutions}
    for node, operator in convolutions.items():
        parts = layers[node.name].parts
        macs = operator.macs_per_pixel * sizes[node.name].pixels
        useful = parts[COMPUTE] + parts[NARROW_OPERANDS]
        assert useful <= macs / native
        if accelerator.array.dataflow in FASTER_WITH_FEWER_BITS:
            continue
        assert useful == macs / native
        if not isinstance(operator, ScaledConvolution):
            widths = operator.weight_type.bits, types[node.inputs[0]].integer.bits
            peak = datapath.peak_macs_per_cycle(*widths)
            assert useful + parts[WIDE_OPERANDS] == macs / peak


@effort(40)
@given(cases())
def test_idle_cycles_are_those_that_a_count_cycle_by_cycle_finds(case: Case) -> None:
    _, _, accelerator, _ = case
    for group, events, end in _groups(case):
        busy = {unit: np.zeros(end, bool) for unit in UNITS}
        arriving = np.zeros(end, bool)
        for event in events:
            busy[event.unit][event.start : event.end] = True
            arriving[event.end : event.done] = True
        idle = ~busy[MAC_ARRAY]
        both = busy[DMA] & busy[VECTOR_UNIT]
        waits_for_vector_unit = busy[VECTOR_UNIT].sum() > busy[DMA].sum()
        vector = busy[VECTOR_UNIT] if waits_for_vector_unit else busy[VECTOR_UNIT] & ~both
        transfers = busy[DMA] & ~(both & vector)
        nothing = idle & ~busy[DMA] & ~busy[VECTOR_UNIT]
        found = {cause: sum(layer.parts[cause] for layer in group.layers) for cause in CAUSES}
        assert found[VECTOR_WORK] == (idle & vector).sum()
        assert found[DRAM_LATENCY] == (nothing & arriving).sum()
        assert found[MODE_SWITCH] == (nothing & ~arriving).sum()
        assert sum(found[cause] for cause in TRANSFERS) == (idle & transfers).sum()
        switch_cycles = accelerator.array.mode_switch_cycles
        assert not (nothing & ~arriving & ~_may_switch(events, end, switch_cycles)).any()
        computing = np.flatnonzero(busy[MAC_ARRAY] | busy[VECTOR_UNIT])
        outside = np.ones(end, bool)
        if computing.size:
            outside[computing[0] : computing[-1] + 1] = False
        assert found[FIRST_AND_LAST_TRANSFERS] == (idle & transfers & outside).sum()


@effort(40)
@given(cases())
def test_memory_in_use_fits_what_is_reserved(case: Case) -> None:
    _, program, accelerator, _ = case
    for group in explain(program, accelerator).groups:
        sram = group.sram
        assert 0 < sram.peak_bytes <= group.sram_reserved_bytes <= accelerator.sram.size_kib * 1024
        assert max(sram.samples_bytes) == sram.peak_bytes
        assert 0 < group.dram_live_bytes <= program.dram_bytes


@effort(20)
@given(cases())
def test_the_whole_timeline_is_the_groups_one_after_the_other(case: Case) -> None:
    _, program, accelerator, _ = case
    events = timeline(program, accelerator)
    assert explain(program, accelerator).total.cycles == max(event.done for event in events)
