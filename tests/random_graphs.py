"""Hypothesis strategies: small valid integer graphs, and images to run through them.

Structure (operators, wiring, widths, shapes) is drawn by hypothesis and shrinks; the bulk of the
weights comes from a generator seeded by one drawn integer. Rescaling is chosen from the expected
spread of each sum, so that output codes use their range instead of sticking to its ends.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from quant.common.codes import CodeKind
from quant.graph import (
    Add,
    Convolution,
    Graph,
    Input,
    IntegerType,
    Node,
    Padding,
    PixelShuffle,
    Requantization,
    Requantize,
    Size,
    TensorType,
    sum_bits,
    verify,
)
from quant.graph.operators import Integers, Operator
from quant.graph.requantization_rules import MAXIMUM_SHIFT, MULTIPLIER_BITS, PRODUCT_BITS

_COMMON_BITS = (8, 4, 2, 1, 16)
_FEATURE_KINDS = (CodeKind.UNSIGNED, CodeKind.SIGNED)
_WEIGHT_KINDS = (CodeKind.SIGNED, CodeKind.ODD, CodeKind.UNSIGNED)
# Common widths first and twice, then all; the first of a list is what hypothesis shrinks to.
_BITS = (*_COMMON_BITS, *range(1, 17))
_FEATURE_TYPES = tuple(IntegerType(bits, kind) for bits in _BITS for kind in _FEATURE_KINDS)
_WEIGHT_TYPES = tuple(IntegerType(bits, kind) for bits in _BITS for kind in _WEIGHT_KINDS)
# Multiples of four, which a pixel shuffle can take, are drawn more often.
_CHANNELS = st.sampled_from((1, 4, 2, 3, 8, 5, 6, 7, 12, 9, 4, 10, 11, 8, 12))
_KERNELS_AND_PADDINGS = st.sampled_from(
    [(kernel, padding) for kernel in (1, 3, 5) for padding in (kernel // 2, 0, kernel - 1)]
)
_SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class _Tensor:
    """A feature map so far: its type, its grid (factor, row offset, column offset), its spread."""

    name: str
    type: TensorType
    grid: tuple[int, int, int]
    low: int
    high: int

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def deviation(self) -> float:
        """Standard deviation of codes spread evenly between ``low`` and ``high``."""
        return max((self.high - self.low) / 12**0.5, 0.25)


@st.composite
def random_graphs(
    draw: st.DrawFn, *, max_operators: int = 6, max_bits: int = 16, image: IntegerType | None = None
) -> Graph:
    """Valid, verified graphs of 1 to ``max_operators`` operators beside the input.

    Args:
        draw: given by hypothesis.
        max_operators: most operators drawn; those that do not lead to the output are dropped.
        max_bits: widest weights and feature maps.
        image: type of the input; None draws one, most often u8.
    """
    builder = _Builder(draw, max_bits)
    builder.add_input(image)
    for _ in range(draw(st.integers(1, max_operators), label="operators")):
        builder.add_operator()
    return verify(_without_dead_ends(builder.nodes))


@st.composite
def random_images(draw: st.DrawFn, graph: Graph, *, max_extra: int = 12) -> NDArray[np.int64]:
    """Images for a graph: int64 [height, width, channels], of the smallest size or a bit more."""
    smallest = smallest_image(graph)
    height = smallest.height + draw(st.integers(0, max_extra), label="extra rows")
    width = smallest.width + draw(st.integers(0, max_extra), label="extra columns")
    integer, channels = graph.input.output.integer, graph.input.output.channels
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="image seed"))
    return generator.integers(integer.low, integer.high, (height, width, channels), endpoint=True)


def smallest_image(graph: Graph) -> Size:
    """The smallest image that leaves every feature map of a graph at least one pixel."""
    rows = columns = 1
    grids: dict[str, tuple[int, int, int]] = {}
    for node in graph.nodes:
        grid = _grid(node.operator, grids[node.inputs[0]]) if node.inputs else (1, 0, 0)
        grids[node.name] = grid
        rows = max(rows, -(-(1 - grid[1]) // grid[0]))
        columns = max(columns, -(-(1 - grid[2]) // grid[0]))
    return Size(rows, columns)


class _Builder:
    """Draws one operator after the other, each on feature maps that exist by then."""

    def __init__(self, draw: st.DrawFn, max_bits: int) -> None:
        self.draw = draw
        self.nodes: list[Node] = []
        self.tensors: list[_Tensor] = []
        self.random = np.random.default_rng(draw(_SEEDS, label="seed"))
        self.feature_types = st.sampled_from([t for t in _FEATURE_TYPES if t.bits <= max_bits])
        self.weight_types = st.sampled_from([t for t in _WEIGHT_TYPES if t.bits <= max_bits])

    def add_input(self, integer: IntegerType | None) -> None:
        channels = self.draw(st.integers(1, 4), label="input channels")
        drawn = integer or self.draw(self.feature_types, label="input type")
        self._append("image", Input(), (), TensorType(channels, drawn))

    def add_operator(self) -> None:
        source = self._drawn_source()
        makers = [self._convolution, self._requantize, self._add, self._convolution]
        if any(source.type.channels % factor**2 == 0 for factor in (2, 3)):
            makers += [self._pixel_shuffle] * 2
        self.draw(st.sampled_from(makers), label="operator")(source)

    def _drawn_source(self) -> _Tensor:
        """Most often the newest feature map, so that most graphs are deep; sometimes a branch."""
        age = self.draw(st.sampled_from((0, 0, 0, 0, 1, 2)), label="age of the source")
        return self.tensors[-1 - min(age, len(self.tensors) - 1)]

    def _convolution(self, source: _Tensor) -> None:
        (height, rows), (width, columns) = (
            self.draw(_KERNELS_AND_PADDINGS, label="kernel and padding") for _ in range(2)
        )
        out_channels = self.draw(_CHANNELS, label="output channels")
        weight_type = self.draw(self.weight_types, label="weight type")
        weight = _weights(
            self.random, weight_type, (out_channels, height, width, source.type.channels)
        )
        centre = weight.sum(axis=(1, 2, 3)) * source.mean
        deviation = source.deviation * np.sqrt(np.square(weight, dtype=np.float64).sum((1, 2, 3)))
        jitter = deviation * self.random.uniform(-0.5, 0.5, out_channels)
        bias = np.round(jitter - centre).astype(np.int64)
        pad_channels = self.random.choice((1, source.type.channels))
        output = TensorType(out_channels, self.draw(self.feature_types, label="output type"))
        operator = Convolution(
            weight,
            weight_type,
            bias,
            Padding.even(rows, columns),
            self.random.integers(source.low, source.high, pad_channels, endpoint=True),
            self._requantization(
                output.integer,
                deviation,
                sum_bits(weight, bias, source.type.integer),
            ),
        )
        self._append("convolution", operator, (source.name,), output)

    def _add(self, source: _Tensor) -> None:
        partners = [tensor for tensor in self.tensors if _can_add(tensor, source)]
        other = self.draw(st.sampled_from(partners), label="partner")
        first, second = (
            int(m) for m in self.random.integers(1 << self.random.integers(20), size=2)
        )
        bias = -round(source.mean * first + other.mean * second)
        deviation = np.hypot(source.deviation * first, other.deviation * second)
        largest = (
            abs(bias)
            + first * source.type.integer.magnitude
            + second * other.type.integer.magnitude
        )
        output = TensorType(
            source.type.channels, self.draw(self.feature_types, label="output type")
        )
        requantization = self._requantization(
            output.integer, np.array([deviation]), largest.bit_length() + 1
        )
        self._append(
            "add", Add((first, second), bias, requantization), (source.name, other.name), output
        )

    def _requantize(self, source: _Tensor) -> None:
        bias = -round(source.mean)
        largest = source.type.integer.magnitude + abs(bias)
        output = TensorType(
            source.type.channels, self.draw(self.feature_types, label="output type")
        )
        requantization = self._requantization(
            output.integer, np.array([source.deviation]), largest.bit_length() + 1
        )
        self._append(
            "requantize", Requantize(np.array([bias]), requantization), (source.name,), output
        )

    def _pixel_shuffle(self, source: _Tensor) -> None:
        factors = [factor for factor in (2, 3) if source.type.channels % factor**2 == 0]
        factor = self.draw(st.sampled_from(factors), label="factor")
        output = TensorType(source.type.channels // factor**2, source.type.integer)
        self._append("pixel_shuffle", PixelShuffle(factor), (source.name,), output)

    def _requantization(
        self, integer: IntegerType, deviation: NDArray[np.float64], width: int
    ) -> Requantization:
        """Rescale sums of mean about 0 so that they fill the output's range, or part of it."""
        low, high = integer.low, integer.high
        if self.random.random() < 0.25:
            low, high = (int(code) for code in np.sort(self.random.integers(low, high + 1, 2)))
        reach = self.random.uniform(0.5, 4)  # standard deviations that fit half the range
        scale = max(high - low, 1) / (2 * reach * np.maximum(deviation, 0.5))
        if self.random.random() < 0.25:
            scale = scale.mean(keepdims=True)
        bits = self.random.integers(1, min(MULTIPLIER_BITS, PRODUCT_BITS - width) + 1)
        multiplier, shift = _fixed_point(scale, int(bits))
        return Requantization(multiplier, shift, (low + high + 1) // 2, low, high)

    def _append(
        self, kind: str, operator: Operator, inputs: tuple[str, ...], output: TensorType
    ) -> None:
        name = f"{kind}_{len(self.nodes)}" if inputs else kind
        source = next((tensor for tensor in self.tensors if tensor.name in inputs), None)
        match operator:
            case Convolution() | Add() | Requantize():
                low, high = operator.requantization.low, operator.requantization.high
            case PixelShuffle() if source:
                low, high = source.low, source.high
            case _:
                low, high = output.integer.low, output.integer.high
        self.nodes.append(Node(name, operator, inputs, output))
        grid = _grid(operator, source.grid) if source else (1, 0, 0)
        self.tensors.append(_Tensor(name, output, grid, low, high))


def _weights(
    generator: np.random.Generator, integer: IntegerType, shape: tuple[int, ...]
) -> Integers:
    """Even draws, only extremes, or mostly zeros: sums of every character."""
    step = 2 if integer.kind is CodeKind.ODD else 1
    levels = np.arange(integer.low, integer.high + 1, step, dtype=np.int64)
    match generator.integers(4):
        case 0:
            return generator.choice(levels[[0, -1]], shape)
        case 1 if integer.kind is not CodeKind.ODD:
            return generator.choice(levels, shape) * (generator.random(shape) < 0.2)
        case _:
            return generator.choice(levels, shape)


def _fixed_point(scale: NDArray[np.float64], bits: int) -> tuple[Integers, Integers]:
    """Multipliers of at most ``bits`` bits and shifts with multiplier / 2^shift about ``scale``."""
    _, exponent = np.frexp(scale)
    shift = np.clip(bits - exponent, 0, MAXIMUM_SHIFT).astype(np.int64)
    multiplier = np.round(np.ldexp(scale, shift)).astype(np.int64)
    return np.minimum(multiplier, (1 << bits) - 1), shift


def _can_add(one: _Tensor, other: _Tensor) -> bool:
    return one.grid == other.grid and one.type.channels == other.type.channels


def _grid(operator: Operator, grid: tuple[int, int, int]) -> tuple[int, int, int]:
    """Output side = factor · image side + offset, for rows and for columns."""
    factor, rows, columns = grid
    match operator:
        case PixelShuffle(factor=shuffle):
            return factor * shuffle, rows * shuffle, columns * shuffle
        case Convolution(padding=padding, kernel=kernel):
            return (
                factor,
                rows + padding.rows - kernel[0] + 1,
                columns + padding.columns - kernel[1] + 1,
            )
        case _:
            return grid


def _without_dead_ends(nodes: list[Node]) -> Graph:
    """The graph whose output is the last node, without what does not lead to it."""
    by_name = {node.name: node for node in nodes}
    needed: set[str] = set()
    waiting = [nodes[-1].name]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting.extend(by_name[name].inputs)
    kept = [node for node in nodes if node.name in needed]
    return Graph.build("random", kept, nodes[-1].name)
