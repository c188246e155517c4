"""Integer graphs of EDSR's shape with random constants, for tests that need no training."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import reference
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
    """Adds operators one by one, scaling each so that its codes spread on a random image."""

    def __init__(
        self, bits: Mapping[str, Bits], residual_bits: int, random: np.random.Generator
    ) -> None:
        self.bits = bits
        self.residual = IntegerType(residual_bits, CodeKind.SIGNED)
        self.random = random
        self.nodes: list[Node] = []
        self.types: dict[str, TensorType] = {}
        self.codes: dict[str, NDArray[np.int64]] = {}

    def add_image(self) -> None:
        self.codes["image"] = self.random.integers(0, 256, (12, 12, 3))
        self._node("image", Input(), (), TensorType(3, IntegerType(8)))

    def narrow(self, source: str, reader: str) -> str:
        """The copy of a tensor at the reader's activation width."""
        codes, wanted = self.codes[source], IntegerType(self.bits[reader][1])
        bias = -int(codes.mean())
        requantization = self._spread(codes + bias, wanted)
        self.codes[f"{reader}.input"] = reference.requantize(codes + bias, requantization)
        output = TensorType(self.types[source].channels, wanted)
        return self._node(
            f"{reader}.input", Requantize(np.array([bias]), requantization), (source,), output
        )

    def convolution(
        self, name: str, source: str, channels: int, feeds: str | None = None, picture: bool = False
    ) -> str:
        ifm, output = self.types[source], self.residual
        if feeds is not None:
            output = IntegerType(self.bits[feeds][1])
        if picture:
            output = IntegerType(8)
        weight_type, weight = self._weight(self.bits[name][0], (channels, 3, 3, ifm.channels))
        pad_code = self.random.integers(0, ifm.integer.high + 1, ifm.channels)
        padded = reference.pad(self.codes[source], (1, 1, 1, 1), pad_code)
        sums = reference.convolve(padded, weight, np.zeros(channels, np.int64))
        bias = -sums.mean(axis=(0, 1)).astype(np.int64)
        requantization = self._spread(sums + bias, output, channels)
        self.codes[name] = reference.requantize(sums + bias, requantization)
        operator = Convolution(
            weight, weight_type, bias, Padding.even(1, 1), pad_code, requantization
        )
        return self._node(name, operator, (source,), TensorType(channels, output))

    def add(self, name: str, first: str, second: str) -> str:
        multipliers, bias, one = (1 << 12, 3 << 11), 1 << 10, np.array([1], np.int64)
        requantization = Requantization(one, 13 * one, 0, self.residual.low, self.residual.high)
        sums = reference.add(self.codes[first], self.codes[second], multipliers, bias)
        self.codes[name] = reference.requantize(sums, requantization)
        output = TensorType(self.types[first].channels, self.residual)
        return self._node(name, Add(multipliers, bias, requantization), (first, second), output)

    def shuffle(self, source: str, factor: int) -> str:
        operand = self.types[source]
        self.codes["shuffle"] = reference.pixel_shuffle(self.codes[source], factor)
        output = TensorType(operand.channels // factor**2, operand.integer)
        return self._node("shuffle", PixelShuffle(factor), (source,), output)

    def _node(
        self, name: str, operator: Operator, inputs: tuple[str, ...], output: TensorType
    ) -> str:
        self.nodes.append(Node(name, operator, inputs, output))
        self.types[name] = output
        return name

    def _weight(self, bits: int, shape: tuple[int, ...]) -> tuple[IntegerType, NDArray[np.int64]]:
        kind = CodeKind.ODD if bits == 1 else CodeKind.SIGNED
        weight_type = IntegerType(bits, kind)
        step = 2 if kind is CodeKind.ODD else 1
        count = (weight_type.high - weight_type.low) // step + 1
        return weight_type, weight_type.low + step * self.random.integers(0, count, shape)

    def _spread(
        self, sums: NDArray[np.int64], output: IntegerType, channels: int = 1
    ) -> Requantization:
        """A rescaling that fills the output's range from sums around zero."""
        factor = (output.high - output.low) / max(1, int(sums.max() - sums.min()))
        shift = int(np.clip(np.round(20 - np.log2(factor)), 0, 62))
        mantissa = self.random.integers(1 << 19, 1 << 20, channels)
        middle = (output.low + output.high + 1) // 2
        shifts = np.full(channels, shift, np.int64)
        return Requantization(mantissa, shifts, middle, output.low, output.high)
