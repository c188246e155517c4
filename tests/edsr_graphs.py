"""Integer graphs of EDSR's shape with random constants, for tests that need no training."""

from collections.abc import Mapping

import numpy as np

from quant.graph import (
    Add,
    CodeKind,
    Convolution,
    Graph,
    Input,
    IntegerType,
    Node,
    PixelShuffle,
    Requantization,
    Requantize,
    TensorType,
    verify,
)

Bits = tuple[int, int]


def edsr_layers(blocks: int) -> list[str]:
    """Convolution names of an EDSR of that many blocks, in order."""
    body = [f"block{n}.conv{m}" for n in range(blocks) for m in (1, 2)]
    return ["head", *body, "body_end", "upsampler", "tail"]


def edsr_graph(
    blocks: int = 2,
    channels: int = 8,
    scale: int = 2,
    bits: Bits | Mapping[str, Bits] = (8, 8),
    residual_bits: int = 16,
    seed: int = 0,
) -> Graph:
    """An EDSR with random weights; ``bits`` is (weight bits, activation bits), or a map by layer.

    Codes spread over their ranges, so that a wrong integer anywhere shows in the output.
    """
    layer_bits = (
        dict(bits) if isinstance(bits, Mapping) else dict.fromkeys(edsr_layers(blocks), bits)
    )
    builder = _Builder(layer_bits, residual_bits, np.random.default_rng(seed))
    builder.add_image()
    stream = head = builder.convolution("head", builder.narrow("image", "head"), channels)
    for block in range(blocks):
        first, second = f"block{block}.conv1", f"block{block}.conv2"
        inner = builder.convolution(first, builder.narrow(stream, first), channels, feeds=second)
        stream = builder.add(
            f"block{block}.add", builder.convolution(second, inner, channels), stream
        )
    end = builder.convolution("body_end", builder.narrow(stream, "body_end"), channels)
    stream = builder.add("global_add", end, head)
    up = builder.convolution(
        "upsampler", builder.narrow(stream, "upsampler"), channels * scale**2, feeds="tail"
    )
    shuffled = builder.shuffle(up, scale)
    builder.convolution("tail", shuffled, 3, picture=True)
    return verify(Graph.build("edsr_random", builder.nodes, "tail"))


class _Builder:
    def __init__(
        self, bits: Mapping[str, Bits], residual_bits: int, random: np.random.Generator
    ) -> None:
        self.bits = bits
        self.residual = IntegerType(residual_bits, CodeKind.SIGNED)
        self.random = random
        self.nodes: list[Node] = []

    def add_image(self) -> None:
        self._node("image", Input(), (), TensorType(3, IntegerType(8)))

    def narrow(self, source: str, reader: str) -> str:
        """The copy of a tensor at the reader's activation width."""
        operand = self._type(source)
        wanted = IntegerType(self.bits[reader][1])
        name = f"{reader}.input"
        spread = wanted.high / (2 * operand.integer.magnitude)
        operator = Requantize(0, self._requantization(spread, wanted, wanted.high // 2))
        return self._node(name, operator, (source,), TensorType(operand.channels, wanted))

    def convolution(
        self, name: str, source: str, channels: int, feeds: str | None = None, picture: bool = False
    ) -> str:
        weight_bits = self.bits[name][0]
        kind = CodeKind.ODD if weight_bits == 1 else CodeKind.SIGNED
        weight_type = IntegerType(weight_bits, kind)
        ifm = self._type(source)
        shape = (channels, 3, 3, ifm.channels)
        step = 2 if kind is CodeKind.ODD else 1
        count = (weight_type.high - weight_type.low) // step + 1
        weight = weight_type.low + step * self.random.integers(0, count, shape)
        output = self.residual
        if feeds is not None:
            output = IntegerType(self.bits[feeds][1])
        if picture:
            output = IntegerType(8)
        largest = max(1, int(np.abs(weight).sum(axis=(1, 2, 3)).max()) * ifm.integer.magnitude)
        bias = self.random.integers(-(largest // 8) - 1, largest // 8 + 1, channels)
        middle = 0 if output.kind is CodeKind.SIGNED else (output.high + 1) // 2
        spread = 4 * output.magnitude / largest
        operator = Convolution(
            weight.astype(np.int64),
            weight_type,
            bias.astype(np.int64),
            (1, 1),
            np.array([ifm.integer.high // 2], np.int64),
            self._requantization(spread, output, middle, channels),
        )
        return self._node(name, operator, (source,), TensorType(channels, output))

    def add(self, name: str, first: str, second: str) -> str:
        operator = Add((1 << 12, 3 << 11), 1 << 10, self._shift(13, self.residual))
        output = TensorType(self._type(first).channels, self.residual)
        return self._node(name, operator, (first, second), output)

    def shuffle(self, source: str, factor: int) -> str:
        operand = self._type(source)
        output = TensorType(operand.channels // factor**2, operand.integer)
        return self._node("shuffle", PixelShuffle(factor), (source,), output)

    def _type(self, name: str) -> TensorType:
        return next(node.output for node in self.nodes if node.name == name)

    def _node(self, name: str, operator, inputs: tuple[str, ...], output: TensorType) -> str:  # type: ignore[no-untyped-def]
        self.nodes.append(Node(name, operator, inputs, output))
        return name

    def _requantization(
        self, factor: float, output: IntegerType, zero_point: int, channels: int = 1
    ) -> Requantization:
        mantissa = self.random.integers(1 << 19, 1 << 20, channels)
        shift = int(np.clip(np.round(20 - np.log2(factor)), 0, 62))
        return Requantization(
            mantissa.astype(np.int64),
            np.full(channels, shift, np.int64),
            zero_point,
            output.low,
            output.high,
        )

    @staticmethod
    def _shift(shift: int, output: IntegerType) -> Requantization:
        one = np.array([1], np.int64)
        return Requantization(one, one * shift, 0, output.low, output.high)
