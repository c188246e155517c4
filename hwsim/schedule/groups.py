"""Which operators run together on a tile: an anchor and those behind it that need no other tile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwsim.schedule.roles import JOINING, OWN_GRID, ROLES, WINDOWED, Role, role
from quant.common.errors import UserError
from quant.graph import Convolution, Graph, Input, LookupTable, Node, Requantize, Size


class ScheduleError(UserError):
    """A network that cannot be run on an accelerator: names the operator and what it needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Nodes computed together, tile by tile, with no feature map between them leaving SRAM.

    Attributes:
        nodes: anchor first, then followers, in graph order.
        stored: nodes whose tensor goes to DRAM, because something outside the group reads it.
        grid: height and width of what the tiles cut.
        streamed: tensors read from DRAM tile by tile, each once, in first-use order; a window of
            the anchor's is none of them.
        pixels: tensors of a single pixel that stay in SRAM while the tiles pass.
    """

    nodes: tuple[Node, ...]
    stored: tuple[Node, ...]
    grid: Size
    streamed: tuple[str, ...]
    pixels: tuple[str, ...]

    @property
    def anchor(self) -> Node:
        """The node the tiles are cut for."""
        return self.nodes[0]

    @property
    def convolution(self) -> Convolution | None:
        """The anchor's operator when it is a convolution."""
        operator = self.anchor.operator
        return operator if isinstance(operator, Convolution) else None

    @property
    def is_windowed(self) -> bool:
        """Whether the anchor reads a window of rows of its input."""
        return role(self.anchor.operator) in WINDOWED


def form_groups(graph: Graph, sizes: Mapping[str, Size]) -> tuple[Group, ...]:
    """Put every node but the input into a group, groups in an order that can be executed.

    A convolution or an interpolation opens a group. Any other operator joins the
    group that produces the latest of its inputs, so that its other inputs are in DRAM by then; it
    opens a group of its own when all of them come from the image, or when that group works on
    another pixel grid.

    Args:
        graph: of operators that have a role.
        sizes: heights and widths by node name.

    Raises:
        ScheduleError: an operator has none.
    """
    members: list[list[Node]] = []
    group_of: dict[str, int] = {}
    for node in graph.nodes:
        if isinstance(node.operator, Input):
            continue
        _check_mapped(node)
        latest = max((group_of.get(name, -1) for name in node.inputs), default=-1)
        if latest >= 0 and _can_join(node, members[latest], sizes):
            members[latest].append(node)
            group_of[node.name] = latest
        else:
            members.append([node])
            group_of[node.name] = len(members) - 1
    readers = Readers(graph)
    return tuple(make_group(readers, nodes, sizes) for nodes in members)


class Readers:
    """Who reads each tensor of a graph; to be made once, and asked often.

    Attributes:
        output: name of the graph's output.
        of: names of the nodes that read a node's tensor, by its name.
    """

    def __init__(self, graph: Graph) -> None:
        self.output = graph.output
        self.of = graph.consumers()


def split_copies(
    readers: Readers, groups: Sequence[Group], sizes: Mapping[str, Size]
) -> list[tuple[int, Group]]:
    """Groups with their last copies apart, each with the number of the group it is part of.

    Where a group stores a feature map and a copy of it in other codes, the copy can as well be
    made by whoever reads it: then only the map goes through DRAM. `make_group` puts parts of a
    group together again.
    """
    apart: list[tuple[int, Group]] = []
    for index, group in enumerate(groups):
        copies = _last_copies(group)
        kept = [node for node in group.nodes if node not in copies]
        if not copies:
            apart.append((index, group))
            continue
        apart += [(index, make_group(readers, part, sizes)) for part in (kept, copies)]
    return apart


def _last_copies(group: Group) -> list[Node]:
    """Nodes of a group that only put what is stored into other codes, for others to read."""
    stored = {node.name for node in group.stored}
    return [
        node
        for node in group.nodes[1:]
        if isinstance(node.operator, Requantize | LookupTable)
        and node.name in stored
        and node.inputs[0] in stored
        and not any(node.name in other.inputs for other in group.nodes)
    ]


def _check_mapped(node: Node) -> None:
    if type(node.operator) not in ROLES:
        raise ScheduleError(
            f"operator '{node.name}' ({node.operator.kind}): expected one the scheduler maps, "
            "found one it does not map yet; run the graph layer by layer"
        )


def _can_join(node: Node, members: list[Node], sizes: Mapping[str, Size]) -> bool:
    """Whether a node works on the tiles of a group, which hold what it reads of that group."""
    if role(node.operator) not in JOINING or _grid(node, sizes) != _grid(members[0], sizes):
        return False
    elsewhere = {member.name for member in members if role(member.operator) not in OWN_GRID}
    return not any(name in elsewhere for name in node.inputs)


def _grid(node: Node, sizes: Mapping[str, Size]) -> Size:
    """The pixel grid a node works on: its output's, or what a remap or reduction reads."""
    return sizes[node.name if role(node.operator) in OWN_GRID else node.inputs[0]]


def make_group(readers: Readers, nodes: Sequence[Node], sizes: Mapping[str, Size]) -> Group:
    """The group of some nodes, the anchor first, followers in graph order."""
    inside = {node.name for node in nodes}
    grid = _grid(nodes[0], sizes)
    stored = tuple(
        node
        for node in nodes
        if node.name == readers.output
        or not readers.of[node.name]
        or any(reader not in inside for reader in readers.of[node.name])
    )
    # A windowed anchor reads its first operand by windows, others like those behind it do.
    windows = 1 if role(nodes[0].operator) in WINDOWED else 0
    names = [*nodes[0].inputs[windows:], *(name for node in nodes[1:] for name in node.inputs)]
    loaded = dict.fromkeys(name for name in names if name not in inside)
    return Group(
        tuple(nodes),
        stored,
        grid,
        tuple(name for name in loaded if sizes[name] == grid),
        tuple(name for name in loaded if sizes[name] != grid),
    )


def is_remap(node: Node) -> bool:
    """Whether a node is other addresses of a store, and no work."""
    return role(node.operator) is Role.REMAP


def is_reduction(node: Node) -> bool:
    """Whether a node's one pixel is there when all tiles have passed."""
    return role(node.operator) is Role.REDUCTION
