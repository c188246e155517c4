"""What a cut depends on, as something that can be looked up: equal shapes are cut alike."""

from collections.abc import Hashable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field

from hwsim.schedule.cascade import Walk
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.groups import Group
from hwsim.schedule.program import Tiling
from hwsim.schedule.tiling import Choice
from hwsim.schedule.vector_constants import constants_bytes
from quant.graph import (
    BilinearResize,
    Convolution,
    Graph,
    NearestResize,
    Node,
    PixelShuffle,
    ScaledConvolution,
    Size,
    Statistics,
    TensorType,
)

Shape = tuple[tuple[int, ...], tuple[bool, ...]]
"""Numbers of neighbouring groups, and which of their nodes something else reads."""


@dataclass(slots=True, eq=False)
class Memory:
    """What was found on one machine so far, for graphs to come.

    Attributes:
        numbers: of groups, by all that their cut depends on.
        tilings: of single groups, by shape.
        walks: of cascades, by shape; None where none fits.
        least_tilings: of single groups, some tiling with a rank that none goes below.
        least_walks: the same of cascades.
        works: of groups, by the numbers of the parts that they are put together from.
    """

    numbers: dict[Hashable, int] = field(default_factory=dict)
    tilings: dict[Shape, Choice[Tiling]] = field(default_factory=dict)
    walks: dict[Shape, Choice[Walk] | None] = field(default_factory=dict)
    least_tilings: dict[Shape, Choice[Tiling]] = field(default_factory=dict)
    least_walks: dict[Shape, Choice[Walk]] = field(default_factory=dict)
    works: dict[tuple[int, ...], GroupWork] = field(default_factory=dict)


class Shapes:
    """The shapes of a graph's groups and of runs of them."""

    def __init__(
        self, graph: Graph, groups: Sequence[Group], sizes: Mapping[str, Size], memory: Memory
    ) -> None:
        self._groups = groups
        self._last_reader = _last_readers(graph, groups)
        places = {graph.input.name: (-1, 0)} | {
            node.name: (index, position)
            for index, group in enumerate(groups)
            for position, node in enumerate(group.nodes)
        }
        self._places, self._sizes, self._memory = places, sizes, memory
        types = {node.name: node.output for node in graph.nodes}
        self._numbers = [self._number(index, group, types) for index, group in enumerate(groups)]

    def with_groups(self, groups: Mapping[int, Group], types: Mapping[str, TensorType]) -> "Shapes":
        """The shapes of a graph that differs in the types of some tensors.

        Args:
            groups: those that differ, with the same wiring, by index.
            types: tensor types by node name, at least of what these groups make and read.
        """
        other = copy(self)
        other._numbers = list(self._numbers)
        for index, group in groups.items():
            other._numbers[index] = self._number(index, group, types)
        return other

    def _number(self, index: int, group: Group, types: Mapping[str, TensorType]) -> int:
        places, sizes, numbers = self._places, self._sizes, self._memory.numbers
        signature = tuple(
            [
                (
                    _operator_shape(node),
                    tuple(
                        [
                            (index - places[name][0], places[name][1], types[name], sizes[name])
                            for name in node.inputs
                        ]
                    ),
                    node.output,
                    sizes[node.name],
                )
                for node in group.nodes
            ]
        )
        return numbers.setdefault(signature, len(numbers))

    def outside(self, first: int, last: int) -> dict[str, bool]:
        """Whether something outside a run of groups reads a node of it that is stored.

        Args:
            first: index of the first group.
            last: index of the group behind the run.
        """
        return {
            node.name: self._last_reader[node.name] >= last
            for group in self._groups[first:last]
            for node in group.stored
        }

    def of(self, first: int, last: int) -> Shape:
        """The shape of a run of groups, ``last`` excluded."""
        readers = self._last_reader
        return (
            tuple(self._numbers[first:last]),
            tuple(
                [
                    readers[node.name] >= last
                    for group in self._groups[first:last]
                    for node in group.stored
                ]
            ),
        )


def _last_readers(graph: Graph, groups: Sequence[Group]) -> dict[str, int]:
    """The last group that reads each node; beyond all groups for the output and what none reads."""
    last: dict[str, int] = {}
    for index, group in enumerate(groups):
        for node in group.nodes:
            for name in node.inputs:
                last[name] = index
    for node in graph.nodes:
        if node.name == graph.output or node.name not in last:
            last[node.name] = len(groups)
    return last


def _operator_shape(node: Node) -> tuple[object, ...]:
    """What commands of an operator and their costs depend on, beside its tensors."""
    operator = node.operator
    own: tuple[object, ...] = ()
    match operator:
        case Convolution():
            scaled = operator if isinstance(operator, ScaledConvolution) else None
            own = (
                operator.weight.shape,
                operator.weight_type,
                operator.padding,
                operator.stride,
                operator.dilation,
                operator.groups,
                operator.tap_offset is not None,
                scaled and (scaled.placement, scaled.is_centred, scaled.points.shape),
            )
        case Statistics():
            own = (operator.statistic,)
        case PixelShuffle() | NearestResize():
            own = (operator.factor,)
        case BilinearResize():
            own = (operator.factor, operator.half_pixel_centers)
    return operator.kind, constants_bytes(operator, node.output), *own
