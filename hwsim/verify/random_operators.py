"""Random operators and codes for checks, from a seeded generator: every width, kind and corner.

Rescaling is chosen from the sums that sample operands give, so that output codes use their range
instead of sticking to its ends, where wrong sums would go unseen.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import DENSE, Geometry
from quant.common.accumulators import LEAST_BITS, MOST_BITS
from quant.common.add_rescaling import TFLITE_LEFT_SHIFT, onnx_add, tflite_add
from quant.common.codes import CodeKind
from quant.common.requantization_modes import MODES, ONE_FLOAT32
from quant.common.rescaling import rescaling
from quant.graph import (
    Accumulator,
    Add,
    Convolution,
    FusedTerms,
    IntegerType,
    Padding,
    Requantization,
    Requantize,
    Size,
    TensorType,
    TermRounding,
)
from quant.graph.requantization_rules import MAXIMUM_SHIFT, MULTIPLIER_BITS, PRODUCT_BITS

Random = np.random.Generator

_LARGEST_32_BITS = 2**31
_LARGEST_FACTOR = 2.0**14  # what every mode's multipliers can express
Codes = NDArray[np.int32]

FEATURE_KINDS = (CodeKind.UNSIGNED, CodeKind.SIGNED)
WEIGHT_KINDS = (CodeKind.SIGNED, CodeKind.UNSIGNED, CodeKind.ODD)
KERNEL_SIDES = (1, 3, 5)


def random_type(
    random: Random, kinds: Sequence[CodeKind] = FEATURE_KINDS, maximum_bits: int = 16
) -> IntegerType:
    """An integer type of one of some kinds, every width from 1 equally likely."""
    kind = kinds[int(random.integers(len(kinds)))]
    bits = int(random.integers(1, maximum_bits, endpoint=True))
    if kind is not CodeKind.TABLE:
        return IntegerType(bits, kind)
    values = np.unique(random.integers(-(2**15), 2**15, int(random.integers(1, min(2**bits, 99)))))
    return IntegerType(bits, kind, tuple(values.tolist()))


def random_size(random: Random, smallest: int, largest: int) -> Size:
    """A height and a width within bounds, both included."""
    height, width = random.integers(smallest, largest, 2, endpoint=True)
    return Size(int(height), int(width))


def random_codes(random: Random, size: Size, tensor: TensorType) -> Codes:
    """A feature map, int32 [height, width, channels]: even draws, or only the two extremes."""
    shape = (size.height, size.width, tensor.channels)
    return random_integers(random, tensor.integer, shape).astype(np.int32)


def random_convolution(
    random: Random,
    operand: TensorType,
    sample: Codes,
    output: TensorType,
    weight_type: IntegerType,
    *,
    keep_size: bool,
    geometry: Geometry = DENSE,
    has_tap_offsets: bool = False,
) -> Convolution:
    """A convolution of one feature map into another.

    Args:
        random: where every draw comes from.
        operand: type of the input.
        sample: an input, at least as large as the largest of `KERNEL_SIDES`, or of any size if the
            convolution keeps it.
        output: type of the output.
        weight_type: type of the weights.
        keep_size: whether padding makes the output as large as the input, at stride and dilation 1.
        geometry: stride, dilation and groups; groups divide both numbers of channels.
        has_tap_offsets: whether taps inside the image add offsets, about as much as the bias.
    """
    kernel = [int(size) for size in random.choice(KERNEL_SIDES, 2)]
    rows, columns = (size // 2 if keep_size else int(random.integers(size)) for size in kernel)
    inputs = operand.channels // geometry.groups
    weight = random_integers(random, weight_type, (output.channels, *kernel, inputs))
    pad_code = random_integers(
        random, operand.integer, (int(random.choice((1, operand.channels))),)
    )
    padded = reference.pad(sample, (rows, rows, columns, columns), pad_code)
    sums = reference.convolve(padded, weight, np.zeros(output.channels, np.int64), geometry)
    centre, deviation = sums.mean(axis=(0, 1)), sums.std(axis=(0, 1))
    bias = np.rint(deviation * random.uniform(-0.5, 0.5, output.channels) - centre)
    largest = np.abs(weight).sum(axis=(1, 2, 3)) * operand.integer.magnitude + np.abs(bias)
    offset = None
    if has_tap_offsets:
        spread = deviation[:, np.newaxis, np.newaxis] / np.sqrt(np.prod(kernel))
        drawn = spread * random.uniform(-1, 1, (output.channels, *kernel))
        offset = np.rint(drawn).astype(np.int64)
        largest += np.abs(offset).sum(axis=(1, 2))
    return Convolution(
        weight,
        weight_type,
        bias.astype(np.int64),
        Padding.even(rows, columns),
        pad_code,
        random_requantization(random, output.integer, deviation, int(largest.max())),
        geometry.stride,
        geometry.dilation,
        geometry.groups,
        tap_offset=offset,
    )


def random_accumulator(
    random: Random, convolution: Convolution, sample: Codes, overflow: str
) -> Accumulator:
    """An accumulator that holds the sums of an input, or all but the largest of them.

    Args:
        random: where every draw comes from.
        convolution: what is summed.
        sample: the input.
        overflow: a name in `quant.common.accumulators.OVERFLOWS`.
    """
    around = convolution.padding
    pad_code = np.broadcast_to(convolution.pad_code, convolution.in_channels)
    sides = (around.top, around.bottom, around.left, around.right)
    padded = reference.pad(sample, sides, pad_code)
    sums = reference.convolve(padded, convolution.weight, convolution.bias)
    needed = int(np.abs(sums).max()).bit_length() + 1
    bits = needed - int(random.integers(0, 4, endpoint=True))
    # The least sum of a register is one more in magnitude than what a mode of its width is sure of.
    most = min(MOST_BITS, MODES[convolution.requantization.rounding].sum_bits - 1)
    return Accumulator(min(max(bits, LEAST_BITS), most), overflow)


def random_add(
    random: Random, operands: Sequence[TensorType], samples: Sequence[Codes], output: TensorType
) -> Add:
    """An addition of two feature maps, scaled so that both show in the sum.

    Args:
        random: where every draw comes from.
        operands: types of both inputs.
        samples: both inputs, of one shape.
        output: type of the output.
    """
    spreads = [max(0.5, float(sample.std())) for sample in samples]
    largest_multiplier = 1 << int(random.integers(2, 20, endpoint=True))
    first, second = (
        int(largest_multiplier * random.uniform(0.3, 1) * min(spreads) / spread)
        for spread in spreads
    )
    sums = reference.add(samples[0], samples[1], (first, second), 0)
    bias = -round(sums.mean())
    largest = abs(bias) + sum(
        operand.integer.magnitude * multiplier
        for operand, multiplier in zip(operands, (first, second), strict=True)
    )
    deviation = np.array([sums.std()])
    return Add(
        (first, second), bias, random_requantization(random, output.integer, deviation, largest)
    )


def random_rounded_add(random: Random, integer: IntegerType) -> Add:
    """An addition of 8-bit codes as TensorFlow Lite does it, on scales a few times apart."""
    first, second, output = (float(scale) for scale in np.exp2(random.uniform(-9, -5, 3)))
    zeros = [int(zero) for zero in random.integers(integer.low, integer.high, 3, endpoint=True)]
    given = tflite_add((first, second), output)
    requantization = Requantization(
        np.array([given.sum_multiplier]),
        np.array([given.sum_shift]),
        zeros[2],
        integer.low,
        integer.high,
        "tflite_double",
    )
    terms = TermRounding((zeros[0], zeros[1]), given.shifts, TFLITE_LEFT_SHIFT)
    return Add(given.multipliers, 0, requantization, terms)


def random_fused_add(random: Random, integer: IntegerType) -> Add:
    """An addition of codes in float32 as ONNX Runtime does it, on scales a few times apart."""
    first, second, output = (float(scale) for scale in np.exp2(random.uniform(-9, -5, 3)))
    zeros = [int(zero) for zero in random.integers(integer.low, integer.high, 3, endpoint=True)]
    given = onnx_add((first, second), (zeros[0], zeros[1]), output, zeros[2])
    return Add(given.ratios, 0, fused_requantization(integer), FusedTerms(given.addend))


def fused_requantization(integer: IntegerType) -> Requantization:
    """What an addition in float32 has: nothing but a clamp to the codes."""
    return Requantization(
        np.array([ONE_FLOAT32]), np.array([0]), 0, integer.low, integer.high, "onnxruntime"
    )


def random_requantize(
    random: Random, operand: TensorType, sample: NDArray[Any], output: TensorType
) -> Requantize:
    """A change of encoding from one feature map's codes to another's; arguments as above."""
    bias = -round(sample.mean())
    largest = operand.integer.magnitude + abs(bias)
    deviation = np.array([sample.std()])
    return Requantize(
        np.array([bias]), random_requantization(random, output.integer, deviation, largest)
    )


def random_requantization(
    random: Random, integer: IntegerType, deviation: NDArray[np.float64], largest: int
) -> Requantization:
    """Rescale sums of mean about 0 to fill the range of a type, in any mode that takes them.

    Args:
        random: where every draw comes from.
        integer: the type of the codes.
        deviation: [channels] or [1], the standard deviation of the sums.
        largest: bound of the sums' absolute values, for the width of the product.
    """
    low, high = integer.low, integer.high
    middle = (low + high + 1) // 2
    reach = random.uniform(1, 3)
    scale = (high - low) / (2 * reach * np.maximum(deviation, 0.5))
    if random.random() < 0.3:
        scale = scale.mean(keepdims=True)
    least, greatest = low, high
    if random.random() < 0.3:  # a clamp inside the range, as a ReLU or a reduced range makes
        least, greatest = int(random.integers(low, middle)), int(random.integers(middle, high + 1))
    if largest < _LARGEST_32_BITS and random.random() < 0.5:
        mode = list(MODES)[int(random.integers(len(MODES)))]
        given = rescaling(mode, 1.0, np.minimum(scale, _LARGEST_FACTOR), 1.0)
        found = Requantization(
            given.multiplier, given.shift, middle, least, greatest, mode, given.destination_scale
        )
        return _in_either_order(random, found, largest)
    widest = min(MULTIPLIER_BITS, PRODUCT_BITS - largest.bit_length() - 1)
    # Narrow multipliers make exact halves common, which is where roundings differ.
    bits = int(random.integers(1, widest, endpoint=True))
    shift = np.clip(bits - np.frexp(scale)[1], 0, MAXIMUM_SHIFT).astype(np.int64)
    multiplier = np.rint(np.ldexp(scale, shift)).astype(np.int64)
    multiplier = np.minimum(multiplier, (1 << bits) - 1)
    found = Requantization(multiplier, shift, middle, least, greatest)
    return _in_either_order(random, found, largest)


def _in_either_order(random: Random, given: Requantization, largest: int) -> Requantization:
    """The zero point sometimes first, where products leave room for it."""
    first = random.random() < 0.3
    product = largest * int(given.multiplier.max())
    moved = given.zero_point << max(31, int(given.shift.max()))
    fits = MODES[given.rounding].is_float or product + abs(moved) <= 1 << PRODUCT_BITS - 1
    return replace(given, zero_point_first=first and fits)


def random_integers(
    random: Random, integer: IntegerType, shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Integers of a type: even draws, or only the two extremes."""
    if integer.kind is CodeKind.TABLE:
        levels = np.array(integer.values, np.int64)
    else:
        step = 2 if integer.kind is CodeKind.ODD else 1
        levels = np.arange(integer.low, integer.high + 1, step, dtype=np.int64)
    return random.choice(levels[[0, -1]] if random.random() < 0.2 else levels, shape)
