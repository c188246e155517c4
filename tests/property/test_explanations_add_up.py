"""Every cycle has exactly one cause, as a count cycle by cycle finds it."""

from fractions import Fraction
from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Accelerator
from hwsim.cost import Event, program_cost, timeline
from hwsim.cost.array_losses import COMPUTE, NARROW_OPERANDS
from hwsim.cost.clock import Clock
from hwsim.cost.command_costs import DMA, MAC_ARRAY, UNITS, VECTOR_UNIT
from hwsim.cost.explanation import CAUSES, Explanation, GroupExplanation, explain
from hwsim.cost.idle_time import (
    DEPENDENCIES,
    DRAM,
    DRAM_LATENCY,
    FIRST_AND_LAST_TRANSFERS,
    VECTOR_WORK,
)
from hwsim.schedule import Program
from quant.graph import Convolution, Graph, Size
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.machines import machine, prices
from tests.property.effort import effort
from tests.property.random_machines import random_accelerators, scheduled, sides
from tests.random_graphs import random_graphs, smallest_image

Case = tuple[Graph, Program, Accelerator, Size]
PRICES = prices(machine())
"""Of some machine: what is compared are cycles and bytes."""
TRANSFERS = (DRAM, FIRST_AND_LAST_TRANSFERS, DEPENDENCIES)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    if draw(st.booleans(), label="EDSR"):
        widths = st.sampled_from((8, 2, 3, 4, 12))
        bits = {layer: (draw(widths), draw(widths)) for layer in edsr_layers(1)}
        graph = edsr_graph(1, draw(st.sampled_from((4, 12))), bits=bits)
        image = Size(draw(sides), draw(sides))
    else:
        graph = draw(random_graphs(every_operator=True))
        smallest = smallest_image(graph)
        image = Size(
            smallest.height + draw(st.integers(0, 20)), smallest.width + draw(st.integers(0, 20))
        )
    program, accelerator = scheduled(graph, draw(random_accelerators()), image)
    return graph, program, accelerator, image


def _groups(case: Case) -> list[tuple[GroupExplanation, list[Event], int]]:
    """Of each group its explanation, its events from cycle 0 on, and its end."""
    _, program, accelerator, _ = case
    explanation = explain(program, accelerator)
    found = []
    for index, commands in groupby(program.commands, key=lambda command: command.group):
        clock = Clock(accelerator)
        events = [event for each in commands if (event := clock.advance(each)) is not None]
        found.append((explanation.groups[index], events, clock.now))
    return found


@effort(60)
@given(cases())
def test_causes_add_up_to_the_cycles_of_the_account(case: Case) -> None:
    graph, program, accelerator, image = case
    explanation = explain(program, accelerator)
    cost = program_cost(program, accelerator, PRICES)
    of_cycle = explanation.total.slots_per_cycle
    assert sum(explanation.total.slots.values()) == cost.cycles * of_cycle
    assert explanation.total.macs == graph.macs(image)
    for group, priced in zip(explanation.groups, cost.groups, strict=True):
        assert group.cycles == priced.cycles
        for layer in group.layers:
            assert set(layer.slots) == set(CAUSES)
            assert min(layer.slots.values()) >= 0
            assert sum(layer.slots.values()) == layer.cycles * of_cycle
            assert sum(map(layer.cause_cycles, CAUSES)) == layer.cycles
        busy = sum(
            part for layer in group.layers for cause, part in layer.slots.items()
            if cause not in (*TRANSFERS, VECTOR_WORK, DRAM_LATENCY)
        )  # fmt: skip
        assert busy == priced.busy_cycles[MAC_ARRAY] * of_cycle
        if group.roofline is not None:
            assert group.roofline.dram_bytes == priced.dram_bytes
    _products_are_those_of_the_graph(graph, image, accelerator, explanation)


def _products_are_those_of_the_graph(
    graph: Graph, image: Size, accelerator: Accelerator, explanation: Explanation
) -> None:
    """Useful cycles of every layer: its multiply-accumulates over the array's peak."""
    sizes = graph.sizes(image)
    layers = {layer.name: layer for layer in explanation.layers if layer.macs}
    convolutions = [node for node in graph.nodes if isinstance(node.operator, Convolution)]
    assert set(layers) == {node.name for node in convolutions}
    for node in convolutions:
        layer = layers[node.name]
        macs = node.operator.macs_per_pixel * sizes[node.name].pixels  # type: ignore[attr-defined]
        useful = layer.cause_cycles(COMPUTE) + layer.cause_cycles(NARROW_OPERANDS)
        assert useful == Fraction(macs, accelerator.array.processing_elements)


@effort(40)
@given(cases())
def test_idle_cycles_are_those_that_a_count_cycle_by_cycle_finds(case: Case) -> None:
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
        latency = idle & ~busy[DMA] & ~busy[VECTOR_UNIT]
        found = {
            cause: sum(layer.cause_cycles(cause) for layer in group.layers) for cause in CAUSES
        }
        assert found[VECTOR_WORK] == (idle & vector).sum()
        assert found[DRAM_LATENCY] == latency.sum()
        assert sum(found[cause] for cause in TRANSFERS) == (idle & transfers).sum()
        assert not (latency & ~arriving).any()
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
