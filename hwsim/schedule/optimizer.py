"""Which groups run together: the division of a network into cascades that costs least.

What a part costs does not depend on how the others are divided, so the best division of the first
n groups is the best of the first m and one part more, for some m: dynamic programming over all
runs of neighbouring groups that fit SRAM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accelerators import Accelerator
from hwsim.schedule.cascade import Cascade, Walk, can_be_stage, form_cascade
from hwsim.schedule.cascade_tiling import CascadeProblem, choose_walk
from hwsim.schedule.groups import Group
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
        tiling: of a single group.
        cascade: of several groups.
        walk: through the cascade.
    """

    first: int
    last: int
    shape: Shape
    tiling: Tiling | None = None
    cascade: Cascade | None = None
    walk: Walk | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What is divided.

    Attributes:
        groups: of the graph, in the order of execution.
        types: tensor types by node name.
        sizes: heights and widths by node name.
        tensors: the tensors that visit DRAM if no group runs together with another.
        accelerator: the machine.
    """

    groups: Sequence[Group]
    types: Mapping[str, TensorType]
    sizes: Mapping[str, Size]
    tensors: Mapping[str, DramTensor]
    accelerator: Accelerator


_Cost = tuple[int, int]
"""Bytes moved over the DRAM bus, then cycles."""


def best_parts(network: Network, shapes: Shapes, memory: Memory, *, fuses: bool) -> list[Part]:
    """The division that moves the fewest bytes, and of those the one that takes fewest cycles.

    Args:
        network: what is divided.
        shapes: of its groups.
        memory: cuts found so far on this machine; new ones are added.
        fuses: whether groups may run together at all.

    Raises:
        ScheduleError: no tile of a group fits SRAM.
    """
    groups = network.groups
    best: list[tuple[_Cost, Part | None]] = [((0, 0), None)]
    best += [((0, 0), None)] * len(groups)
    reached = {0}
    for first in range(len(groups)):
        base, _ = best[first]
        for part, cost in _parts_from(network, shapes, memory, first, fuses=fuses):
            total = base[0] + cost[0], base[1] + cost[1]
            if part.last not in reached or total < best[part.last][0]:
                best[part.last] = total, part
                reached.add(part.last)
    parts: list[Part] = []
    end = len(groups)
    while end:
        part = best[end][1]
        assert part is not None
        parts.append(part)
        end = part.first
    return parts[::-1]


def _parts_from(
    network: Network, shapes: Shapes, memory: Memory, first: int, *, fuses: bool
) -> list[tuple[Part, _Cost]]:
    """Every part that starts with a group, with its cost."""
    groups = network.groups
    tiling = _tiling(network, shapes.of(first, first + 1), memory, groups[first])
    alone = Part(first, first + 1, shapes.of(first, first + 1), tiling=tiling.cut)
    found = [(alone, (tiling.traffic_bytes, tiling.cycles))]
    failures = 0
    last = first + 1
    while fuses and failures < FAILURES and last < len(groups):
        if last == first + 1 and not can_be_stage(groups[first], network.sizes):
            break
        if not can_be_stage(groups[last], network.sizes):
            break
        last += 1
        shape = shapes.of(first, last)
        cascade, walk = _walk(network, shapes, memory, shape, first, last)
        if cascade is None or walk is None:
            failures += 1
            continue
        failures = 0
        part = Part(first, last, shape, cascade=cascade, walk=walk.cut)
        found.append((part, (walk.traffic_bytes, walk.cycles)))
    return found


def _tiling(network: Network, shape: Shape, memory: Memory, group: Group) -> Choice[Tiling]:
    known = memory.tilings.get(shape)
    if known is None:
        problem = Problem(
            group, network.types, network.sizes, network.tensors, network.accelerator
        )
        known = memory.tilings[shape] = choose_tiling(problem)
    return known


def _walk(
    network: Network, shapes: Shapes, memory: Memory, shape: Shape, first: int, last: int
) -> tuple[Cascade | None, Choice[Walk] | None]:
    if memory.walks.get(shape, shape) is None:  # known not to fit
        return None, None
    groups = network.groups[first:last]
    cascade = form_cascade(groups, shapes.outside(first, last), network.sizes)
    if shape not in memory.walks:
        memory.walks[shape] = None
        if cascade is not None:
            problem = CascadeProblem(
                cascade, network.types, network.tensors, network.accelerator
            )
            memory.walks[shape] = choose_walk(problem)
    return cascade, memory.walks[shape]
