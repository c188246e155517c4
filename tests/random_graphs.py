"""Hypothesis strategies: small valid integer graphs, and images to run through them.

Structure (operators, wiring, widths, shapes) is drawn by hypothesis and shrinks; the bulk of the
weights comes from a generator seeded by one drawn integer. Rescaling is chosen from the expected
spread of each sum, so that output codes use their range instead of sticking to its ends.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd, prod

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from quant.common.codes import CodeKind
from quant.common.run_time_scaling import nearest_point_thresholds
from quant.graph import (
    PLACEMENTS,
    Add,
    BilinearResize,
    Concatenate,
    Convolution,
    Encode,
    Graph,
    GraphError,
    Input,
    IntegerType,
    LookupTable,
    Multiply,
    NearestResize,
    Node,
    Normalization,
    Padding,
    ParametricRelu,
    PixelShuffle,
    Requantization,
    Requantize,
    ScaledConvolution,
    Size,
    Statistics,
    TensorType,
    scaled_sum_bits,
    sum_bits,
    verify,
)
from quant.graph.grids import ONE_PIXEL, output_size
from quant.graph.operators import SHUFFLE_ORDERS, STATISTICS, Integers, Operator
from quant.graph.requantization_rules import MAXIMUM_SHIFT, MULTIPLIER_BITS, PRODUCT_BITS
from quant.graph.run_time_scaling_rules import FACTORS, SUMS, factor_channels, summary_channels
from quant.graph.types import MAXIMUM_BITS

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
_SAME_SIZE = st.sampled_from([(1, 0), (3, 1)])
_SEEDS = st.integers(0, 2**32 - 1)
_STRIDES = st.sampled_from([(1, 1), (1, 1), (2, 2), (2, 1), (1, 3), (3, 2)])
_DILATIONS = st.sampled_from([(1, 1), (1, 1), (2, 1), (2, 3)])
_MOST_STRIDES = 12
"""Product of all strides of a graph, down and across; sizes repeat after as many pixels."""
_MOST_ENLARGED = 6
"""Sides of the output to sides of the image, so that the slow reference stays fast enough."""
_LARGE = Size(1000, 1001)
_IMAGES = tuple(
    Size(_LARGE.height + more, _LARGE.width + more) for more in range(2 * _MOST_STRIDES)
)
"""Feature maps of one size for each of these images have one size for all."""


@dataclass(frozen=True)
class _Tensor:
    """A feature map so far: its type, its sizes for `_IMAGES`, its spread."""

    name: str
    type: TensorType
    grid: tuple[Size, ...]
    low: int
    high: int

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def deviation(self) -> float:
        """Standard deviation of codes spread evenly between ``low`` and ``high``."""
        return max((self.high - self.low) / 12**0.5, 0.25)

    @property
    def is_sum(self) -> bool:
        return self.type.integer.bits > MAXIMUM_BITS

    @property
    def is_pixel(self) -> bool:
        return set(self.grid) == {ONE_PIXEL}

    @property
    def is_constant(self) -> bool:
        """Whether its size is the same for all images, as it comes from a single pixel."""
        return self.grid[0] == self.grid[-1]


@st.composite
def random_graphs(
    draw: st.DrawFn,
    *,
    max_operators: int = 6,
    max_bits: int = 16,
    image: IntegerType | None = None,
    every_operator: bool = False,
) -> Graph:
    """Valid, verified graphs of 1 to ``max_operators`` operators beside the input.

    Args:
        draw: given by hypothesis.
        max_operators: most operators drawn; those that do not lead to the output are dropped.
        max_bits: widest weights and feature maps.
        image: type of the input; None draws one, most often u8.
        every_operator: not only dense convolutions of stride 1, additions, requantizations and
            pixel shuffles in the order dcr.
    """
    builder = (_AnyBuilder if every_operator else _Builder)(draw, max_bits)
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
    rows = next(side for side in range(1, 1000) if _fits(graph, Size(side, _LARGE.width)))
    columns = next(side for side in range(1, 1000) if _fits(graph, Size(_LARGE.height, side)))
    return Size(rows, columns)


def _fits(graph: Graph, image: Size) -> bool:
    try:
        graph.sizes(image)
    except GraphError:
        return False
    return True


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
        self.draw(st.sampled_from(self._makers(source)), label="operator")(source)

    def _makers(self, source: _Tensor) -> list[Callable[[_Tensor], None]]:
        makers = [self._convolution, self._requantize, self._add, self._convolution]
        if any(source.type.channels % factor**2 == 0 for factor in (2, 3)):
            makers += [self._pixel_shuffle] * 2
        return makers

    def _drawn_source(self) -> _Tensor:
        """Most often the newest feature map, so that most graphs are deep; sometimes a branch."""
        age = self.draw(st.sampled_from((0, 0, 0, 0, 1, 2)), label="age of the source")
        return self.tensors[-1 - min(age, len(self.tensors) - 1)]

    def _convolution(self, source: _Tensor) -> None:
        kernels = _SAME_SIZE if source.is_constant else _KERNELS_AND_PADDINGS
        (height, rows), (width, columns) = (
            self.draw(kernels, label="kernel and padding") for _ in range(2)
        )
        out_channels = self.draw(_CHANNELS, label="output channels")
        weight_type = self.draw(self.weight_types, label="weight type")
        stride, dilation, groups = self._geometry(source, out_channels)
        weight = _weights(
            self.random, weight_type, (out_channels, height, width, source.type.channels // groups)
        )
        centre = weight.sum(axis=(1, 2, 3)) * source.mean
        deviation = source.deviation * np.sqrt(np.square(weight, dtype=np.float64).sum((1, 2, 3)))
        jitter = deviation * self.random.uniform(-0.5, 0.5, out_channels)
        bias = np.round(jitter - centre).astype(np.int64)
        pad_channels = self.random.choice((1, source.type.channels))
        tap_offset = None
        if self.draw(st.integers(0, 3), label="tap offsets if 0") == 0:
            limit = int(deviation.max() / np.sqrt(height * width)) + 1
            tap_offset = self.random.integers(-limit, limit, (out_channels, height, width))
        output = TensorType(out_channels, self.draw(self.feature_types, label="output type"))
        operator = Convolution(
            weight,
            weight_type,
            bias,
            Padding.even(rows, columns),
            self.random.choice(_members(source), pad_channels),
            self._requantization(
                output.integer,
                deviation,
                sum_bits(weight, bias, source.type.integer, tap_offset),
            ),
            stride,
            dilation,
            groups,
            tap_offset=tap_offset,
        )
        self._append("convolution", operator, (source.name,), output)

    def _geometry(
        self, source: _Tensor, out_channels: int
    ) -> tuple[tuple[int, int], tuple[int, int], int]:
        return (1, 1), (1, 1), 1

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
            output.integer, self._deviations(source), largest.bit_length() + 1
        )
        self._append(
            "requantize", Requantize(np.array([bias]), requantization), (source.name,), output
        )

    def _deviations(self, source: _Tensor) -> NDArray[np.float64]:
        return np.array([source.deviation])

    def _pixel_shuffle(self, source: _Tensor) -> None:
        factors = [factor for factor in (2, 3) if source.type.channels % factor**2 == 0]
        factor = self.draw(st.sampled_from(factors), label="factor")
        output = TensorType(source.type.channels // factor**2, source.type.integer)
        shuffle = PixelShuffle(factor, self._shuffle_order())
        self._append("pixel_shuffle", shuffle, (source.name,), output)

    def _shuffle_order(self) -> str:
        return "dcr"

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
            case Convolution() | Add() | Requantize() | Multiply() | BilinearResize():
                low, high = operator.requantization.low, operator.requantization.high
            case PixelShuffle() | NearestResize() | Concatenate() if source:
                low, high = source.low, source.high
            case _:
                low, high = output.integer.low, output.integer.high
        self.nodes.append(Node(name, operator, inputs, output))
        by_name = {tensor.name: tensor for tensor in self.tensors}
        grid = _IMAGES
        if inputs:
            operands = [by_name[name].grid for name in inputs]
            grid = tuple(output_size(operator, sizes) for sizes in zip(*operands, strict=True))
        self.tensors.append(_Tensor(name, output, grid, low, high))


class _AnyBuilder(_Builder):
    """Draws every operator there is, with every kind of code."""

    def __init__(self, draw: st.DrawFn, max_bits: int) -> None:
        super().__init__(draw, max_bits)
        self.strides = 1
        odd = [IntegerType(bits, CodeKind.ODD) for bits in (1, 2, 4, 8) if bits <= max_bits]
        tables = [
            IntegerType(2, CodeKind.TABLE, (-3, 0, 1, 6)),
            IntegerType(1, CodeKind.TABLE, (5,)),
        ]
        self.table_outputs = st.one_of(
            self.feature_types, st.sampled_from([*odd, *(t for t in tables if t.bits <= max_bits)])
        )

    def _makers(self, source: _Tensor) -> list[Callable[[_Tensor], None]]:
        if source.is_sum:
            return [self._requantize]
        makers = [
            *super()._makers(source),
            self._multiply,
            self._prelu,
            self._lookup_table,
            self._concatenate,
            self._statistics,
        ]
        if source.type.integer.is_consecutive:
            makers += [self._normalized_convolution]
        if 2 * source.grid[0].height <= _MOST_ENLARGED * _LARGE.height:
            makers += [self._nearest_resize, self._bilinear_resize]
        return makers

    def _geometry(
        self, source: _Tensor, out_channels: int
    ) -> tuple[tuple[int, int], tuple[int, int], int]:
        stride = self.draw(_STRIDES, label="stride")
        dilation = self.draw(_DILATIONS, label="dilation")
        if self.strides * prod(stride) > _MOST_STRIDES:
            stride = (1, 1)
        if source.is_constant:
            stride = dilation = (1, 1)
        self.strides *= prod(stride)
        common = gcd(source.type.channels, out_channels)
        divisors = [groups for groups in range(1, common + 1) if common % groups == 0]
        groups = self.draw(st.sampled_from([1, *divisors]), label="groups")
        return stride, dilation, groups

    def _shuffle_order(self) -> str:
        return self.draw(st.sampled_from(SHUFFLE_ORDERS), label="order")

    def _deviations(self, source: _Tensor) -> NDArray[np.float64]:
        """One for all channels, or one for each."""
        channels = self.random.choice((1, source.type.channels))
        return source.deviation * self.random.uniform(0.5, 2, channels)

    def _multiply(self, source: _Tensor) -> None:
        factors = [tensor for tensor in self.tensors if _can_multiply(source, tensor)]
        factor = self.draw(st.sampled_from(factors), label="factor")
        biases = -round(source.mean), -round(factor.mean)
        largest = (source.type.integer.magnitude + abs(biases[0])) * (
            factor.type.integer.magnitude + abs(biases[1])
        )
        output = TensorType(
            source.type.channels, self.draw(self.feature_types, label="output type")
        )
        requantization = self._requantization(
            output.integer,
            self._deviations(source) * factor.deviation,
            largest.bit_length() + 1,
        )
        inputs = (source.name, factor.name)
        self._append("multiply", Multiply(biases, requantization), inputs, output)

    def _prelu(self, source: _Tensor) -> None:
        bias = -round(source.mean)
        slope = self.random.integers(-100, 30000, self.random.choice((1, source.type.channels)))
        largest = source.type.integer.magnitude + abs(bias)
        steepest = int(np.abs(slope).max())
        output = TensorType(
            source.type.channels, self.draw(self.feature_types, label="output type")
        )
        deviations = self._deviations(source)
        positive, negative = (
            self._requantization(output.integer, deviations * times, width.bit_length() + 1)
            for times, width in ((1, largest), (steepest / 2, largest * steepest))
        )
        operator = ParametricRelu(bias, slope, positive, negative)
        self._append("prelu", operator, (source.name,), output)

    def _lookup_table(self, source: _Tensor) -> None:
        integer = source.type.integer
        output = TensorType(
            source.type.channels, self.draw(self.table_outputs, label="output type")
        )
        tables = self.random.choice((1, source.type.channels)) if integer.bits <= 8 else 1
        shape = (tables, integer.high - integer.low + 1)
        table = self.random.choice(_levels(output.integer), shape)
        self._append("lookup_table", LookupTable(table), (source.name,), output)

    def _concatenate(self, source: _Tensor) -> None:
        partners = [
            tensor
            for tensor in self.tensors
            if tensor.grid == source.grid and tensor.type.integer == source.type.integer
        ]
        others = self.draw(st.lists(st.sampled_from(partners), min_size=1, max_size=2))
        channels = source.type.channels + sum(other.type.channels for other in others)
        names = (source.name, *(other.name for other in others))
        output = TensorType(channels, source.type.integer)
        self._append("concatenate", Concatenate(), names, output)

    def _nearest_resize(self, source: _Tensor) -> None:
        factor = self.draw(st.sampled_from((2, 3, 1)), label="factor")
        self._append("nearest_resize", NearestResize(factor), (source.name,), source.type)

    def _bilinear_resize(self, source: _Tensor) -> None:
        bias = -round(source.mean) << 20
        largest = (source.type.integer.magnitude << 20) + abs(bias)
        output = TensorType(
            source.type.channels, self.draw(self.feature_types, label="output type")
        )
        requantization = self._requantization(
            output.integer, self._deviations(source) * 2**20, largest.bit_length() + 1
        )
        factor = self.draw(st.sampled_from((2, 3, 1)), label="factor")
        centers = self.draw(st.booleans(), label="half-pixel centers")
        operator = BilinearResize(factor, centers, bias, requantization)
        self._append("bilinear_resize", operator, (source.name,), output)

    def _statistics(self, source: _Tensor) -> None:
        statistic = self.draw(st.sampled_from(STATISTICS), label="statistic")
        integer, channels = source.type.integer, source.type.channels
        if statistic in ("sum", "summary"):
            integer = SUMS
        if statistic == "summary":
            channels = summary_channels(channels)
        output = TensorType(channels, integer)
        self._append("statistics", Statistics(statistic), (source.name,), output)

    def _normalized_convolution(self, source: _Tensor) -> None:
        """A summary, a normalization, an encoder and a convolution that keeps the size."""
        channels, is_centred = source.type.channels, self.draw(st.booleans(), label="centred")
        bits = self.draw(st.integers(1, 8), label="code bits")
        points = np.sort(self.random.integers(-1024, 1025, (channels, 1 << bits)), axis=1)
        self._append(
            "summary",
            Statistics("summary"),
            (source.name,),
            TensorType(summary_channels(channels), SUMS),
        )
        factors = TensorType(factor_channels(channels), FACTORS)
        self._append("normalization", Normalization(is_centred), (self.tensors[-1].name,), factors)
        names = source.name, self.tensors[-1].name
        encode = Encode(nearest_point_thresholds(points))
        self._append("encode", encode, names, TensorType(channels, IntegerType(bits)))
        out_channels = self.draw(_CHANNELS, label="output channels")
        (height, rows), (width, columns) = (
            self.draw(_SAME_SIZE, label="kernel and padding") for _ in range(2)
        )
        weight_type = self.draw(self.weight_types, label="weight type")
        weight = _weights(self.random, weight_type, (out_channels, height, width, channels))
        output = TensorType(out_channels, self.draw(self.feature_types, label="output type"))
        padding, placement = Padding.even(rows, columns), self.draw(st.sampled_from(PLACEMENTS))
        bias, no_pad_code = np.zeros(out_channels, np.int64), np.zeros(1, np.int64)
        bare = ScaledConvolution(
            weight,
            weight_type,
            bias,
            padding,
            no_pad_code,
            self._requantization(output.integer, np.ones(1), 1),
            points=points,
            is_centred=is_centred,
            placement=placement,
        )
        squares = np.square(weight, dtype=np.float64).sum((1, 2, 3))
        deviation = np.sqrt(squares) * np.abs(points).mean() * source.deviation
        width_of_sums = scaled_sum_bits(bare)
        found = self._requantization(output.integer, deviation, width_of_sums)
        operator = replace(bare, requantization=found)
        self._append("scaled_convolution", operator, (self.tensors[-1].name, names[1]), output)


def _levels(integer: IntegerType) -> Integers:
    """All integers of a type."""
    if integer.kind is CodeKind.TABLE:
        return np.array(integer.values, np.int64)
    step = 2 if integer.kind is CodeKind.ODD else 1
    return np.arange(integer.low, integer.high + 1, step, dtype=np.int64)


def _members(tensor: _Tensor) -> Integers:
    """Integers that a feature map may hold."""
    levels = _levels(tensor.type.integer)
    return levels[(levels >= tensor.low) & (levels <= tensor.high)]


def _weights(
    generator: np.random.Generator, integer: IntegerType, shape: tuple[int, ...]
) -> Integers:
    """Even draws, only extremes, or mostly zeros: sums of every character."""
    levels = _levels(integer)
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
    if one.is_sum or other.is_sum:
        return False
    return one.grid == other.grid and one.type.channels == other.type.channels


def _can_multiply(ifm: _Tensor, factor: _Tensor) -> bool:
    channels = (1, ifm.type.channels)
    fits = factor.type.channels in channels and (factor.grid == ifm.grid or factor.is_pixel)
    return fits and not factor.is_sum


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
