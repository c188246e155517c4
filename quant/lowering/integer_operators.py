"""The integer constants of each operator, from the encodings of what it reads and writes.

With x = s_x·(q_x − z_x), w = s_w·k and y = s_y·(q_y − z_y), y = Σ w·x + b becomes

    sum = Σ k·q_x + [b / (s_x·s_w) − z_x·Σ k],
    q_y = round(sum · s_x·s_w / s_y) + z_y.

The bracket is the stored bias, rounded once; ``docs/lowering.md`` has the whole derivation, and
those of the other operators.
"""

from dataclasses import replace

import numpy as np

from quant.graph import (
    AveragePool,
    BilinearResize,
    Convolution,
    Multiply,
    ParametricRelu,
    Requantize,
    TransposedConvolution,
    sum_bits,
)
from quant.graph.operators import RESIZE_FRACTION_BITS, Integers
from quant.graph.types import Padding
from quant.lowering.encodings import MapEncoding, WeightEncoding, reach, zero_of_taps
from quant.lowering.float_operators import (
    UNCLAMPED,
    FloatAffine,
    FloatAveragePool,
    FloatConvolution,
    FloatLayer,
    FloatPRelu,
    FloatTransposedConvolution,
    Reals,
)
from quant.lowering.requantizer import Requantizer

_SLOPE_BITS = 15
"""Magnitude of a stored slope: with its sign it is as wide as the widest code."""

_SMALLEST_FACTOR = 2.0**-100  # of an affine map: the offset of a channel that is 0 stays finite


def integer_layer(
    requantizer: Requantizer,
    layer: FloatLayer,
    weights: WeightEncoding,
    source: MapEncoding,
    target: MapEncoding,
) -> Convolution | TransposedConvolution:
    """A convolution of either kind that reads one encoding and writes another."""
    bias = integer_bias(layer, weights, source, target)
    pad_code, tap_offset = source.zero_codes, stored_taps(layer, weights, source)
    if tap_offset is not None:
        # Taps outside have code 0, so that those inside alone bring the zero point along.
        pad_code = np.zeros(1, np.int64)
        bias -= tap_offset.sum(axis=(1, 2))
    width = sum_bits(weights.weight, bias, source.integer, tap_offset)
    requantization = requantizer.from_scales(
        source.scale, weights.scale, target, width, layer.clamp
    )
    match layer:
        case FloatConvolution(padding=padding, stride=stride, dilation=dilation, groups=groups):
            return Convolution(
                weights.weight,
                weights.integer,
                bias,
                padding,
                pad_code,
                requantization,
                stride,
                dilation,
                groups,
                tap_offset=tap_offset,
            )
        case FloatTransposedConvolution(padding=padding, stride=stride):
            return TransposedConvolution(
                weights.weight,
                weights.integer,
                bias,
                stride,
                padding,
                pad_code,
                requantization,
            )


def stored_taps(layer: FloatLayer, weights: WeightEncoding, source: MapEncoding) -> Integers | None:
    """What the zero point adds at each tap inside the image, in units of `integer_layer`'s sums.

    Rounded so that at every border of the image their sum is the nearest whole number.

    Returns:
        int64 [out_channels, kernel_height, kernel_width]; None where all taps may add it.
    """
    exact = source.pads_exactly and not source.has_zero and layer.padding != Padding()
    if not exact or not isinstance(layer, FloatConvolution):
        return None
    down, across = (
        _windows(size, before)
        for size, before in zip(
            layer.weight.shape[1:3], (layer.padding.top, layer.padding.left), strict=True
        )
    )
    sums = _rounded(down @ zeros_of_taps(layer, weights, source) @ across.T)
    back_down, back_across = (_rounded(_inverse(windows)) for windows in (down, across))
    taps: Integers = -(back_down @ sums @ back_across.T)
    return taps


def _inverse(matrix: Reals) -> Reals:
    inverse: Reals = np.linalg.inv(matrix).astype(np.float64)
    return inverse


def _windows(taps: int, before: int) -> Reals:
    """Along one side of a kernel: which taps are inside, in each place near the image's border.

    Args:
        taps: of that side.
        before: rows or columns of padding there.

    Returns:
        float64 [taps, taps], ones and zeros: without some of the first taps, with all of them, and
        without some of the last. Its inverse is whole.
    """
    places = np.arange(taps)
    middle = min(before, taps - 1)
    rows = [places >= first for first in range(1, middle + 1)]
    rows += [places <= last for last in range(middle, taps)]
    return np.array(rows, np.float64)


def zeros_of_taps(layer: FloatLayer, weights: WeightEncoding, source: MapEncoding) -> Reals:
    """The zero point times the weights of each tap [out_channels, kernel_height, kernel_width]."""
    zeros: Reals = (weights.weight * zero_of_taps(layer, source)).sum(axis=3)
    return zeros


def stored_bias(
    layer: FloatLayer, weights: WeightEncoding, source: MapEncoding, target: MapEncoding
) -> Reals:
    """The real biases [out_channels] that the integers of `integer_layer` stand for.

    They are within half a step of the sums, source.scale · weights.scale, of the layer's.
    """
    zeros = zeros_of_taps(layer, weights, source).sum(axis=(1, 2))
    stored = integer_bias(layer, weights, source, target)
    bias: Reals = source.scale * weights.scale * (stored + zeros)
    return bias - target.offset


def integer_bias(
    layer: FloatLayer, weights: WeightEncoding, source: MapEncoding, target: MapEncoding
) -> Integers:
    """With the zero points of all taps, in units of the sums: int64 [out_channels]."""
    zeros = zeros_of_taps(layer, weights, source).sum(axis=(1, 2))
    return _rounded((layer.bias + target.offset) / (source.scale * weights.scale) - zeros)


