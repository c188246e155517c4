"""Our operators with constants as exact as they can be, for models whose engine computes in floats.

An engine that dequantizes, computes in floating point and quantizes again rounds the real result
once. So do these operators: exact integer sums, multipliers of 31 bits, one rounding. Where all
scales are powers of two, nothing else is rounded.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from quant.graph import (
    Add,
    AveragePool,
    BilinearResize,
    Convolution,
    IntegerType,
    Multiply,
    Padding,
    Requantization,
    Requantize,
    TensorType,
    TransposedConvolution,
    sum_bits,
)
from quant.graph.fixed_point import common_fixed_point, fixed_point
from quant.graph.operators import RESIZE_FRACTION_BITS, Integers
from quant.graph.requantization_rules import MULTIPLIER_BITS, PRODUCT_BITS
from quant.interchange.derivation import zero_point
from quant.interchange.onnx_geometry import Geometry
from quant.interchange.onnx_values import Clamp, Doubles, Quantizer

_LARGEST_BIAS = 2.0**39


def requantization(factor: Doubles, width: int, target: Quantizer, clamp: Clamp) -> Requantization:
    """From sums to codes by factors rounded to 31 bits.

    Args:
        factor: float64 [channels] or [1], of at least 0.
        width: signed bits of the widest sum.
        target: how its results are quantized.
        clamp: real limits of the result.
    """
    multiplier, shift = fixed_point(factor, width)
    return Requantization(
        multiplier,
        shift,
        int(target.zero[0]),
        *clamp_codes(clamp, target),
        target.rounding,
        zero_point_first=target.zero_first and bool(target.zero.any()),
    )


def clamp_codes(clamp: Clamp, target: Quantizer) -> tuple[int, int]:
    """Codes of real limits, within those that a quantizer makes."""
    low, high = (
        limit if np.isinf(limit) else int(target.codes(np.array([[limit]], np.float32))[0, 0])
        for limit in clamp
    )
    return int(np.clip(low, target.low, target.high)), int(np.clip(high, target.low, target.high))


def nearest_biases(real: Doubles, unit: Doubles) -> Integers:
    """Biases in units of sums, rounded to the nearest: int64, of both broadcast."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        steps = np.nan_to_num(np.rint(real / unit), nan=0.0)
    biases: Integers = np.clip(steps, -_LARGEST_BIAS, _LARGEST_BIAS).astype(np.int64)
    return biases


def convolution(
    source: TensorType,
    weight: Integers,
    weight_type: IntegerType,
    weight_scale: Doubles,
    bias: Doubles,
    shape: Geometry,
    target: Quantizer,
    clamp: Clamp,
) -> Convolution:
    """A convolution of codes whose sums are rounded once.

    Args:
        source: the feature map read.
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels / groups].
        weight_type: the integers it is drawn from.
        weight_scale: float64 [out_channels] or [1], at least 0.
        bias: float64 [out_channels], real.
        shape: how the window walks.
        target: how its results are quantized.
        clamp: real limits of the result.
    """
    unit, zero = source.encoding.scale * weight_scale, zero_point(source)
    biases, pad_code, of_taps = nearest_biases(bias, unit), zero, -zero * weight.sum(axis=3)
    has_zero = source.integer.contains(np.array([zero]))
    if has_zero or shape.padding == Padding():
        biases, inside = biases + of_taps.sum(axis=(1, 2)), None
        pad_code = zero if has_zero else source.integer.low
    else:  # taps outside the image are the real number 0, which no code is
        inside, pad_code = of_taps, 0
    width = sum_bits(weight, biases, source.integer, inside)
    return Convolution(
        weight,
        weight_type,
        biases,
        shape.padding,
        np.array([pad_code]),
        requantization(unit / float(target.scale[0]), width, target, clamp),
        shape.stride,
        shape.dilation,
        shape.groups,
        tap_offset=inside,
    )


def transposed(plain: Convolution) -> TransposedConvolution:
    """A transposed convolution of a plain one's constants; its padding is of the spread image."""
    return TransposedConvolution(
        plain.weight,
        plain.weight_type,
        plain.bias,
        plain.stride,
        plain.padding,
        plain.pad_code,
        plain.requantization,
    )


def addition(operands: Sequence[TensorType], target: Quantizer, clamp: Clamp) -> Add:
    """The exact sum of two feature maps on different scales, rounded once."""
    first, second = operands
    out = float(target.scale[0])
    ratios = (first.encoding.scale / out, second.encoding.scale / out)
    reach = sum(operand.integer.magnitude + abs(zero_point(operand)) for operand in operands)
    bits = min(MULTIPLIER_BITS, PRODUCT_BITS - 1 - reach.bit_length())
    multipliers, shift = common_fixed_point(ratios, bits)
    bias = -sum(m * zero_point(o) for m, o in zip(multipliers, operands, strict=True))
    one = requantization(np.ones(1), 1, target, clamp)
    scaling = replace(one, multiplier=np.ones(1, np.int64), shift=np.array([shift], np.int64))
    return Add(multipliers, bias, scaling)


def multiplication(operands: Sequence[TensorType], target: Quantizer, clamp: Clamp) -> Multiply:
    """The exact product of two feature maps, rounded once."""
    first, second = operands
    reach = [operand.integer.magnitude + abs(zero_point(operand)) for operand in operands]
    factor = np.array([first.encoding.scale * second.encoding.scale / float(target.scale[0])])
    width = (reach[0] * reach[1]).bit_length() + 1
    return Multiply(
        (-zero_point(first), -zero_point(second)), requantization(factor, width, target, clamp)
    )


def average_pool(
    source: TensorType, shape: Geometry, target: Quantizer, clamp: Clamp
) -> AveragePool:
    """The exact sum of a window, rounded once when it is divided."""
    count = shape.kernel[0] * shape.kernel[1]
    bias = -zero_point(source) * count
    width = (source.integer.magnitude * count + abs(bias)).bit_length() + 1
    factor = np.array([source.encoding.scale / (count * float(target.scale[0]))])
    return AveragePool(
        shape.kernel, shape.stride, bias, requantization(factor, width, target, clamp)
    )


def bilinear_resize(
    source: TensorType, factor: int, target: Quantizer, clamp: Clamp
) -> BilinearResize:
    """An exact interpolation between pixels with centres, rounded once."""
    bits = 2 * RESIZE_FRACTION_BITS
    reach = source.integer.magnitude + abs(zero_point(source))
    scale = np.array([np.ldexp(source.encoding.scale / float(target.scale[0]), -bits)])
    width = (reach << bits).bit_length() + 1
    scaling = requantization(scale, width, target, clamp)
    return BilinearResize(factor, True, -zero_point(source) << bits, scaling)


def copy(source: TensorType, target: Quantizer, clamp: Clamp) -> Requantize:
    """The same feature map in other codes, rounded once."""
    zero = zero_point(source)
    width = (source.integer.magnitude + abs(zero)).bit_length() + 1
    factor = np.array([source.encoding.scale / float(target.scale[0])])
    return Requantize(np.array([-zero]), requantization(factor, width, target, clamp))
