"""Whatever the kind of array, a machine computes the integers of the graph; only costs differ."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Accelerator, accelerator_names, load_accelerator, resized
from accelerators.datapaths.kinds import DATAPATHS
from hwsim.cost import ProgramCost, program_cost
from hwsim.cost.charges import ACCUMULATOR_LEAKAGE, READ_SUM, WRITE_SUM
from hwsim.cost.clock import timeline
from hwsim.machine import KERNELS, REFERENCE, execute, run_layerwise
from hwsim.schedule import schedule
from hwsim.schedule.commands import Convolve
from quant.graph import Graph, Size
from tests.edsr_graphs import Bits, edsr_graph, edsr_layers
from tests.machines import prices
from tests.property.effort import effort
from tests.property.random_machines import random_accelerators, scheduled
from tests.random_graphs import random_graphs, random_images

STATIONARY = ("weight_stationary", "input_stationary", "composable")


@pytest.mark.parametrize("kind", [kind for kind in DATAPATHS if kind != "output_stationary"])
def test_random_graphs_on_random_machines(kind: str) -> None:
    @effort(8)
    @given(random_graphs(), random_accelerators(kind), st.data())
    def check(graph: Graph, accelerator: Accelerator, data: st.DataObject) -> None:
        image = data.draw(random_images(graph)).astype(np.int32)
        program, accelerator = scheduled(graph, accelerator, Size(*image.shape[:2]))
        output = execute(program, accelerator, image).output
        np.testing.assert_array_equal(output, run_layerwise(graph, image, REFERENCE))
        events = timeline(program, accelerator)
        assert all(event.end > event.start for event in events)

    check()


@pytest.mark.parametrize("name", accelerator_names())
def test_every_shipped_machine_runs_a_residual_network(name: str) -> None:
    graph = edsr_graph(2, 16)
    machine = load_accelerator(name)
    image = np.random.default_rng(3).integers(0, 256, (9, 14, 3), np.int32)
    program = schedule(graph, machine, Size(9, 14))
    output = execute(program, machine, image).output
    np.testing.assert_array_equal(output, run_layerwise(graph, image, KERNELS))
    cost = program_cost(program, machine, prices(machine))
    charges = [group.charges for group in cost.groups]
    sums = [sum(charge[action] for charge in charges) for action in (READ_SUM, WRITE_SUM)]
    leakage = sum(charge[ACCUMULATOR_LEAKAGE] for charge in charges)
    if machine.array.dataflow in STATIONARY:
        assert leakage == cost.cycles * machine.array.columns
        assert sums[0] == sums[1]
    else:
        assert sums == [0, 0]
        assert leakage == 0


def changed(accelerator: Accelerator, **array: int | str) -> Accelerator:
    """A machine with other values in its array, checked again."""
    data = accelerator.model_dump()
    data["array"] |= array
    return Accelerator.model_validate(data)


def test_an_array_larger_than_the_network_is_right_and_mostly_idle() -> None:
    graph = edsr_graph(1, 4)
    tiny = load_accelerator("tiny_npu")
    data = tiny.model_dump()
    data["array"] |= {"rows": 1024, "columns": 1024, "dataflow": "weight_stationary"}
    data["sram"] |= {"word_bits": 256, "banks": 64, "size_kib": 1024}
    huge = Accelerator.model_validate(data)
    image = np.random.default_rng(3).integers(0, 256, (6, 6, 3), np.int32)
    program = schedule(graph, huge, Size(6, 6))
    np.testing.assert_array_equal(
        execute(program, huge, image).output, run_layerwise(graph, image, KERNELS)
    )
    assert program_cost(program, huge, prices(huge)).mac_utilization < 0.001


def test_a_change_of_widths_is_counted_once_a_group_that_runs_alone() -> None:
    graph = edsr_graph(1, 4)
    machine = resized(load_accelerator("tiny_npu"), fusion=False)
    slow = changed(machine, mode_switch_cycles=100_000)
    costs = [
        program_cost(schedule(graph, each, Size(6, 6)), each, prices(each))
        for each in (machine, slow)
    ]
    for before, after in zip(*(cost.groups for cost in costs), strict=True):
        assert before.busy_cycles == after.busy_cycles
        if before.group.macs:
            # Loads go on meanwhile, so a group is longer by at most the change.
            assert before.cycles < after.cycles <= before.cycles + 100_000
            assert after.cycles > 100_000
        else:
            assert before.cycles == after.cycles


@pytest.mark.parametrize("bits", [(8, 8), {"block0.conv1": (4, 8), "head": (8, 6)}])
def test_in_a_cascade_the_array_changes_its_widths_wherever_they_differ(
    bits: Bits | dict[str, Bits],
) -> None:
    layers = dict.fromkeys(edsr_layers(1), (8, 8)) | (bits if isinstance(bits, dict) else {})
    machine = load_accelerator("tiny_npu")
    program = schedule(edsr_graph(1, 4, bits=layers), machine, Size(6, 6))
    slow = changed(machine, mode_switch_cycles=100_000)
    before, after = (
        _cycles_by_cascade(program_cost(program, each, prices(each))) for each in (machine, slow)
    )
    widths: dict[int, list[tuple[int, int]]] = {}
    for command in program.commands:
        if isinstance(command, Convolve):
            cascade = program.groups[command.group].cascade
            of_command = command.settings.weight_type.bits, command.input.buffer.integer.bits
            widths.setdefault(cascade, []).append(of_command)
    assert max(map(len, widths.values())) > 1
    for cascade, found in widths.items():
        changes = 1 + sum(one != other for one, other in pairwise(found))
        assert (changes == 1) == (len(set(found)) == 1)
        longer = after[cascade] - before[cascade]
        # Loads and the vector unit go on meanwhile.
        assert changes * 100_000 - before[cascade] <= longer <= changes * 100_000
    assert (max(len(set(found)) for found in widths.values()) > 1) == isinstance(bits, dict)


def _cycles_by_cascade(cost: ProgramCost) -> Counter[int]:
    found: Counter[int] = Counter()
    for group in cost.groups:
        found[group.group.cascade] += group.cycles
    return found


def test_serial_arrays_get_faster_with_fewer_bits() -> None:
    machine = load_accelerator("loom")
    busy = []
    for bits in (8, 4, 2):
        graph = edsr_graph(1, 16, bits=(bits, bits))
        program = schedule(graph, machine, Size(24, 24))
        cost = program_cost(program, machine, prices(machine))
        body = [group for group in cost.groups if "conv1" in group.group.name]
        busy.append(sum(group.busy_cycles["mac_array"] for group in body))
    assert busy[0] > 2 * busy[1] > 4 * busy[2]
