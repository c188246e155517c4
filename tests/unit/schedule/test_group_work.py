"""What tiles are said to take, against the cost of the commands that they become."""

from collections import Counter

import pytest

from hwsim.cost.command_costs import command_cost
from hwsim.schedule import schedule
from hwsim.schedule.commands import Convolve, Elementwise
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.groups import form_groups
from quant.graph import Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine

IMAGE = Size(13, 21)


@pytest.mark.parametrize("sram_kib", [4, 512])
def test_a_tile_takes_as_long_as_its_commands(sram_kib: int) -> None:
    graph, accelerator = edsr_graph(channels=16), machine(sram_kib, fusion=False)
    program = schedule(graph, accelerator, IMAGE)
    types = {node.name: node.output for node in graph.nodes}
    groups = form_groups(graph, graph.sizes(IMAGE))
    works = [GroupWork(group, types, accelerator) for group in groups]
    tiles: Counter[tuple[int, int, int]] = Counter()
    whole = 0
    for command in program.commands:
        if isinstance(command, Convolve):
            work, cycles = works[command.group], command_cost(command, accelerator).cycles
            assert work.array_cycles(command.pixels, command.channels) == cycles
            if command.channels == work.channels:
                assert work.cycles(command.pixels)[0] == cycles
                whole += 1
        elif isinstance(command, Elementwise):
            tile = command.group, command.output.first, command.output.pixels
            tiles[tile] += command_cost(command, accelerator).cycles
    assert whole
    assert tiles
    for (index, _, pixels), cycles in tiles.items():
        assert works[index].vector_cycles(pixels) == works[index].cycles(pixels)[1] == cycles
