"""The division into cascades against every other, and what it is good for."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from accelerators import Accelerator, load_accelerator, resized
from hwsim.cost import ProgramCost
from hwsim.machine import execute
from hwsim.schedule import optimizer, plan, schedule
from hwsim.schedule.cascade import can_be_stage, form_cascade
from hwsim.schedule.cascade_tiling import Walks
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.groups import Group, Readers, form_groups, split_copies
from hwsim.schedule.objective import OBJECTIVES, Rank
from hwsim.schedule.optimizer import Network, best_parts
from hwsim.schedule.plan import Plan, plan_network
from hwsim.schedule.shapes import Memory
from hwsim.schedule.tiling import Problem, Tilings
from hwsim.schedule.walk_figures import CascadeProblem
from hwsim.simulation import estimate
from quant.graph import Graph, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine, prices
from tests.unit.schedule.graph_parts import network_of, shapes_of

IMAGE = Size(12, 14)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return edsr_graph(blocks=1, channels=12)


def _rank(graph: Graph, network: Network, first: int, last: int) -> Rank | None:
    """What a run of groups costs, found anew; None where it cannot run."""
    groups = network.joined(first, last)
    common = network.types, network.tensors, network.accelerator
    works = [GroupWork(group, network.types, network.accelerator) for group in groups]
    if len(groups) == 1:
        types, tensors, accelerator = common
        problem = Problem(groups[0], types, network.sizes, tensors, accelerator)
        return Tilings(problem, works[0], network.aim).best().rank
    if not all(can_be_stage(group, network.sizes) for group in groups):
        return None
    outside = shapes_of(graph, network, Memory()).outside(first, last)
    cascade = form_cascade(groups, outside, network.sizes)
    if cascade is None:
        return None
    walk = Walks(CascadeProblem(cascade, *common), works, network.aim).best()
    return None if walk is None else walk.rank


def _divisions(count: int) -> Iterator[list[tuple[int, int]]]:
    """Every way to cut a row of groups into runs."""
    for cuts in range(1 << (count - 1)):
        ends = [0, *(place for place in range(1, count) if cuts >> (place - 1) & 1), count]
        yield list(pairwise(ends))


@pytest.mark.parametrize(
    ("sram_kib", "objective"),
    [*((8, objective) for objective in OBJECTIVES), (5, "balanced"), (16, "dram"), (32, "cycles")],
)
def test_no_division_is_better(graph: Graph, sram_kib: int, objective: str) -> None:
    accelerator = machine(sram_kib, 8, objective=objective)
    network = network_of(graph, accelerator, IMAGE)
    count = len(network.groups)
    ranks = {
        (first, last): _rank(graph, network, first, last)
        for first in range(count)
        for last in range(first + 1, count + 1)
    }

    def total(division: list[tuple[int, int]]) -> Rank | None:
        found = [ranks[run] for run in division]
        if None in found:
            return None
        return sum(r[0] for r in found if r), sum(r[1] for r in found if r)

    memory = Memory()
    parts = best_parts(network, shapes_of(graph, network, memory), memory)
    chosen = [(part.first, part.last) for part in parts]
    every = [found for each in _divisions(count) if (found := total(each)) is not None]
    assert len(every) > 1
    assert total(chosen) == min(every)
    assert chosen[0][0] == 0
    assert chosen[-1][1] == count


MACHINES = [
    *(machine(16, 8, objective=objective) for objective in OBJECTIVES),
    machine(6, 8),
    machine(64),
    *(
        resized(load_accelerator(name), sram_kib=16)
        for name in ("edge_tpu", "nvdla_nv_small", "bit_fusion", "unpu")
    ),
]


@pytest.mark.parametrize("accelerator", MACHINES)
def test_cutting_every_run_finds_the_same_division(
    accelerator: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some runs are not cut, as no cut would make them part of the best division."""
    graph, image = edsr_graph(blocks=2, channels=12), Size(24, 30)
    memory, thorough = Memory(), Memory()
    found = _described(plan_network(graph, accelerator, image, memory))
    monkeypatch.setattr(optimizer, "_beyond", lambda limit, least: None)
    assert found == _described(plan_network(graph, accelerator, image, thorough))
    assert memory.tilings.items() < thorough.tilings.items()
    assert memory.walks.items() <= thorough.walks.items()
    for shape, tiling in thorough.least_tilings.items():
        assert tiling.rank <= thorough.tilings[shape].rank
    for shape, walk in thorough.least_walks.items():
        best = thorough.walks[shape]
        assert best is not None
        assert walk.rank <= best.rank


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_planning_twice_gives_the_same(graph: Graph, objective: str) -> None:
    accelerator = machine(8, 8, objective=objective)
    first, second = (plan_network(graph, accelerator, IMAGE) for _ in range(2))
    assert _described(first) == _described(second)


def _described(plans: list[Plan]) -> list[object]:
    return [plan.describe(number) for number, plan in enumerate(plans)]


