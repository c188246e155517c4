"""Random small graphs for checks of schedules: residual networks of every kind of operator."""

from dataclasses import dataclass

from hwsim.machine import REFERENCE
from hwsim.verify.random_operators import (
    WEIGHT_KINDS,
    Codes,
    Random,
    random_add,
    random_codes,
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
    Size,
    TensorType,
    verify,
)
from quant.graph.operators import Operator

CONVOLUTION_BITS = 8
"""Widest operands of the convolutions; their sums fit every accumulator of 32 bits."""
RESIDUAL = IntegerType(16, CodeKind.SIGNED)

_SAMPLE = Size(12, 12)


def random_graph(random: Random, blocks: int = 2) -> Graph:
    """A small super-resolution network: head, residual blocks, shuffle, tail; all else random.

    Args:
        random: where every draw comes from.
        blocks: residual blocks.

    Returns:
        A verified graph.
    """
    builder = _Builder(random)
    image = builder.image(int(random.integers(1, 4, endpoint=True)))
    channels = int(random.integers(1, 40, endpoint=True))
    head = stream = builder.requantize(builder.convolution(image, channels), RESIDUAL)
    for _ in range(blocks):
        inner = builder.convolution(builder.narrow(stream), channels)
        stream = builder.add(builder.convolution(inner, channels), stream)
    if random.random() < 0.5:
        stream = builder.add(stream, head)
    factor, colours = (int(number) for number in random.integers(1, 3, 2, endpoint=True))
    wide = builder.convolution(builder.narrow(stream), factor**2 * colours)
    end = builder.shuffle(wide, factor)
    if random.random() < 0.5:
        end = builder.convolution(end, 3)
    return verify(Graph.build("random", builder.nodes, end.node.name))


@dataclass(frozen=True, slots=True, eq=False)
class _Feature:
    """A node, and the codes a sample image gives there."""

    node: Node
    codes: Codes

    @property
    def type(self) -> TensorType:
        return self.node.output


class _Builder:
    """Appends nodes with random types, and constants that suit a sample image."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.nodes: list[Node] = []

    def image(self, channels: int) -> _Feature:
        tensor = TensorType(channels, IntegerType(8))
        return self._append(Input(), (), tensor, random_codes(self.random, _SAMPLE, tensor))

    def convolution(self, source: _Feature, channels: int) -> _Feature:
        """A convolution that keeps the height and width."""
        output = TensorType(channels, self._narrow_type())
        operator = random_convolution(
            self.random,
            source.type,
            source.codes,
            output,
            random_type(self.random, WEIGHT_KINDS, CONVOLUTION_BITS),
            keep_size=True,
        )
        codes = REFERENCE.compute(operator, (source.type,), (source.codes,))
        return self._append(operator, (source,), output, codes)

    def narrow(self, source: _Feature) -> _Feature:
        """The copy of a feature map that a convolution reads."""
        return self.requantize(source, self._narrow_type())

    def requantize(self, source: _Feature, integer: IntegerType) -> _Feature:
        """The same feature map in another type."""
        output = TensorType(source.type.channels, integer)
        operator = random_requantize(self.random, source.type, source.codes, output)
        codes = REFERENCE.compute(operator, (source.type,), (source.codes,))
        return self._append(operator, (source,), output, codes)

    def add(self, first: _Feature, second: _Feature) -> _Feature:
        """The sum of two feature maps, as wide as the residual stream."""
        output = TensorType(first.type.channels, RESIDUAL)
        operator = random_add(
            self.random, (first.type, second.type), (first.codes, second.codes), output
        )
        codes = REFERENCE.compute(operator, (first.type, second.type), (first.codes, second.codes))
        return self._append(operator, (first, second), output, codes)

    def shuffle(self, source: _Feature, factor: int) -> _Feature:
        """Channels to space."""
        output = TensorType(source.type.channels // factor**2, source.type.integer)
        operator = PixelShuffle(factor)
        codes = REFERENCE.compute(operator, (source.type,), (source.codes,))
        return self._append(operator, (source,), output, codes)

    def _narrow_type(self) -> IntegerType:
        return random_type(self.random, maximum_bits=CONVOLUTION_BITS)

    def _append(
        self, operator: Operator, sources: tuple[_Feature, ...], output: TensorType, codes: Codes
    ) -> _Feature:
        name = f"{operator.kind}_{len(self.nodes)}"
        node = Node(name, operator, tuple(source.node.name for source in sources), output)
        self.nodes.append(node)
        return _Feature(node, codes)