def integer_requantize(
    requantizer: Requantizer,
    source: MapEncoding,
    target: MapEncoding,
    clamp: tuple[float, float] = UNCLAMPED,
) -> Requantize:
    """A change of encoding; what is not whole of zero points is rounded to the source's codes."""
    return _scaled(requantizer, np.ones(1), np.zeros(1), source, target, clamp)


def integer_affine(
    requantizer: Requantizer, affine: FloatAffine, source: MapEncoding, target: MapEncoding
) -> Requantize:
    """A factor of at least 0 and an offset, rounded to the source's codes, for each channel."""
    return _scaled(requantizer, affine.scale, affine.offset, source, target, UNCLAMPED)


def integer_coarser_image(
    requantizer: Requantizer, source: MapEncoding, target: MapEncoding
) -> Requantize:
    """Codes of fewer bits over the same range: code 0 stays code 0, without any zero point."""
    black = np.zeros(1)
    return integer_requantize(requantizer, replace(source, zero=black), replace(target, zero=black))


def integer_multiply(
    requantizer: Requantizer,
    operands: tuple[MapEncoding, MapEncoding],
    target: MapEncoding,
    clamp: tuple[float, float],
) -> Multiply:
    """A product of two encodings, all with whole zero points."""
    first, second = operands
    biases = -_whole_zero(first), -_whole_zero(second)
    largest = reach(first) * reach(second)
    return Multiply(
        biases,
        requantizer.from_scales(first.scale, second.scale, target, largest.bit_length() + 1, clamp),
    )


def integer_prelu(
    requantizer: Requantizer, prelu: FloatPRelu, source: MapEncoding, target: MapEncoding
) -> ParametricRelu:
    """A slope for negative values, as an integer over a power of two that suits the steepest."""
    slope, step = _slope(prelu)
    widths = [
        (reach(source) * largest).bit_length() + 1 for largest in (1, int(np.abs(slope).max()))
    ]
    return ParametricRelu(
        -_whole_zero(source),
        slope,
        requantizer.from_scales(source.scale, 1.0, target, widths[0]),
        requantizer.from_scales(source.scale, step, target, widths[1]),
    )


def stored_slope(prelu: FloatPRelu) -> Reals:
    """The real slopes [channels] or [1] that the integers of `integer_prelu` stand for."""
    slope, step = _slope(prelu)
    slopes: Reals = step * slope.astype(np.float64)
    return slopes


def _slope(prelu: FloatPRelu) -> tuple[Integers, float]:
    """Integers, and the power of two they are counted in."""
    _, exponent = np.frexp(float(np.abs(prelu.slope).max()))
    step = float(np.ldexp(1.0, int(exponent) - _SLOPE_BITS))
    limit = (1 << _SLOPE_BITS) - 1
    slope: Integers = np.clip(_rounded(prelu.slope / step), -limit, limit)
    return slope, step


def integer_bilinear(
    requantizer: Requantizer, factor: int, source: MapEncoding, target: MapEncoding
) -> BilinearResize:
    """An interpolation; its sums are in units of 2^-20 codes."""
    unit_bits = 2 * RESIZE_FRACTION_BITS
    bias = -_whole_zero(source) << unit_bits
    width = (reach(source) << unit_bits).bit_length() + 1
    return BilinearResize(
        factor, True, bias, requantizer.from_scales(source.scale, 2.0**-unit_bits, target, width)
    )


def integer_average_pool(
    requantizer: Requantizer, pool: FloatAveragePool, source: MapEncoding, target: MapEncoding
) -> AveragePool:
    """A mean over windows; the division by their pixels is part of the requantization."""
    count = pool.kernel[0] * pool.kernel[1]
    width = (reach(source) * count).bit_length() + 1
    return AveragePool(
        pool.kernel,
        pool.stride,
        -_whole_zero(source) * count,
        requantizer.from_scales(source.scale, 1 / count, target, width),
    )


def _scaled(
    requantizer: Requantizer,
    factors: Reals,
    offsets: Reals,
    source: MapEncoding,
    target: MapEncoding,
    clamp: tuple[float, float],
) -> Requantize:
    """A factor and an offset per channel, as factor · (x + offset / factor)."""
    bias = _rescaled_bias(factors, offsets, source, target)
    width = (source.integer.magnitude + int(np.abs(bias).max())).bit_length() + 1
    return Requantize(bias, requantizer.from_scales(source.scale, factors, target, width, clamp))


def stored_offset(
    factors: Reals, offsets: Reals, source: MapEncoding, target: MapEncoding
) -> Reals:
    """The real offsets [channels] or [1] that the integers of `integer_affine` stand for."""
    bias = _rescaled_bias(factors, offsets, source, target)
    found: Reals = factors * source.scale * (bias + source.zero[0])
    return found - target.offset


def _rescaled_bias(
    factors: Reals, offsets: Reals, source: MapEncoding, target: MapEncoding
) -> Integers:
    before = (offsets + target.offset) / (np.maximum(factors, _SMALLEST_FACTOR) * source.scale)
    return _rounded(before - source.zero[0])


def _rounded(values: Reals) -> Integers:
    rounded: Integers = np.floor(values + 0.5).astype(np.int64)
    return rounded


def _whole_zero(encoding: MapEncoding) -> int:
    """The code of the real number 0, where an operator has no place for a fraction."""
    assert encoding.offset == 0
    return encoding.zero_point
