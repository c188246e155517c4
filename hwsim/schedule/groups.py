"""Which operators run together on a tile: an anchor and the elementwise operators behind it."""

from dataclasses import dataclass

from quant.common.errors import UserError
from quant.graph import Add, Convolution, Graph, Input, Node, Operator, PixelShuffle, Requantize


class ScheduleError(UserError):
    """A network that cannot be run on an accelerator: names the operator and what it needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Nodes computed together, tile by tile, with no feature map between them leaving SRAM.

    Attributes:
        nodes: anchor first, then elementwise followers, in graph order.
        stored: nodes whose tensor goes to DRAM, because something outside the group reads it.
    """

    nodes: tuple[Node, ...]
    stored: tuple[Node, ...]

    @property
    def anchor(self) -> Node:
        """The node whose output the tiles cut."""
        return self.nodes[0]

    @property
    def convolution(self) -> Convolution | None:
        """The anchor's operator when it is a convolution."""
        operator = self.anchor.operator
        return operator if isinstance(operator, Convolution) else None

    @property
    def loaded(self) -> tuple[str, ...]:
        """Tensors the elementwise operators read from DRAM, each once, in first-use order."""
        inside = {node.name for node in self.nodes}
        elementwise = self.nodes[1:] if self.convolution else self.nodes
        return tuple(
            dict.fromkeys(
                name for node in elementwise for name in node.inputs if name not in inside
            )
        )


def form_groups(graph: Graph) -> tuple[Group, ...]:
    """Put every node but the input into a group, groups in an order that can be executed.

    A convolution opens a group. An elementwise operator joins the group that produces the latest
    of its inputs, so that its other inputs are in DRAM by then; it opens a group of its own when
    all of them come from the image. A pixel shuffle changes the grid, so nothing joins behind it.
    """
    groups: list[list[Node]] = []
    group_of: dict[str, int] = {}
    for node in graph.nodes:
        if isinstance(node.operator, Input):
            continue
        if not _is_mapped(node.operator):
            raise ScheduleError(
                f"operator '{node.name}' ({node.operator.kind}): expected one the scheduler maps, "
                "found one it does not map yet; run the graph layer by layer"
            )
        latest = max((group_of.get(name, -1) for name in node.inputs), default=-1)
        if _joins(node) and latest >= 0 and not _closed(node, groups[latest]):
            groups[latest].append(node)
            group_of[node.name] = latest
        else:
            groups.append([node])
            group_of[node.name] = len(groups) - 1
    consumers = graph.consumers()
    return tuple(
        Group(
            tuple(nodes),
            tuple(
                node
                for node in nodes
                if node.name == graph.output
                or any(group_of[reader] != index for reader in consumers[node.name])
                or not consumers[node.name]
            ),
        )
        for index, nodes in enumerate(groups)
    )


def _is_mapped(operator: Operator) -> bool:
    match operator:
        case Convolution(stride=(1, 1), dilation=(1, 1), groups=1):
            return True
        case PixelShuffle(order="dcr") | Add() | Requantize():
            return True
        case _:
            return False


def _joins(node: Node) -> bool:
    return isinstance(node.operator, Add | Requantize | PixelShuffle)


def _closed(node: Node, members: list[Node]) -> bool:
    """Whether the node reads a shuffled tensor of the group, which lies on another pixel grid."""
    shuffled = {member.name for member in members if isinstance(member.operator, PixelShuffle)}
    return any(name in shuffled for name in node.inputs)
