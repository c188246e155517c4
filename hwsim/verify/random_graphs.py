"""Random small graphs for checks of schedules: residual networks of every kind of operator."""

from dataclasses import dataclass

import numpy as np

from hwsim.machine import REFERENCE
from hwsim.verify.random_operators import (
    WEIGHT_KINDS,
    Codes,
    Random,
    random_add,
    random_codes,
    random_convolution,
    random_requantization,
    random_requantize,
    random_type,
)
from hwsim.verify.scaled_cases import factors_type, random_points, random_scaled_convolution
from quant.common.codes import CodeKind
from quant.common.run_time_scaling import nearest_point_thresholds
from quant.graph import (
    Concatenate,
    Encode,
    Graph,
    Input,
    IntegerType,
    LookupTable,
    Multiply,
    NearestResize,
    Node,
    Normalization,
    PixelShuffle,
    Size,
    Statistics,
    TensorType,
    verify,
)
from quant.graph.operators import SHUFFLE_ORDERS, Operator
from quant.graph.run_time_scaling_rules import SUMS, summary_channels

CONVOLUTION_BITS = 8
"""Widest operands of the convolutions; their sums fit every accumulator of 32 bits."""
RESIDUAL = IntegerType(16, CodeKind.SIGNED)

SHARE_OF_TAP_OFFSETS = 0.3
"""Of the convolutions."""

SHARE_OF_NORMALIZED = 0.5
"""Of graphs that have a convolution of channels normalized at run time."""

_SAMPLE = Size(12, 12)


def random_graph(random: Random, blocks: int = 2, *, has_tap_offsets: bool = True) -> Graph:
    """A small super-resolution network: head, residual blocks, shuffle, tail; all else random.

    Args:
        random: where every draw comes from.
        blocks: residual blocks.
        has_tap_offsets: whether some convolutions have offsets of taps inside the image.

    Returns:
        A verified graph.
    """
    builder = _Builder(random, SHARE_OF_TAP_OFFSETS if has_tap_offsets else 0.0)
    image = builder.image(int(random.integers(1, 4, endpoint=True)))
    channels = int(random.integers(1, 40, endpoint=True))
    head = stream = builder.requantize(builder.convolution(image, channels), RESIDUAL)
    for _ in range(blocks):
        inner = builder.convolution(builder.narrow(stream), channels)
        stream = builder.add(builder.convolution(inner, channels), stream)
    if random.random() < 0.5:
        stream = builder.add(stream, head)
    factor, colours = (int(number) for number in random.integers(1, 3, 2, endpoint=True))
    if random.random() < SHARE_OF_NORMALIZED:
        stream = builder.normalized_convolution(stream, channels)
    dense = builder.concatenate(builder.attend(builder.narrow(stream)))
    wide = builder.convolution(builder.look_up(dense), factor**2 * colours)
    end = builder.enlarge(wide, factor)
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

    def __init__(self, random: Random, share_of_tap_offsets: float) -> None:
        self.random = random
        self.share_of_tap_offsets = share_of_tap_offsets
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
            has_tap_offsets=bool(self.random.random() < self.share_of_tap_offsets),
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

    def attend(self, source: _Feature) -> _Feature:
        """A feature map times a factor for each channel, made of the channel's extreme."""
        statistics = Statistics(str(self.random.choice(("minimum", "maximum"))))
        factor = self._computed(statistics, (source,), source.type)
        biases = -round(source.codes.mean()), 1 - factor.type.integer.low
        reaches = [
            feature.type.integer.magnitude + abs(bias)
            for feature, bias in zip((source, factor), biases, strict=True)
        ]
        products = (source.codes + biases[0]) * (factor.codes + biases[1])
        output = TensorType(source.type.channels, self._narrow_type())
        requantization = random_requantization(
            self.random, output.integer, np.array([products.std()]), reaches[0] * reaches[1]
        )
        return self._computed(Multiply(biases, requantization), (source, factor), output)

    def normalized_convolution(self, source: _Feature, channels: int) -> _Feature:
        """A convolution that keeps the size, of codes that are chosen from the whole image."""
        random, inputs = self.random, source.type.channels
        is_centred = bool(random.random() < 0.5)
        points = random_points(random, inputs, int(random.integers(1, 6)))
        summed = TensorType(summary_channels(inputs), SUMS)
        summary = self._computed(Statistics("summary"), (source,), summed)
        factors = self._computed(Normalization(is_centred), (summary,), factors_type(inputs))
        encoded = TensorType(inputs, IntegerType((points.shape[1] - 1).bit_length()))
        thresholds = nearest_point_thresholds(points)
        codes = self._computed(Encode(thresholds), (source, factors), encoded)
        output = TensorType(channels, self._narrow_type())
        operator = random_scaled_convolution(
            random,
            codes.codes,
            factors.codes,
            points,
            output,
            is_centred=is_centred,
            keep_size=True,
        )
        return self._computed(operator, (codes, factors), output)

    def concatenate(self, source: _Feature) -> _Feature:
        """A feature map and what a convolution makes of it, side by side."""
        further = self.convolution(source, int(self.random.integers(1, 8, endpoint=True)))
        same = self.requantize(further, source.type.integer)
        output = TensorType(source.type.channels + same.type.channels, source.type.integer)
        return self._computed(Concatenate(), (source, same), output)

    def look_up(self, source: _Feature) -> _Feature:
        """Any function of each code, one for all channels or one for each."""
        output = TensorType(source.type.channels, self._narrow_type())
        integer, tables = source.type.integer, self.random.choice((1, source.type.channels))
        shape = (int(tables), integer.high - integer.low + 1)
        table = self.random.integers(output.integer.low, output.integer.high, shape, endpoint=True)
        return self._computed(LookupTable(table), (source,), output)

    def enlarge(self, source: _Feature, factor: int) -> _Feature:
        """Channels to space in either order, or every pixel repeated."""
        if self.random.random() < 0.3:
            return self._computed(NearestResize(factor), (source,), source.type)
        output = TensorType(source.type.channels // factor**2, source.type.integer)
        order = str(self.random.choice(SHUFFLE_ORDERS))
        return self._computed(PixelShuffle(factor, order), (source,), output)

    def _computed(
        self, operator: Operator, sources: tuple[_Feature, ...], output: TensorType
    ) -> _Feature:
        """A node, and what it makes of the sample."""
        types, codes = [source.type for source in sources], [source.codes for source in sources]
        result = REFERENCE.compute(operator, types, codes)
        return self._append(operator, sources, output, result)

    def _narrow_type(self) -> IntegerType:
        return random_type(self.random, maximum_bits=CONVOLUTION_BITS)

    def _append(
        self, operator: Operator, sources: tuple[_Feature, ...], output: TensorType, codes: Codes
    ) -> _Feature:
        name = f"{operator.kind}_{len(self.nodes)}"
        node = Node(name, operator, tuple(source.node.name for source in sources), output)
        self.nodes.append(node)
        return _Feature(node, codes)
