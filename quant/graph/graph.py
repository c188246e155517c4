"""The integer graph: operators and the tensors between them, independent of image size."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import networkx as nx

from quant.common.errors import UserError, suggestion
from quant.graph.grids import Size, output_scale, output_size
from quant.graph.operators import Convolution, Input, Operator, TransposedConvolution
from quant.graph.types import TensorType


class GraphError(UserError):
    """A graph that breaks a rule: names the node, what was wanted and what was found."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operator and the one tensor it produces, which bears the node's name."""

    name: str
    operator: Operator
    inputs: tuple[str, ...]
    output: TensorType


@dataclass(frozen=True, eq=False)
class Graph:
    """A network in integers: nodes in an order in which they can be computed.

    Attributes:
        name: what the graph calls itself, such as ``edsr_tiny_x2``.
        nodes: every node, producers before consumers.
        output: name of the node whose tensor is the result.
        metadata: text about where the graph comes from (network, method, policy, …).
    """

    name: str
    nodes: tuple[Node, ...]
    output: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        name: str,
        nodes: Iterable[Node],
        output: str,
        metadata: Mapping[str, str] | None = None,
    ) -> "Graph":
        """Put nodes given in any order into a computable order, and check their wiring.

        Raises:
            GraphError: a name is used twice, an input or the output is unknown, or there is a
                cycle.
        """
        by_name: dict[str, Node] = {}
        for node in nodes:
            if node.name in by_name:
                raise GraphError(f"node '{node.name}': expected a name used once, found it twice")
            by_name[node.name] = node
        for node in by_name.values():
            for source in node.inputs:
                if source not in by_name:
                    raise GraphError(
                        f"node '{node.name}': unknown input '{source}'; "
                        + suggestion(source, by_name)
                    )
        if output not in by_name:
            raise GraphError(f"output '{output}': no such node; {suggestion(output, by_name)}")
        return cls(name, _ordered(by_name), output, dict(metadata or {}))

    def network(self) -> "nx.DiGraph[str]":
        """The wiring as a networkx graph: an edge from each producer to each consumer."""
        wiring: nx.DiGraph[str] = nx.DiGraph()
        wiring.add_nodes_from(node.name for node in self.nodes)
        wiring.add_edges_from((source, node.name) for node in self.nodes for source in node.inputs)
        return wiring

    def node(self, name: str) -> Node:
        """The node of that name.

        Raises:
            GraphError: there is none.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        known = [node.name for node in self.nodes]
        raise GraphError(f"graph '{self.name}': no node '{name}'; {suggestion(name, known)}")

    @property
    def input(self) -> Node:
        """The node the image enters by.

        Raises:
            GraphError: there is not exactly one.
        """
        inputs = [node for node in self.nodes if isinstance(node.operator, Input)]
        if len(inputs) != 1:
            raise GraphError(
                f"graph '{self.name}': expected exactly one input node, found {len(inputs)}"
            )
        return inputs[0]

    def consumers(self) -> dict[str, tuple[str, ...]]:
        """For each node, the names of the nodes that read its tensor, in graph order."""
        readers: dict[str, list[str]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                readers[source].append(node.name)
        return {name: tuple(names) for name, names in readers.items()}

    def convolutions(self) -> tuple[Node, ...]:
        """The nodes that are convolutions, in graph order."""
        return tuple(node for node in self.nodes if isinstance(node.operator, Convolution))

    def sizes(self, image: Size) -> dict[str, Size]:
        """Height and width of every tensor for an input image of that size.

        Raises:
            GraphError: a feature map would be empty.
        """
        sizes: dict[str, Size] = {}
        for node in self.nodes:
            operands = [sizes[source] for source in node.inputs]
            size = output_size(node.operator, operands) if operands else image
            if size.height < 1 or size.width < 1:
                raise GraphError(
                    f"node '{node.name}': an image of {image} leaves nothing "
                    "to compute here; give a larger image"
                )
            sizes[node.name] = size
        return sizes

    def macs(self, image: Size) -> int:
        """Multiply-accumulate operations for one image of that size, all convolutions together."""
        sizes = self.sizes(image)
        total = 0
        for node in self.nodes:
            match node.operator:
                case Convolution() as convolution:
                    total += convolution.macs_per_pixel * sizes[node.name].pixels
                case TransposedConvolution(weight=weight):
                    total += int(weight.size) * sizes[node.inputs[0]].pixels
        return total

    def scale(self) -> Fraction:
        """Output pixels per input pixel along one side, borders apart.

        Raises:
            GraphError: there are more down than across, or the other way round.
        """
        scales: dict[str, tuple[Fraction, ...]] = {}
        for node in self.nodes:
            operand = scales[node.inputs[0]] if node.inputs else (Fraction(1), Fraction(1))
            scales[node.name] = output_scale(node.operator, operand)
        down, across = scales[self.output]
        if down != across:
            raise GraphError(
                f"graph '{self.name}': expected one scale for height and width, found {down} and "
                f"{across}"
            )
        return down


def _ordered(by_name: Mapping[str, Node]) -> tuple[Node, ...]:
    """Producers first; among nodes that are ready, the order in which they were given."""
    wiring: nx.DiGraph[str] = nx.DiGraph()
    wiring.add_nodes_from(by_name)
    wiring.add_edges_from(
        (source, node.name) for node in by_name.values() for source in node.inputs
    )
    position = {name: index for index, name in enumerate(by_name)}
    try:
        order = list(nx.lexicographical_topological_sort(wiring, key=position.__getitem__))
    except nx.NetworkXUnfeasible as error:
        cycle = " → ".join(edge[0] for edge in nx.find_cycle(wiring))
        raise GraphError(f"graph: expected no cycle, found {cycle}; break it") from error
    return tuple(by_name[name] for name in order)
