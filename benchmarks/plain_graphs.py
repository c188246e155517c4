"""Integer graphs of networks by their shapes alone, for benchmarks that count and do not compute.

Weights are zeros: neither cycles nor bytes depend on them.
"""

from dataclasses import dataclass, field

import numpy as np

from quant.graph import (
    Add,
    CodeKind,
    Convolution,
    Graph,
    Input,
    IntegerType,
    Node,
    Operator,
    Padding,
    PixelShuffle,
    Requantization,
    TensorType,
    verify,
)

ONE = np.array([1], np.int64)
ZERO = np.array([0], np.int64)


@dataclass
class Builder:
    """Adds operators one behind the other; ``last`` is the newest feature map.

    Attributes:
        weight_bits: of convolutions to come.
        activation_bits: of feature maps to come.
        nodes: so far.
        last: name of the newest.
    """

    weight_bits: int = 8
    activation_bits: int = 8
    nodes: list[Node] = field(default_factory=list)
    last: str = "image"

    def image(self, channels: int) -> "Builder":
        """The input."""
        return self._node("image", Input(), (), channels)

    def convolution(
        self, channels: int, kernel: int, stride: int = 1, source: str | None = None
    ) -> "Builder":
        """A convolution that keeps the size, but for its stride."""
        read = source or self.last
        shape = (channels, kernel, kernel, self._channels(read))
        operator = Convolution(
            np.zeros(shape, np.int64),
            IntegerType(self.weight_bits, CodeKind.SIGNED),
            np.zeros(channels, np.int64),
            Padding.even(kernel // 2, kernel // 2),
            ZERO,
            self._requantization(),
            (stride, stride),
        )
        return self._node(f"conv_{len(self.nodes)}", operator, (read,), channels)

    def add(self, other: str) -> "Builder":
        """The newest feature map and another."""
        operator = Add((1, 1), 0, self._requantization())
        channels = self._channels(self.last)
        return self._node(f"add_{len(self.nodes)}", operator, (self.last, other), channels)

    def shuffle(self, factor: int) -> "Builder":
        """Channels to pixels."""
        channels = self._channels(self.last) // factor**2
        return self._node("shuffle", PixelShuffle(factor, "dcr"), (self.last,), channels)

    def graph(self, name: str) -> Graph:
        """What was built."""
        return verify(Graph.build(name, self.nodes, self.last))

    def _requantization(self) -> Requantization:
        top = (1 << self.activation_bits) - 1
        return Requantization(ONE, ZERO, 0, 0, top)

    def _channels(self, name: str) -> int:
        return next(node.output.channels for node in self.nodes if node.name == name)

    def _node(
        self, name: str, operator: Operator, inputs: tuple[str, ...], channels: int
    ) -> "Builder":
        output = TensorType(channels, IntegerType(self.activation_bits))
        self.nodes.append(Node(name, operator, inputs, output))
        self.last = name
        return self


def plain(name: str, filters: int, middle: int, scale: int) -> Graph:
    """3x3 convolutions in the image's resolution, and a pixel shuffle."""
    builder = Builder().image(3)
    for _ in range(middle + 1):
        builder.convolution(filters, 3)
    return builder.convolution(3 * scale**2, 3).shuffle(scale).graph(name)


def sesr(name: str, filters: int, inner: int, blocks: int, scale: int) -> Graph:
    """SESR before its linear blocks are collapsed: each a wide convolution and a pointwise one."""
    builder = Builder().image(3)
    builder.convolution(inner, 5).convolution(filters, 1)
    first = builder.last
    for _ in range(blocks):
        before = builder.last
        builder.convolution(inner, 3).convolution(filters, 1).add(before)
    builder.add(first).convolution(inner, 5).convolution(3 * scale**2, 1)
    return builder.shuffle(scale).graph(name)


def residual_classifier() -> tuple[tuple[Graph, int], ...]:
    """ResNet-50 in three graphs with the sides of their inputs; pooling between them is free."""
    stem = Builder().image(3).convolution(64, 7, 2).graph("stem")
    body = Builder().image(64)
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            shortcut, step = body.last, stride if block == 0 else 1
            body.convolution(width, 1).convolution(width, 3, step).convolution(4 * width, 1)
            if block == 0:
                main = body.last
                body.convolution(4 * width, 1, step, source=shortcut)
                shortcut = main
            body.add(shortcut)
    classes = Builder().image(2048).convolution(1000, 1).graph("classes")
    return (stem, 224), (body.graph("body"), 56), (classes, 1)


def parameters(graph: Graph) -> int:
    """Weights and biases of all convolutions."""
    operators = (node.operator for node in graph.nodes)
    return sum(
        operator.weight.size + operator.out_channels
        for operator in operators
        if isinstance(operator, Convolution)
    )
