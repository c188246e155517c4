"""Schedule checks pass on the scheduler's programs, and catch and locate faults planted in them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hwsim.arithmetic.overflows import Overflows
from hwsim.machine.accumulators import LayerOverflows
from hwsim.schedule import Program, schedule
from hwsim.schedule.commands import (
    Command,
    Convolve,
    Elementwise,
    LoadConstants,
    LoadRows,
    StoreRows,
)
from hwsim.verify import Check, verify_graph, verify_program_output, verify_schedules
from hwsim.verify.random_graphs import random_graph
from hwsim.verify.schedules import _same_overflows
from quant.common.accumulators import Accumulator
from quant.graph import Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine

SIZE = Size(11, 13)
GRAPH = edsr_graph(blocks=1, channels=12)
MACHINE = machine(sram_kib=8, array=8, fusion=False)  # every group loads and stores its maps
IMAGE = np.random.default_rng(1).integers(0, 256, (SIZE.height, SIZE.width, 3), np.int32)
PROGRAM = schedule(GRAPH, MACHINE, SIZE)


def with_command(kind: type[Command], change: Callable[[Command], Command]) -> Program:
    """The program with its first command of a kind in the second group changed."""
    position = next(
        index
        for index, command in enumerate(PROGRAM.commands)
        if isinstance(command, kind) and command.group == 1
    )
    commands = list(PROGRAM.commands)
    commands[position] = change(commands[position])
    return replace(PROGRAM, commands=tuple(commands))


def check(program: Program) -> Check:
    return verify_program_output(program, GRAPH, MACHINE, IMAGE)


def test_the_scheduler_s_program_passes() -> None:
    found = check(PROGRAM)
    assert (found.cases, found.mismatches, found.first_mismatch) == (1, 0, None)
    assert found.values == 4 * SIZE.pixels * 3
    assert verify_graph(GRAPH, MACHINE, IMAGE) == found


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (StoreRows, lambda command: replace(command, row=command.row + 1)),
        (LoadRows, lambda command: replace(command, row=command.row + 1)),
        (LoadConstants, lambda command: replace(command, address=command.address + 1)),
        (Convolve, lambda command: replace(command, padding=_other_padding(command))),
    ],
    ids=["store one row too low", "load one row too low", "weights one byte off", "padding moved"],
)
def test_a_wrong_command_is_caught_in_its_group(
    kind: type[Command], change: Callable[[Command], Command]
) -> None:
    found = check(with_command(kind, change))
    assert found.mismatches > 0
    assert found.first_mismatch is not None
    group = PROGRAM.groups[1]
    assert f"group '{group.name}'" in found.first_mismatch
    assert ": found " in found.first_mismatch


def test_a_wrong_command_of_layers_that_run_together_is_caught() -> None:
    fused = machine(sram_kib=8, array=8)
    program = schedule(GRAPH, fused, SIZE)
    loads = {command.group for command in program.commands if isinstance(command, LoadRows)}
    position, command = next(
        (index, command)
        for index, command in enumerate(program.commands)
        if isinstance(command, Convolve) and command.group not in loads
    )
    commands = list(program.commands)
    commands[position] = replace(command, padding=_other_padding(command))
    wrong = replace(program, commands=tuple(commands))
    found = verify_program_output(wrong, GRAPH, fused, IMAGE)
    assert found.mismatches > 0
    assert found.first_mismatch is not None
    assert verify_graph(GRAPH, fused, IMAGE).mismatches == 0


def test_swapped_addresses_are_caught_in_their_group() -> None:
    position, command = next(
        (index, command)
        for index, command in enumerate(PROGRAM.commands)
        if isinstance(command, Elementwise) and len(command.inputs) == 2
    )
    first, second = command.inputs
    commands = list(PROGRAM.commands)
    commands[position] = replace(command, inputs=(second, first))
    found = check(replace(PROGRAM, commands=tuple(commands)))
    assert 0 < found.mismatches < found.values
    assert found.first_mismatch is not None
    assert "(group 'block0.conv2')" in found.first_mismatch


def test_constants_that_make_no_sense_to_the_array_count_as_all_wrong() -> None:
    def swapped(command: Command) -> Command:
        assert isinstance(command, Convolve)
        return replace(command, weights=command.parameters, parameters=command.weights)

    found = check(with_command(Convolve, swapped))
    assert found.mismatches == found.values
    assert found.first_mismatch is not None


def test_reading_what_was_never_written_counts_as_all_wrong() -> None:
    loads = [c for c in PROGRAM.commands if not (isinstance(c, LoadRows) and c.group == 1)]
    found = check(replace(PROGRAM, commands=tuple(loads)))
    assert found.mismatches == found.values
    assert found.first_mismatch is not None
    assert "is read before it is written" in found.first_mismatch


def test_random_graphs_pass_and_the_seed_decides_them() -> None:
    machines = [machine(), machine(sram_kib=16, array=8)]
    calls: list[tuple[int, int]] = []
    first, again = (
        verify_schedules(machines, 5, 4, lambda done, total: calls.append((done, total)))
        for _ in range(2)
    )
    assert first == again
    assert [check.mode for check in first] == [accelerator.name for accelerator in machines]
    assert all(check.cases == 4 and check.mismatches == 0 for check in first)
    assert calls[:8] == [(done, 8) for done in range(1, 9)]


def test_what_does_not_fit_is_no_case() -> None:
    (found,) = verify_schedules([machine(sram_kib=1, array=8)], graphs=3)
    assert found.cases < 3
    assert found.mismatches == 0


def test_random_graphs_differ_and_are_lively() -> None:
    from hwsim.machine import KERNELS, run_layerwise

    outputs = []
    for seed in range(8):
        graph = random_graph(np.random.default_rng(seed))
        channels = graph.input.output.channels
        image = np.random.default_rng(seed).integers(0, 256, (9, 9, channels), np.int32)
        outputs.append(len(np.unique(run_layerwise(graph, image, KERNELS))))
    assert sum(distinct > 1 for distinct in outputs) >= 7


def _other_padding(command: Command) -> object:
    assert isinstance(command, Convolve)
    return replace(command.padding, top=command.padding.bottom, bottom=command.padding.top)


def test_sums_that_strips_compute_again_may_overflow_again_but_no_others() -> None:
    accumulator = Accumulator(16, "saturate_step")
    layer = LayerOverflows("layer", accumulator, 100, Overflows(3, (0, 1, 2), 40_000))

    def same(outputs: int, count: int, first: tuple[int, int, int] = (0, 1, 2)) -> bool:
        found = LayerOverflows("layer", accumulator, outputs, Overflows(count, first, 40_000))
        return _same_overflows([found], [layer])

    assert same(100, 3)
    assert same(110, 3)
    assert same(110, 13)
    assert not same(100, 4)
    assert not same(110, 2)
    assert not same(110, 14)
    assert not same(110, 3, (0, 1, 3))
    assert not _same_overflows([], [layer])
