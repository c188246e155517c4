"""Random EDSR networks in an engine's own convention, for whole-network comparisons."""

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.machine import REFERENCE
from quant.graph import (
    Encoding,
    Graph,
    Input,
    IntegerType,
    Node,
    Padding,
    PixelShuffle,
    TensorType,
    verify,
)
from quant.graph.operators import Operator
from quant.interchange.derivation import ADDITIONS, convolution

Codes = NDArray[np.int64]
Reals = NDArray[np.float64]

COLOURS = 3
_SAMPLE = (12, 12)
_SCALE_SPREAD = (0.5, 2.0)  # of weight scales between the channels of a layer


def random_edsr(
    convention: str,
    integer: IntegerType,
    random: np.random.Generator,
    blocks: int = 16,
    channels: int = 64,
    factor: int = 2,
    largest_weight: int = 127,
) -> Graph:
    """An EDSR of random int8 weights whose codes spread over their range, layer after layer.

    Lim et al., "Enhanced deep residual networks for single image super-resolution", CVPRW 2017;
    16 blocks of 64 channels are its baseline.

    Args:
        convention: one of `quant.interchange.derivation.ADDITIONS`.
        integer: of every feature map, 8 bits.
        random: where every draw comes from.
        blocks: residual blocks.
        channels: of the body.
        factor: what the network enlarges by.
        largest_weight: magnitude up to which weights are drawn.
    """
    builder = _Builder(convention, integer, largest_weight, random)
    stream = head = builder.convolution("head", builder.image(), channels)
    for block in range(blocks):
        inner = builder.convolution(f"block{block}.conv1", stream, channels, relu=True)
        inner = builder.convolution(f"block{block}.conv2", inner, channels)
        stream = builder.add(f"block{block}.add", stream, inner)
    end = builder.convolution("body_end", stream, channels)
    stream = builder.add("global_add", end, head)
    wide = builder.convolution("upsampler", stream, channels * factor**2)
    tail = builder.convolution("tail", builder.shuffle("shuffle", wide, factor), COLOURS)
    name = f"edsr_random_{blocks}x{channels}_x{factor}"
    return verify(Graph.build(name, builder.nodes, tail))


class _Builder:
    """Appends nodes, each scaled so that a sample image's codes fill its range."""

    def __init__(
        self,
        convention: str,
        integer: IntegerType,
        largest_weight: int,
        random: np.random.Generator,
    ) -> None:
        self.convention = convention
        self.integer = integer
        self.largest_weight = largest_weight
        self.random = random
        self.nodes: list[Node] = []
        self.types: dict[str, TensorType] = {}
        self.codes: dict[str, Codes] = {}

    def image(self) -> str:
        """The input, pixels on a scale of 1."""
        low, high = self.integer.low, self.integer.high
        codes = self.random.integers(low, high, (*_SAMPLE, COLOURS), endpoint=True)
        output = TensorType(COLOURS, self.integer, Encoding(1.0, (low,)))
        return self._append("image", Input(), (), output, codes)

    def convolution(self, name: str, source: str, channels: int, relu: bool = False) -> str:
        """A 3×3 convolution that keeps the size."""
        operand = self.types[source]
        shape = channels, 3, 3, operand.channels
        largest = self.largest_weight
        weight = self.random.integers(-largest, largest, shape, endpoint=True)
        scales = (self.random.uniform(*_SCALE_SPREAD, channels) * 2.0**-10).astype(np.float32)
        (zero,) = operand.encoding.zero_point
        padded = reference.pad(self.codes[source] - zero, (1, 1, 1, 1), [0])
        sums = reference.convolve(padded, weight, np.zeros(channels, np.int64))
        centre, deviation = sums.mean(axis=(0, 1)), sums.std(axis=(0, 1))
        bias = np.rint(deviation * self.random.uniform(-0.5, 0.5, channels) - centre)
        real = (sums + bias) * (operand.encoding.scale * scales.astype(np.float64))
        output = self._fitted(real, channels, relu)
        clamp = self.integer.low, self.integer.high
        operator = convolution(
            self.convention, operand, output, weight, bias.astype(np.int64), scales,
            Padding.even(1, 1), clamp,
        )  # fmt: skip
        codes = REFERENCE.compute(operator, (operand,), (self.codes[source],))
        return self._append(name, operator, (source,), output, codes)

    def add(self, name: str, first: str, second: str) -> str:
        """The sum of two feature maps."""
        operands = [self.types[source] for source in (first, second)]
        real = sum(
            (self.codes[source] - operand.encoding.zero_point[0]) * operand.encoding.scale
            for source, operand in zip((first, second), operands, strict=True)
        )
        output = self._fitted(np.asarray(real), operands[0].channels, relu=False)
        clamp = self.integer.low, self.integer.high
        operator = ADDITIONS[self.convention](operands[0], operands[1], output, clamp)
        codes = REFERENCE.compute(operator, operands, (self.codes[first], self.codes[second]))
        return self._append(name, operator, (first, second), output, codes)

    def shuffle(self, name: str, source: str, factor: int) -> str:
        """Channels to space."""
        operand = self.types[source]
        channels = operand.channels // factor**2
        output = TensorType(channels, operand.integer, operand.encoding)
        codes = reference.pixel_shuffle(self.codes[source], factor)
        return self._append(name, PixelShuffle(factor), (source,), output, codes)

    def _fitted(self, real: Reals, channels: int, relu: bool) -> TensorType:
        """An encoding whose range is that of a sample; a ReLU begins at the real number 0."""
        low, high = (0.0 if relu else float(real.min())), float(real.max())
        steps = self.integer.high - self.integer.low
        scale = float(np.float32((high - low) / steps))
        zero = int(
            np.clip(round(self.integer.low - low / scale), self.integer.low, self.integer.high)
        )
        return TensorType(channels, self.integer, Encoding(scale, (zero,)))

    def _append(
        self,
        name: str,
        operator: Operator,
        inputs: tuple[str, ...],
        output: TensorType,
        codes: Codes,
    ) -> str:
        self.nodes.append(Node(name, operator, inputs, output))
        self.types[name], self.codes[name] = output, codes
        return name
