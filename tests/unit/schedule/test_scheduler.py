import dataclasses
from collections import Counter

import pytest

from accelerators import Accelerator
from hwsim.schedule import ProgramError, ScheduleError, schedule, verify_program
from hwsim.schedule.commands import Barrier, Convolve, LoadConstants, LoadRows, StoreRows
from hwsim.schedule.groups import form_groups
from hwsim.schedule.layout import place_tensors
from hwsim.schedule.program import Program
from hwsim.schedule.storage import DramTensor
from hwsim.schedule.tiling import Problem, dram_traffic_bytes
from hwsim.schedule.traffic import dram_bytes
from quant.graph import Graph, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine

IMAGE = Size(13, 21)
SRAM_SIZES_KIB = (4, 16, 512)


def _problems(graph: Graph, accelerator: Accelerator, image: Size) -> list[Problem]:
    sizes = graph.sizes(image)
    types = {node.name: node.output for node in graph.nodes}
    groups = form_groups(graph, sizes)
    tensors, _ = place_tensors(graph, groups, sizes, accelerator.dram.burst_bytes, 0)
    return [Problem(group, types, sizes, tensors, accelerator) for group in groups]


@pytest.mark.parametrize("sram_kib", SRAM_SIZES_KIB)
def test_a_program_moves_exactly_the_traffic_its_tilings_promise(sram_kib: int) -> None:
    graph, accelerator = edsr_graph(channels=16), machine(sram_kib, fusion=False)
    program = schedule(graph, accelerator, IMAGE)
    burst = accelerator.dram.burst_bytes
    moved: Counter[int] = Counter()
    for command in program.commands:
        if isinstance(command, LoadConstants | LoadRows | StoreRows):
            moved[command.group] += dram_bytes(command, burst)
    promised = [
        dram_traffic_bytes(problem, group.tiling)
        for problem, group in zip(_problems(graph, accelerator, IMAGE), program.groups, strict=True)
    ]
    assert [moved[index] for index in range(len(program.groups))] == promised


@pytest.mark.parametrize("sram_kib", SRAM_SIZES_KIB)
def test_every_multiplication_is_scheduled_once(sram_kib: int) -> None:
    graph, accelerator = edsr_graph(channels=16), machine(sram_kib, fusion=False)
    program = schedule(graph, accelerator, IMAGE)
    macs = 0
    for command in program.commands:
        if isinstance(command, Convolve):
            height, width = command.settings.kernel
            reduction = height * width * command.input.buffer.channels
            macs += command.output.pixels * command.channels * reduction
    assert macs == graph.macs(IMAGE) == sum(group.macs for group in program.groups)


@pytest.mark.parametrize("sram_kib", SRAM_SIZES_KIB)
def test_every_pixel_of_every_stored_tensor_is_stored_once(sram_kib: int) -> None:
    program = schedule(edsr_graph(channels=16), machine(sram_kib), IMAGE)
    stored: dict[str, Counter[tuple[int, int]]] = {}
    for command in program.commands:
        if isinstance(command, StoreRows):
            pixels = stored.setdefault(command.tensor.name, Counter())
            height = command.rows.count * command.factor
            width = command.rows.columns * command.factor
            pixels.update(
                (command.row + y, command.column + x) for y in range(height) for x in range(width)
            )
    for name, pixels in stored.items():
        size = program.tensors[name].size
        assert set(pixels.values()) == {1}
        assert len(pixels) == size.pixels


def test_a_small_sram_makes_many_tiles() -> None:
    graph = edsr_graph(channels=16)
    commands = {
        sram_kib: Counter(
            command.node
            for command in schedule(graph, machine(sram_kib), IMAGE).commands
            if isinstance(command, Convolve)
        )
        for sram_kib in (4, 512)
    }
    assert min(commands[4].values()) > 10
    assert sum(commands[4].values()) > 5 * sum(commands[512].values())


def test_tensors_alive_together_lie_apart_and_dead_ones_are_reused() -> None:
    graph = edsr_graph(blocks=6, channels=16)
    program = schedule(graph, machine(fusion=False), IMAGE)
    sizes = sum(tensor.size_bytes for tensor in program.tensors.values())
    assert program.dram_bytes - len(program.constants) < sizes
    alive: dict[str, DramTensor] = {program.input.name: program.input}
    last_read = {
        command.tensor.name: position
        for position, command in enumerate(program.commands)
        if isinstance(command, LoadRows)
    }
    for position, command in enumerate(program.commands):
        if isinstance(command, Barrier):
            alive = {
                name: tensor for name, tensor in alive.items() if last_read.get(name, 0) > position
            }
        if isinstance(command, StoreRows) and command.tensor.name not in alive:
            new = command.tensor
            for other in alive.values():
                assert (
                    new.address + new.size_bytes <= other.address
                    or other.address + other.size_bytes <= new.address
                )
            alive[new.name] = new