def test_what_was_found_once_is_looked_up(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    accelerator, memory = machine(8, 8), Memory()
    first = plan_network(graph, accelerator, IMAGE, memory)
    assert memory.tilings
    assert memory.walks
    known = len(memory.tilings), len(memory.walks), len(memory.numbers)

    def refuse(*_: object) -> None:
        raise AssertionError("searched again")

    monkeypatch.setattr(optimizer, "Tilings", refuse)
    monkeypatch.setattr(optimizer, "Walks", refuse)
    again = plan_network(graph, accelerator, IMAGE, memory)
    assert _described(again) == _described(first)
    other = edsr_graph(blocks=1, channels=12, seed=3)  # other weights of the same shapes
    assert _described(plan_network(other, accelerator, IMAGE, memory)) == _described(first)
    assert known == (len(memory.tilings), len(memory.walks), len(memory.numbers))
    with pytest.raises(AssertionError, match="searched again"):
        plan_network(graph, accelerator, Size(13, 14), memory)


def test_blocks_of_one_shape_are_searched_once() -> None:
    accelerator = machine(8, 8)
    searched = []
    for blocks in (3, 6):
        memory = Memory()
        plan_network(edsr_graph(blocks=blocks, channels=12), accelerator, IMAGE, memory)
        searched.append(len(memory.tilings))
    assert searched[0] == searched[1]


def _names(groups: list[tuple[int, Group]]) -> list[tuple[int, tuple[str, ...]]]:
    return [(origin, tuple(node.name for node in group.nodes)) for origin, group in groups]


def test_copies_of_what_is_stored_are_apart(graph: Graph) -> None:
    sizes = graph.sizes(IMAGE)
    apart = split_copies(Readers(graph), form_groups(graph, sizes), sizes)
    assert _names(apart) == [
        (0, ("head.input",)),
        (1, ("head",)),
        (1, ("block0.conv1.input",)),
        (2, ("block0.conv1",)),
        # What it adds goes nowhere but into the copy, so it is none.
        (3, ("block0.conv2", "block0.add", "body_end.input")),
        (4, ("body_end", "global_add", "upsampler.input")),
        (5, ("upsampler", "shuffle")),
        (6, ("tail",)),
    ]
    head, copy = apart[1][1], apart[2][1]
    assert [node.name for node in head.stored] == ["head"]
    assert copy.streamed == ("head",)


def test_whoever_stores_least_makes_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = edsr_graph(blocks=3, channels=16)
    saved = []
    for sram_kib in (8, 16, 32):
        accelerator = machine(sram_kib, objective="dram")
        apart = plan_network(graph, accelerator, Size(48, 64))
        with monkeypatch.context() as patch:
            patch.setattr(
                plan, "split_copies", lambda readers, groups, sizes: list(enumerate(groups))
            )
            together = plan_network(graph, accelerator, Size(48, 64))
        saved.append(_traffic(together) - _traffic(apart))
    assert min(saved) >= 0
    assert max(saved) > 0


def _traffic(plans: list[Plan]) -> int:
    return sum(each.traffic_bytes for each in plans)


def test_the_objective_dram_moves_least(graph: Graph) -> None:
    for sram_kib in (5, 8, 16):
        moved = {
            objective: _traffic(
                plan_network(graph, machine(sram_kib, 8, objective=objective), Size(24, 30))
            )
            for objective in OBJECTIVES
        }
        assert moved["dram"] == min(moved.values())
        alone = machine(sram_kib, 8, objective="dram", fusion=False)
        assert moved["dram"] <= _traffic(plan_network(graph, alone, Size(24, 30)))


@pytest.mark.parametrize(
    ("bits", "residual_bits", "most_bytes"), [((8, 8), 8, 450e6), ((4, 4), 4, 220e6)]
)
def test_edsr_baseline_moves_little_where_that_is_the_objective(
    bits: tuple[int, int], residual_bits: int, most_bytes: float
) -> None:
    graph = edsr_graph(16, 64, 2, bits, residual_bits=residual_bits)
    plans = plan_network(graph, machine(512, objective="dram"), Size(540, 960))
    assert _traffic(plans) <= most_bytes


def test_fusion_spares_edsr_baseline_most_of_its_traffic() -> None:
    graph, size = edsr_graph(16, 64, 2, (8, 8), residual_bits=8), Size(128, 128)
    fused, alone = (
        estimate(graph, each, prices(each), size).cost
        for each in (machine(fusion=True), machine(fusion=False))
    )
    assert _moved(fused) <= 0.7 * _moved(alone)
    least = graph.macs(size) // 1024
    assert least == 21_961_728
    # 37.7 M is what Vela estimates for it on an array of as many multipliers.
    assert least < fused.cycles < alone.cycles < 37.7e6


def _moved(cost: ProgramCost) -> int:
    return cost.dram_read_bytes + cost.dram_write_bytes


def test_the_bytes_that_fusion_spares_are_not_moved(graph: Graph) -> None:
    """Counted by the machine while it runs, payload only."""
    image = np.random.default_rng(1).integers(0, 256, (20, 24, 3)).astype(np.int32)
    moved, outputs = [], []
    for fusion in (True, False):
        accelerator = machine(16, 8, fusion=fusion)
        found = execute(schedule(graph, accelerator, Size(20, 24)), accelerator, image)
        moved.append(found.dram_read_bytes + found.dram_write_bytes)
        outputs.append(found.output)
    np.testing.assert_array_equal(*outputs)
    assert moved[0] <= 0.7 * moved[1]
