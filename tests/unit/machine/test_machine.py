import dataclasses
import importlib

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.machine import KERNELS, REFERENCE, MachineError, execute, run_layerwise
from hwsim.machine.memory import Sram
from hwsim.schedule import schedule
from hwsim.schedule.commands import LoadConstants, LoadRows, StoreRows
from hwsim.schedule.storage import Block, LineBuffer, Rows
from hwsim.simulation import compare, estimate, simulate
from quant.graph import Graph, IntegerType, Size
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.machines import machine, prices


def _image(height: int, width: int, seed: int = 0) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.int32)


def _mixed(blocks: int) -> dict[str, tuple[int, int]]:
    widths = ((2, 2), (8, 3), (5, 8), (1, 7), (4, 4), (3, 1), (7, 6))
    return {layer: widths[n % len(widths)] for n, layer in enumerate(edsr_layers(blocks))}


GRAPHS = {
    "w8a8": lambda: edsr_graph(channels=16),
    "w4a4": lambda: edsr_graph(channels=16, bits=(4, 4)),
    "w2a2": lambda: edsr_graph(channels=16, bits=(2, 2)),
    "w3a5, residual 11": lambda: edsr_graph(channels=9, bits=(3, 5), residual_bits=11),
    "mixed": lambda: edsr_graph(channels=12, bits=_mixed(2)),
    "w16a16": lambda: edsr_graph(channels=4, bits=(16, 16)),
    "x3": lambda: edsr_graph(channels=8, scale=3),
}


@pytest.mark.parametrize("array", [4, 32])
@pytest.mark.parametrize("sram_kib", [4, 16, 512])
@pytest.mark.parametrize("name", GRAPHS)
def test_the_machine_equals_the_reference(name: str, sram_kib: int, array: int) -> None:
    graph, accelerator, image = GRAPHS[name](), machine(sram_kib, array), _image(11, 14)
    simulation = simulate(graph, accelerator, prices(accelerator), image)
    assert len(np.unique(simulation.output)) > 8
    comparison = compare(simulation.output, graph, image, REFERENCE)
    assert comparison.values == simulation.output.size
    assert comparison.mismatches == 0


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("name", ["w8a8", "mixed", "w16a16"])
def test_commands_side_by_side_give_the_same_integers_and_counts(
    name: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, accelerator, image = GRAPHS[name](), machine(16), _image(23, 14)
    program = schedule(graph, accelerator, Size(23, 14))
    alone = execute(program, accelerator, image, threads=1)
    monkeypatch.setattr(importlib.import_module("hwsim.machine.execute"), "EASY_BITS", 0)
    together = execute(program, accelerator, image, threads=threads)
    assert (together.output == alone.output).all()
    assert (together.output == run_layerwise(graph, image, REFERENCE)).all()
    assert together.dram_read_bytes == alone.dram_read_bytes
    assert together.dram_write_bytes == alone.dram_write_bytes


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_tiny_images(size: tuple[int, int]) -> None:
    graph, accelerator, image = edsr_graph(), machine(4), _image(*size)
    output = simulate(graph, accelerator, prices(accelerator), image).output
    assert output.shape == (2 * size[0], 2 * size[1], 3)
    assert compare(output, graph, image, REFERENCE).mismatches == 0


@pytest.mark.parametrize("name", GRAPHS)
def test_both_arithmetics_agree_layer_by_layer(name: str) -> None:
    graph, image = GRAPHS[name](), _image(12, 10)
    reference = run_layerwise(graph, image, REFERENCE)
    assert (run_layerwise(graph, image, KERNELS) == reference).all()


def test_estimate_equals_simulate() -> None:
    graph, accelerator = edsr_graph(channels=16, bits=_mixed(2)), machine(16)
    estimated = estimate(graph, accelerator, prices(accelerator), Size(11, 14))
    simulated = simulate(graph, accelerator, prices(accelerator), _image(11, 14))
    assert estimated.cost == simulated.cost


def test_a_mismatch_is_located() -> None:
    graph, image = edsr_graph(), _image(6, 6)
    output = run_layerwise(graph, image, REFERENCE)
    output[3, 4, 1] += 1
    comparison = compare(output, graph, image, REFERENCE)
    assert comparison.mismatches == 1
    assert comparison.first == (3, 4, 1)
    assert comparison.found == int(output[3, 4, 1])
    assert comparison.expected == int(output[3, 4, 1]) - 1


def test_an_image_of_another_size_is_refused() -> None:
    accelerator = machine()
    program = schedule(edsr_graph(), accelerator, Size(6, 6))
    with pytest.raises(ValueError, match=r"expected codes of shape \(6, 6, 3\), given \(6, 7, 3\)"):
        execute(program, accelerator, _image(6, 7))


def test_dropping_any_load_is_noticed() -> None:
    graph, accelerator, image = edsr_graph(blocks=1), machine(4), _image(6, 7)
    program = schedule(graph, accelerator, Size(6, 7))
    loads = [
        position
        for position, command in enumerate(program.commands)
        if isinstance(command, LoadConstants | LoadRows)
    ]
    for position in loads[::5]:
        commands = program.commands[:position] + program.commands[position + 1 :]
        broken = dataclasses.replace(program, commands=commands)
        expected = run_layerwise(graph, image, REFERENCE)
        try:
            output = execute(broken, accelerator, image).output
        except MachineError:
            continue
        # The ring still held an older row: the wrong data must show in the picture.
        assert (output != expected).any()


def test_dropping_a_store_shows_in_the_picture() -> None:
    graph, accelerator, image = edsr_graph(blocks=1), machine(16), _image(6, 7)
    program = schedule(graph, accelerator, Size(6, 7))
    commands = [command for command in program.commands if not isinstance(command, StoreRows)]
    broken = dataclasses.replace(program, commands=tuple(commands))
    output = execute(broken, accelerator, image).output
    assert (output != run_layerwise(graph, image, REFERENCE)).any()


def test_sram_forgets() -> None:
    sram, block = Sram(64), Block("weights", 8, 4)
    sram.write(8, np.arange(4, dtype=np.uint8))
    assert sram.read_block(block).tolist() == [0, 1, 2, 3]
    sram.forget()
    with pytest.raises(MachineError, match="'weights' at SRAM address 8 is read before it is"):
        sram.read_block(block)


def test_what_a_shorter_row_left_is_not_there() -> None:
    sram, u8 = Sram(64), IntegerType(8)
    ring = LineBuffer("ring", 16, 2, 16, 2, u8)
    long, short = Rows(ring, 0, 1, 6), Rows(ring, 2, 1, 5)  # the same slot
    sram.mark_rows(long)
    assert sram.check_rows(long) == (16,)
    sram.mark_rows(short)
    assert sram.check_rows(short) == (16,)
    with pytest.raises(MachineError, match="'ring' at SRAM address 16 is read before it is"):
        sram.check_rows(long)
    with pytest.raises(MachineError, match="'ring' at SRAM address 32 is read before it is"):
        sram.check_rows(Rows(ring, 2, 2, 5))


def test_progress_grows_to_every_command() -> None:
    graph: Graph = edsr_graph(blocks=1)
    accelerator = machine()
    program = schedule(graph, accelerator, Size(40, 4))
    seen: list[tuple[int, int]] = []
    execute(program, accelerator, _image(40, 4), lambda done, total: seen.append((done, total)))
    commands = len(program.commands)
    assert {total for _, total in seen} == {commands}
    assert len(seen) > 1
    assert seen == sorted(seen)
    assert seen[-1] == (commands, commands)