def test_scheduling_twice_gives_the_same_program() -> None:
    first, second = (schedule(edsr_graph(), machine(16), IMAGE) for _ in range(2))
    assert repr(first.commands) == repr(second.commands)
    assert (first.constants == second.constants).all()


def test_an_sram_too_small_for_any_tile_is_refused() -> None:
    with pytest.raises(ScheduleError) as refusal:
        schedule(edsr_graph(channels=64), machine(4), IMAGE)
    assert str(refusal.value) == (
        "operator 'block0.conv1': its smallest tile (1 pixel of 13×21) needs 11 KiB of SRAM, "
        "accelerator 'edge_npu (size_kib=4)' has 4 KiB; enlarge sram.size_kib or use fewer bits "
        "or channels"
    )


@pytest.mark.parametrize("size", [Size(100_000, 100_000), Size(1, 2**24 + 1)])
def test_an_image_of_absurd_size_is_refused(size: Size) -> None:
    with pytest.raises(ScheduleError) as refusal:
        schedule(edsr_graph(), machine(), size)
    assert str(refusal.value) == (
        "image size: expected at most 16777216 pixels (4096×4096), because all commands for an "
        f"image are held in memory, given {size}; cut the image into parts"
    )


def test_an_accumulator_too_narrow_is_refused() -> None:
    accelerator = machine()
    narrow = accelerator.model_copy(
        update={"array": accelerator.array.model_copy(update={"accumulator_bits": 16})}
    )
    with pytest.raises(ScheduleError) as refusal:
        schedule(edsr_graph(), narrow, IMAGE)
    assert str(refusal.value).startswith("operator 'head': its sums need an accumulator of ")
    assert str(refusal.value).endswith(
        "accelerator 'edge_npu' has 16; use fewer bits for this layer or a larger "
        "array.accumulator_bits"
    )


def _tampered(program: Program, kind: type, **changes: object) -> Program:
    """The program with one field of its third command of a kind changed."""
    positions = [n for n, command in enumerate(program.commands) if isinstance(command, kind)]
    commands = list(program.commands)
    position = positions[2]
    commands[position] = dataclasses.replace(commands[position], **changes)  # type: ignore[type-var]
    return dataclasses.replace(program, commands=tuple(commands))


def test_the_verifier_catches_reading_what_was_not_loaded() -> None:
    accelerator = machine(16)
    program = schedule(edsr_graph(channels=16), accelerator, IMAGE)
    convolve = [command for command in program.commands if isinstance(command, Convolve)][2]
    late = dataclasses.replace(convolve.input, first=convolve.input.first + 1)
    with pytest.raises(ProgramError, match=r"^program command \d+: expected row \d+ of '.*' in"):
        verify_program(_tampered(program, Convolve, input=late), accelerator)


def test_the_verifier_catches_transfers_outside_a_tensor() -> None:
    accelerator = machine(16)
    program = schedule(edsr_graph(channels=16), accelerator, IMAGE)
    with pytest.raises(ProgramError, match=r"expected rows within '.*' \(13×21\), found"):
        verify_program(_tampered(program, StoreRows, column=20), accelerator)


def test_the_verifier_catches_buffers_beyond_sram() -> None:
    program = schedule(edsr_graph(channels=16), machine(16), IMAGE)
    with pytest.raises(ProgramError, match=r"expected buffers within 4096 bytes, found '"):
        verify_program(program, machine(4))


def test_the_verifier_catches_tensors_that_overlap_in_dram() -> None:
    accelerator = machine(16, fusion=False)
    program = schedule(edsr_graph(channels=16), accelerator, IMAGE)
    store = [command for command in program.commands if isinstance(command, StoreRows)][2]
    nearer = dataclasses.replace(store.tensor, address=program.input.address + 1)
    with pytest.raises(ProgramError, match=r"expected 'head' and 'head.input' apart, found them"):
        verify_program(_tampered(program, StoreRows, tensor=nearer), accelerator)
