"""Random small graphs for checks of schedules: residual chains of every kind of operator."""

from itertools import count

from hwsim.verify.random_operators import (
    WEIGHT_KINDS,
    Random,
    random_add,
    random_convolution,
    random_requantize,
    random_type,
)
from quant.common.codes import CodeKind
from quant.graph import (
    Graph,
    Input,
    IntegerType,
    Node,
    PixelShuffle,
    Requantize,
    TensorType,
    verify,
)

CONVOLUTION_BITS = 8
"""Widest operands of the convolutions; their sums fit every accumulator of 32 bits."""


def random_graph(random: Random, blocks: int = 2) -> Graph:
    """A small super-resolution network: head, residual blocks, shuffle, tail; all else random.

    Args:
        random: where every draw comes from.
        blocks: residual blocks.

    Returns:
        A verified graph.
    """
    builder = _Builder(random)
    stream = builder.convolution(builder.nodes[0], int(random.integers(1, 40, endpoint=True)))
    head = stream = builder.requantize(stream, IntegerType(16, CodeKind.SIGNED))
    for _ in range(blocks):
        inner = builder.convolution(builder.narrow(stream), stream.output.channels)
        stream = builder.add(builder.convolution(inner, stream.output.channels), stream)
    if random.random() < 0.5:
        stream = builder.add(stream, head)
    factor = int(random.integers(1, 3, endpoint=True))
    colours = int(random.integers(1, 4, endpoint=True))
    wide = builder.convolution(builder.narrow(stream), factor**2 * colours)
    shuffled = builder.shuffle(wide, factor)
    end = builder.convolution(shuffled, 3) if random.random() < 0.5 else shuffled
    return verify(Graph.build("random", builder.nodes, end.name))


class _Builder:
    """Appends nodes with random types and constants."""

    def __init__(self, random: Random) -> None:
        self.random = random
        image = TensorType(int(random.integers(1, 4, endpoint=True)), IntegerType(8))
        self.nodes = [Node("image", Input(), (), image)]
        self._numbers = count(1)

    def convolution(self, source: Node, channels: int) -> Node:
        """A convolution that keeps the height and width."""
        output = TensorType(channels, random_type(self.random, maximum_bits=CONVOLUTION_BITS))
        weights = random_type(self.random, WEIGHT_KINDS, CONVOLUTION_BITS)
        operator = random_convolution(self.random, source.output, output, weights, keep_size=True)
        return self._append(Node(self._name("convolution"), operator, (source.name,), output))

    def narrow(self, source: Node) -> Node:
        """The copy of a feature map that a convolution reads."""
        return self.requantize(source, random_type(self.random, maximum_bits=CONVOLUTION_BITS))

    def requantize(self, source: Node, integer: IntegerType) -> Node:
        """The same feature map in another type."""
        output = TensorType(source.output.channels, integer)
        operator: Requantize = random_requantize(self.random, source.output, output)
        return self._append(Node(self._name("requantize"), operator, (source.name,), output))

    def add(self, first: Node, second: Node) -> Node:
        """The sum of two feature maps, in 16 bits."""
        output = TensorType(first.output.channels, IntegerType(16, CodeKind.SIGNED))
        operator = random_add(self.random, (first.output, second.output), output)
        return self._append(Node(self._name("add"), operator, (first.name, second.name), output))

    def shuffle(self, source: Node, factor: int) -> Node:
        """Channels to space."""
        output = TensorType(source.output.channels // factor**2, source.output.integer)
        return self._append(
            Node(self._name("shuffle"), PixelShuffle(factor), (source.name,), output)
        )

    def _append(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def _name(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers)}"
