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
from hwsim.schedule.cascade_tiling import Walks
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.groups import Group, Readers, ScheduleError, make_group
from hwsim.schedule.objective import Aim, Rank
from hwsim.schedule.program import Tiling
from hwsim.schedule.shapes import Memory, Shape, Shapes
from hwsim.schedule.storage import DramTensor
from hwsim.schedule.tiling import Choice, Problem, T, Tilings
from hwsim.schedule.walk_figures import CascadeProblem
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
    division = _Division(_Cuts(network, shapes, memory))
    for first in range(len(network.groups)):
        division.extend(first)
    return division.parts()


def cut_again(network: Network, shapes: Shapes, memory: Memory, part: Part) -> Part | None:
    """The same groups cut for other types of tensors; None where they do not fit any more.

    Args:
        network: with other types.
        shapes: of its groups.
        memory: cuts found so far on this machine; new ones are added.
        part: of the network as it was.
    """
    cuts, first, last = _Cuts(network, shapes, memory), part.first, part.last
    found: Choice[Tiling] | Choice[Walk] | None
    if isinstance(part.cut, Tiling):
        try:
            found = cuts.tiling(first, last)
        except ScheduleError:
            return None
    else:
        found = cuts.walk(first, last)
    return None if found is None else _part(shapes, first, last, found)


class _Division:
    """The best division of the first groups, for every number of them reached so far."""

    def __init__(self, cuts: "_Cuts") -> None:
        self._cuts = cuts
        self._best: dict[int, tuple[Rank, Part | None]] = {0: ((0, 0), None)}

    def parts(self) -> list[Part]:
        """The parts of the best division of all groups."""
        parts: list[Part] = []
        end = len(self._cuts.network.groups)
        while end:
            chosen = self._best[end][1]
            assert chosen is not None
            parts.append(chosen)
            end = chosen.first
        return parts[::-1]

    def extend(self, first: int) -> None:
        """Try every part that starts with a group behind the best division of those before it."""
        cuts, network = self._cuts, self._cuts.network
        groups, origins = network.groups, network.origins
        last = first
        while last < len(groups) and origins[last] == origins[first]:
            last += 1
            self._try(first, last, cuts.tiling(first, last, self._limit(first, last)))
        failures = 0
        is_stage = network.accelerator.scheduling.fusion and all(
            can_be_stage(group, network.sizes) for group in groups[first:last]
        )
        while is_stage and failures < FAILURES and last < len(groups):
            if not can_be_stage(groups[last], network.sizes):
                break
            last += 1
            walk = cuts.walk(first, last, self._limit(first, last))
            failures = failures + 1 if walk is None else 0
            if walk is not None:
                self._try(first, last, walk)

    def _limit(self, first: int, last: int) -> Rank | None:
        """What a part has to go below to be better than all that end where it does."""
        if last not in self._best:
            return None
        (base, _), (total, _) = self._best[first], self._best[last]
        return total[0] - base[0], total[1] - base[1]

    def _try(self, first: int, last: int, found: Choice[Tiling] | Choice[Walk]) -> None:
        limit = self._limit(first, last)
        if limit is None or found.rank < limit:
            base, _ = self._best[first]
            total = base[0] + found.rank[0], base[1] + found.rank[1]
            self._best[last] = total, _part(self._cuts.shapes, first, last, found)


class _Cuts:
    """How runs of groups are cut; looked up where their shape was met before.

    With a limit that no cut goes below, any cut may be given, with a rank that none goes below.

    Attributes:
        network: the groups.
        shapes: of them.
        memory: what was found so far; what is found is added.
    """

    def __init__(self, network: Network, shapes: Shapes, memory: Memory) -> None:
        self.network, self.shapes, self.memory = network, shapes, memory

    def tiling(self, first: int, last: int, limit: Rank | None = None) -> Choice[Tiling]:
        """The best tiling of a group, given as a run of its parts.

        Raises:
            ScheduleError: not even the smallest tile fits SRAM.
        """
        network, memory, shape = self.network, self.memory, self.shapes.of(first, last)
        if (known := memory.tilings.get(shape)) is not None:
            return known
        if (least := _beyond(limit, memory.least_tilings.get(shape))) is not None:
            return least
        (group,) = network.joined(first, last)
        (work,) = network.works(shape, memory, first, last)
        problem = Problem(group, network.types, network.sizes, network.tensors, network.accelerator)
        tilings = Tilings(problem, work, network.aim)
        if limit is not None and (least := tilings.least()) is not None:
            memory.least_tilings[shape] = least
            if _beyond(limit, least) is not None:
                return least
        memory.tilings[shape] = tilings.best()
        return memory.tilings[shape]

    def walk(self, first: int, last: int, limit: Rank | None = None) -> Choice[Walk] | None:
        """The best walk through a run of groups; None if they do not fit SRAM together."""
        network, memory, shape = self.network, self.memory, self.shapes.of(first, last)
        if shape in memory.walks:
            return memory.walks[shape]
        if (least := _beyond(limit, memory.least_walks.get(shape))) is not None:
            return least
        cascade = network.cascade(self.shapes, first, last)
        if cascade is None:
            memory.walks[shape] = None
            return None
        works = network.works(shape, memory, first, last)
        problem = CascadeProblem(cascade, network.types, network.tensors, network.accelerator)
        walks = Walks(problem, works, network.aim)
        if limit is not None and (least := walks.least()) is not None:
            memory.least_walks[shape] = least
            if _beyond(limit, least) is not None:
                return least
        memory.walks[shape] = walks.best()
        return memory.walks[shape]


def _beyond(limit: Rank | None, least: Choice[T] | None) -> Choice[T] | None:
    """A choice that does not go below a limit, if there are both."""
    return None if limit is None or least is None or least.rank < limit else least


def _part(shapes: Shapes, first: int, last: int, found: Choice[Tiling] | Choice[Walk]) -> Part:
    return Part(first, last, shapes.of(first, last), found.cut, found.rank)
