"""Which groups run together: the division of a network into cascades that costs least.

What a part costs does not depend on how the others are divided, so the best division of the first
n groups is the best of the first m and one part more, for some m: dynamic programming over all
runs of neighbouring groups that fit SRAM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from accelerators import Accelerator
from hwsim.schedule.cascade import Cascade, Walk, can_be_stage, form_cascade
from hwsim.schedule.cascade_tiling import CascadeProblem, choose_walk
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.groups import Group, Readers, ScheduleError, make_group
from hwsim.schedule.objective import Aim, Rank
from hwsim.schedule.program import Tiling
from hwsim.schedule.shapes import Memory, Shape, Shapes
from hwsim.schedule.storage import DramTensor
from hwsim.schedule.tiling import Choice, Problem, choose_tiling
from quant.graph import Size, TensorType

FAILURES = 2
"""Runs in a row that do not fit, after which longer ones from the same group are not tried: they
hold more weights and rows, but may store less."""


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring groups that run together, and how they are cut.

    Attributes:
        first: index of the first group.
        last: index of the group behind them.
        shape: as in `Shapes`.
        cut: of a single group its tiling, of a cascade the walk through it.
        rank: how good they are so.
    """

    first: int
    last: int
    shape: Shape
    cut: Tiling | Walk
    rank: Rank


@dataclass(frozen=True, slots=True)
class Network:
    """What is divided.

    Attributes:
        groups: of the graph, in the order of execution, copies apart (`split_copies`).
        origins: for each the number of the group that it is part of.
        readers: of the graph's tensors.
        types: tensor types by node name.
        sizes: heights and widths by node name.
        tensors: the tensors that visit DRAM if no group runs together with another.
        accelerator: the machine.
        aim: what is minimized.
    """

    groups: Sequence[Group]
    origins: Sequence[int]
    readers: Readers
    types: Mapping[str, TensorType]
    sizes: Mapping[str, Size]
    tensors: Mapping[str, DramTensor]
    accelerator: Accelerator
    aim: Aim

    def joined(self, first: int, last: int) -> list[Group]:
        """The groups from one to before another, parts of one group put together."""
        return [self._group(run) for run in self._runs(first, last)]

    def works(self, shape: Shape, memory: Memory, first: int, last: int) -> list[GroupWork]:
        """The work of these groups, of a run of some shape."""
        found = []
        for run in self._runs(first, last):
            numbers = shape[0][run[0] - first : run[-1] + 1 - first]
            if numbers not in memory.works:
                work = GroupWork(self._group(run), self.types, self.accelerator)
                memory.works[numbers] = work
            found.append(memory.works[numbers])
        return found

    def cascade(self, shapes: Shapes, first: int, last: int) -> Cascade | None:
        """The cascade of the groups from one to before another, if they can be one."""
        return form_cascade(self.joined(first, last), shapes.outside(first, last), self.sizes)

    def _runs(self, first: int, last: int) -> list[list[int]]:
        """Indices of the parts of each group."""
        runs = groupby(range(first, last), key=self.origins.__getitem__)
        return [list(run) for _, run in runs]

    def _group(self, indices: Sequence[int]) -> Group:
        if len(indices) == 1:
            return self.groups[indices[0]]
        nodes = [node for index in indices for node in self.groups[index].nodes]
        return make_group(self.readers, nodes, self.sizes)


def best_parts(network: Network, shapes: Shapes, memory: Memory) -> list[Part]:
    """The division with the least rank.

    Args:
        network: what is divided.
        shapes: of its groups.
        memory: cuts found so far on this machine; new ones are added.

    Raises:
        ScheduleError: no tile of a group fits SRAM.
    """
    groups = network.groups
    best: list[tuple[Rank, Part | None]] = [((0, 0), None)]
    best += [((0, 0), None)] * len(groups)
    reached = {0}
    for first in range(len(groups)):
        base, _ = best[first]
        for part in _parts_from(network, shapes, memory, first):
            total = base[0] + part.rank[0], base[1] + part.rank[1]
            if part.last not in reached or total < best[part.last][0]:
                best[part.last] = total, part
                reached.add(part.last)
    parts: list[Part] = []
    end = len(groups)
    while end:
        chosen = best[end][1]
        assert chosen is not None
        parts.append(chosen)
        end = chosen.first
    return parts[::-1]


def _parts_from(network: Network, shapes: Shapes, memory: Memory, first: int) -> list[Part]:
    """Every part that starts with a group."""
    groups, origins = network.groups, network.origins
    found = []
    last = first
    while last < len(groups) and origins[last] == origins[first]:
        last += 1
        shape = shapes.of(first, last)
        tiling = _tiling(network, shape, memory, first, last)
        found.append(Part(first, last, shape, tiling.cut, tiling.rank))
    failures = 0
    is_stage = network.accelerator.scheduling.fusion and all(
        can_be_stage(group, network.sizes) for group in groups[first:last]
    )
    while is_stage and failures < FAILURES and last < len(groups):
        if not can_be_stage(groups[last], network.sizes):
            break
        last += 1
        shape = shapes.of(first, last)
        walk = _walk(network, shapes, memory, shape, first, last)
        failures = failures + 1 if walk is None else 0
        if walk is not None:
            found.append(Part(first, last, shape, walk.cut, walk.rank))
    return found


def cut_again(network: Network, shapes: Shapes, memory: Memory, part: Part) -> Part | None:
    """The same groups cut for other types of tensors; None where they do not fit any more.

    Args:
        network: with other types.
        shapes: of its groups.
        memory: cuts found so far on this machine; new ones are added.
        part: of the network as it was.
    """
    first, last = part.first, part.last
    shape = shapes.of(first, last)
    if isinstance(part.cut, Tiling):
        try:
            tiling = _tiling(network, shape, memory, first, last)
        except ScheduleError:
            return None
        return Part(first, last, shape, tiling.cut, tiling.rank)
    walk = _walk(network, shapes, memory, shape, first, last)
    return None if walk is None else Part(first, last, shape, walk.cut, walk.rank)


def _tiling(
    network: Network, shape: Shape, memory: Memory, first: int, last: int
) -> Choice[Tiling]:
    known = memory.tilings.get(shape)
    if known is None:
        (group,) = network.joined(first, last)
        problem = Problem(group, network.types, network.sizes, network.tensors, network.accelerator)
        (work,) = network.works(shape, memory, first, last)
        known = memory.tilings[shape] = choose_tiling(problem, work, network.aim)
    return known


def _walk(
    network: Network, shapes: Shapes, memory: Memory, shape: Shape, first: int, last: int
) -> Choice[Walk] | None:
    if shape not in memory.walks:
        cascade = network.cascade(shapes, first, last)
        memory.walks[shape] = None
        if cascade is not None:
            problem = CascadeProblem(cascade, network.types, network.tensors, network.accelerator)
            works = network.works(shape, memory, first, last)
            memory.walks[shape] = choose_walk(problem, works, network.aim)
    return memory.walks[shape]
