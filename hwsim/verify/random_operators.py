"""Random operators and codes for checks, from a seeded generator: every width, kind and corner.

Rescaling is chosen from the expected spread of each sum, so that output codes use their range
instead of sticking to its ends, where wrong sums would go unseen.
"""

from collections.abc import Sequence
from math import hypot

import numpy as np
from numpy.typing import NDArray

from quant.common.codes import CodeKind
from quant.graph import (
    Add,
    Convolution,
    IntegerType,
    Requantization,
    Requantize,
    Size,
    TensorType,
)
from quant.graph.verifier import MAXIMUM_SHIFT, MULTIPLIER_BITS, PRODUCT_BITS

Random = np.random.Generator

FEATURE_KINDS = (CodeKind.UNSIGNED, CodeKind.SIGNED)
WEIGHT_KINDS = (CodeKind.SIGNED, CodeKind.UNSIGNED, CodeKind.ODD)
KERNELS = (1, 3, 5)

# Of the codes of a type, evenly spread: the standard deviation is the range over √12.
_EVEN_SPREAD = 12**-0.5


def random_type(
    random: Random, kinds: Sequence[CodeKind] = FEATURE_KINDS, maximum_bits: int = 16
) -> IntegerType:
    """An integer type of one of some kinds, every width from 1 equally likely."""
    kind = kinds[int(random.integers(len(kinds)))]
    return IntegerType(int(random.integers(1, maximum_bits, endpoint=True)), kind)


def random_size(random: Random, smallest: int, largest: int) -> Size:
    """A height and a width within bounds, both included."""
    height, width = random.integers(smallest, largest, 2, endpoint=True)
    return Size(int(height), int(width))


def random_codes(random: Random, size: Size, tensor: TensorType) -> NDArray[np.int32]:
    """A feature map, int32 [height, width, channels]: even draws, or only the two extremes."""
    shape = (size.height, size.width, tensor.channels)
    low, high = tensor.integer.low, tensor.integer.high
    if random.random() < 0.2:
        return random.choice(np.array([low, high], np.int32), shape)
    return random.integers(low, high, shape, np.int32, endpoint=True)


def random_convolution(
    random: Random,
    operand: TensorType,
    output: TensorType,
    weight_type: IntegerType,
    *,
    keep_size: bool,
) -> Convolution:
    """A convolution of one feature map into another.

    Args:
        random: where every draw comes from.
        operand: the input.
        output: the output.
        weight_type: the weights.
        keep_size: whether padding makes the output as large as the input.
    """
    kernel = (random.choice(KERNELS), random.choice(KERNELS))
    padding = [size // 2 if keep_size else int(random.integers(size)) for size in kernel]
    weight = _weights(random, weight_type, (output.channels, *kernel, operand.channels))
    low, high = operand.integer.low, operand.integer.high
    square_sums = np.square(weight, dtype=np.float64).sum(axis=(1, 2, 3))
    deviation = np.maximum((high - low) * _EVEN_SPREAD * np.sqrt(square_sums), 0.5)
    centre = weight.sum(axis=(1, 2, 3)) * (low + high) / 2
    bias = np.rint(deviation * random.uniform(-0.5, 0.5, output.channels) - centre)
    pad_codes = random.integers(
        low, high, random.choice((1, operand.channels)), np.int64, endpoint=True
    )
    largest = np.abs(weight).sum(axis=(1, 2, 3)) * operand.integer.magnitude + np.abs(bias)
    return Convolution(
        weight,
        weight_type,
        bias.astype(np.int64),
        (padding[0], padding[1]),
        pad_codes,
        _requantization(random, output.integer, deviation, int(largest.max())),
    )


def random_add(random: Random, operands: Sequence[TensorType], output: TensorType) -> Add:
    """An addition of two feature maps, scaled by multipliers of any width."""
    multiplier_bits = random.integers(1, 20, endpoint=True)
    first, second = (int(m) for m in random.integers(0, 1 << multiplier_bits, 2))
    ranges = [
        (operand.integer.low * multiplier, operand.integer.high * multiplier)
        for operand, multiplier in zip(operands, (first, second), strict=True)
    ]
    bias = -round(sum(low + high for low, high in ranges) / 2)
    deviation = max(0.5, _EVEN_SPREAD * hypot(*(high - low for low, high in ranges)))
    largest = abs(bias) + sum(max(-low, high) for low, high in ranges)
    return Add(
        (first, second),
        bias,
        _requantization(random, output.integer, np.array([deviation]), largest),
    )


def random_requantize(random: Random, operand: TensorType, output: TensorType) -> Requantize:
    """A change of encoding from one feature map's codes to another's."""
    low, high = operand.integer.low, operand.integer.high
    bias = -round((low + high) / 2)
    deviation = np.array([max(0.5, (high - low) * _EVEN_SPREAD)])
    largest = operand.integer.magnitude + abs(bias)
    return Requantize(bias, _requantization(random, output.integer, deviation, largest))


def _requantization(
    random: Random, integer: IntegerType, deviation: NDArray[np.float64], largest: int
) -> Requantization:
    """Rescale sums of mean about 0 to fill the range of a type.

    Args:
        random: where every draw comes from.
        integer: the type of the codes.
        deviation: [channels] or [1], the standard deviation of the sums.
        largest: bound of the sums' absolute values, for the width of the product.
    """
    low, high = integer.low, integer.high
    if random.random() < 0.3:  # a clamp inside the range, as a ReLU or a reduced range makes
        low, high = sorted(int(code) for code in random.integers(low, high, 2, endpoint=True))
    reach = random.uniform(1, 4)
    scale = np.maximum(high - low, 1) / (2 * reach * deviation)
    if random.random() < 0.3:
        scale = scale.mean(keepdims=True)
    widest = min(MULTIPLIER_BITS, PRODUCT_BITS - largest.bit_length() - 1)
    # Narrow multipliers make exact halves common, which is where roundings differ.
    bits = int(random.integers(1, widest, endpoint=True))
    shift = np.clip(bits - np.frexp(scale)[1], 0, MAXIMUM_SHIFT).astype(np.int64)
    multiplier = np.rint(np.ldexp(scale, shift)).astype(np.int64)
    multiplier = np.minimum(multiplier, (1 << bits) - 1)
    return Requantization(multiplier, shift, (low + high + 1) // 2, low, high)


def _weights(random: Random, integer: IntegerType, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Even draws, or only the two extremes."""
    step = 2 if integer.kind is CodeKind.ODD else 1
    levels = np.arange(integer.low, integer.high + 1, step, dtype=np.int64)
    return random.choice(levels[[0, -1]] if random.random() < 0.2 else levels, shape)
