"""A float network as plain data: operators and the feature maps between them.

``trace`` makes such a network from a torch module, ``fold`` rewrites it until only what integers
can do is left.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from quant.lowering.float_operators import (
    FloatAveragePool,
    FloatBilinear,
    FloatConcatenate,
    FloatConvolution,
    FloatInput,
    FloatLayer,
    FloatNearest,
    FloatOperator,
    FloatPixelShuffle,
    FloatSlice,
    FloatTransposedConvolution,
)


@dataclass(frozen=True, slots=True, eq=False)
class FloatNode:
    """One operator and the one feature map it produces, which bears the node's name."""

    name: str
    operator: FloatOperator
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """A float network: nodes, producers before consumers.

    Attributes:
        name: what the network calls itself.
        nodes: every node; the first is the image, the last the picture, and all lead there.
        output: name of the node whose feature map is the picture.
        pixel_range: value of a white pixel in the picture.
    """

    name: str
    nodes: tuple[FloatNode, ...]
    output: str
    pixel_range: float

    def by_name(self) -> dict[str, FloatNode]:
        """Every node by its name."""
        return {node.name: node for node in self.nodes}

    def readers(self) -> dict[str, tuple[FloatNode, ...]]:
        """For each node, the nodes that read its feature map, in order."""
        readers: dict[str, list[FloatNode]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                readers[source].append(node)
        return {name: tuple(nodes) for name, nodes in readers.items()}

    def layer_names(self) -> tuple[str, ...]:
        """The convolutions, in order: the layers a bit policy speaks of."""
        return tuple(n.name for n in self.nodes if isinstance(n.operator, FloatLayer))

    def channels(self) -> dict[str, int]:
        """Channels of every feature map."""
        channels: dict[str, int] = {}
        for node in self.nodes:
            channels[node.name] = channels_of(
                node.operator, [channels[source] for source in node.inputs]
            )
        return channels

    def scale(self) -> Fraction:
        """Output pixels per input pixel down one side."""
        scales: dict[str, Fraction] = {}
        for node in self.nodes:
            scale = scales[node.inputs[0]] if node.inputs else Fraction(1)
            scales[node.name] = scale * _rows_per_row(node.operator)
        return scales[self.output]

    def rewritten(
        self, changed: Iterable[FloatNode], renamed: Mapping[str, str] | None = None
    ) -> "FloatNetwork":
        """The network with nodes exchanged by name or added, and the uses of some names redirected.

        A node whose uses are redirected to another one is left out when that other takes its place.

        Args:
            changed: the new nodes; each replaces the one of its name, if there is one.
            renamed: for each name, the name its readers shall read instead.
        """
        new = {node.name: node for node in changed}
        redirected = dict(renamed or {})
        nodes = [
            new.get(node.name)
            or replace(node, inputs=tuple(redirected.get(source, source) for source in node.inputs))
            for node in self.nodes
        ]
        old = self.by_name()
        nodes.extend(node for name, node in new.items() if name not in old)
        output = redirected.get(self.output, self.output)
        return replace(self, nodes=_needed(nodes, output), output=output)


def _needed(nodes: Iterable[FloatNode], output: str) -> tuple[FloatNode, ...]:
    """The nodes that lead to the output, producers before consumers."""
    by_name = {node.name: node for node in nodes}
    ordered: dict[str, FloatNode] = {}
    waiting = [output]
    while waiting:
        node = by_name[waiting[-1]]
        missing = [source for source in node.inputs if source not in ordered]
        if missing:
            waiting.extend(reversed(missing))
        else:
            waiting.pop()
            ordered[node.name] = node
    return tuple(ordered.values())


def channels_of(operator: FloatOperator, operands: list[int]) -> int:
    """Channels that an operator makes of its operands'."""
    match operator:
        case FloatInput(channels=count):
            return count
        case FloatConvolution(weight=weight) | FloatTransposedConvolution(weight=weight):
            return int(weight.shape[0])
        case FloatPixelShuffle(factor=factor):
            return operands[0] // factor**2
        case FloatConcatenate():
            return sum(operands)
        case FloatSlice(start=start, stop=stop):
            return stop - start
        case _:
            return operands[0]


def _rows_per_row(operator: FloatOperator) -> Fraction:
    match operator:
        case FloatConvolution(stride=stride) | FloatAveragePool(stride=stride):
            return Fraction(1, stride[0])
        case FloatTransposedConvolution(stride=stride):
            return Fraction(stride[0])
        case FloatPixelShuffle(factor=f) | FloatNearest(factor=f) | FloatBilinear(factor=f):
            return Fraction(f)
        case _:
            return Fraction(1)
