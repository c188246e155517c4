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
    LookupTable,
    Multiply,
    ParametricRelu,
    Requantize,
    TransposedConvolution,
    sum_bits,
)
from quant.graph.operators import RESIZE_FRACTION_BITS
from quant.lowering.encodings import MapEncoding, WeightEncoding, zero_of_taps
from quant.lowering.float_operators import (
    UNCLAMPED,
    FloatAffine,
    FloatAveragePool,
    FloatConvolution,
    FloatFunction,
    FloatLayer,
    FloatPRelu,
    FloatTransposedConvolution,
    Reals,
)
from quant.lowering.functions import FUNCTIONS
from quant.lowering.requantizer import Requantizer, whole_zero

_SLOPE_BITS = 15
"""Magnitude of a stored slope: with its sign it is as wide as the widest code."""


def integer_layer(
    requantizer: Requantizer,
    layer: FloatLayer,
    weights: WeightEncoding,
    source: MapEncoding,
    target: MapEncoding,
) -> Convolution | TransposedConvolution:
    """A convolution of either kind that reads one encoding and writes another."""
    step = source.scale * weights.scale
    folded_zero = (weights.weight * zero_of_taps(layer, source)).sum(axis=(1, 2, 3))
    bias = np.floor(layer.bias / step - folded_zero + 0.5).astype(np.int64)
    width = sum_bits(weights.weight, bias, source.integer)
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
                source.zero_codes,
                requantization,
                stride,
                dilation,
                groups,
            )
        case FloatTransposedConvolution(padding=padding, stride=stride):
            return TransposedConvolution(
                weights.weight,
                weights.integer,
                bias,
                stride,
                padding,
                source.zero_codes,
                requantization,
            )


def integer_requantize(
    requantizer: Requantizer,
    source: MapEncoding,
    target: MapEncoding,
    clamp: tuple[float, float] = UNCLAMPED,
) -> Requantize:
    """A change of encoding, both with whole zero points."""
    return _scaled(requantizer, np.ones(1), source, target, clamp)


def integer_affine(
    requantizer: Requantizer, affine: FloatAffine, source: MapEncoding, target: MapEncoding
) -> Requantize:
    """A factor of at least 0 for each channel; without an offset, which has no exact place."""
    assert not affine.offset.any()
    return _scaled(requantizer, affine.scale, source, target, UNCLAMPED)


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
    biases = -whole_zero(first), -whole_zero(second)
    largest = _reach(first) * _reach(second)
    return Multiply(
        biases,
        requantizer.from_scales(first.scale, second.scale, target, largest.bit_length() + 1, clamp),
    )


def integer_prelu(
    requantizer: Requantizer, prelu: FloatPRelu, source: MapEncoding, target: MapEncoding
) -> ParametricRelu:
    """A slope for negative values, as an integer over a power of two that suits the steepest."""
    steepest = float(np.abs(prelu.slope).max())
    _, exponent = np.frexp(steepest)
    step = float(np.ldexp(1.0, int(exponent) - _SLOPE_BITS))
    limit = (1 << _SLOPE_BITS) - 1
    slope = np.clip(np.floor(prelu.slope / step + 0.5), -limit, limit).astype(np.int64)
    widths = [
        (_reach(source) * largest).bit_length() + 1 for largest in (1, int(np.abs(slope).max()))
    ]
    return ParametricRelu(
        -whole_zero(source),
        slope,
        requantizer.from_scales(source.scale, 1.0, target, widths[0]),
        requantizer.from_scales(source.scale, step, target, widths[1]),
    )


def integer_function(
    function: FloatFunction, source: MapEncoding, target: MapEncoding
) -> LookupTable:
    """The nearest code of the function of every code there is."""
    codes = np.arange(source.integer.low, source.integer.high + 1, dtype=np.float64)
    real: Reals = source.scale * (codes - whole_zero(source))
    value = function.scale * FUNCTIONS[function.name](real) + function.offset
    nearest = np.floor(value / target.scale + 0.5) + whole_zero(target)
    inside = np.clip(nearest, target.integer.low, target.integer.high)
    return LookupTable(inside.astype(np.int64)[None])


def integer_bilinear(
    requantizer: Requantizer, factor: int, source: MapEncoding, target: MapEncoding
) -> BilinearResize:
    """An interpolation; its sums are in units of 2^-20 codes."""
    unit_bits = 2 * RESIZE_FRACTION_BITS
    bias = -whole_zero(source) << unit_bits
    width = (_reach(source) << unit_bits).bit_length() + 1
    return BilinearResize(
        factor, True, bias, requantizer.from_scales(source.scale, 2.0**-unit_bits, target, width)
    )


def integer_average_pool(
    requantizer: Requantizer, pool: FloatAveragePool, source: MapEncoding, target: MapEncoding
) -> AveragePool:
    """A mean over windows; the division by their pixels is part of the requantization."""
    count = pool.kernel[0] * pool.kernel[1]
    width = (_reach(source) * count).bit_length() + 1
    return AveragePool(
        pool.kernel,
        pool.stride,
        -whole_zero(source) * count,
        requantizer.from_scales(source.scale, 1 / count, target, width),
    )


def _scaled(
    requantizer: Requantizer,
    factors: Reals,
    source: MapEncoding,
    target: MapEncoding,
    clamp: tuple[float, float],
) -> Requantize:
    width = _reach(source).bit_length() + 1
    return Requantize(
        np.array([-whole_zero(source)]),
        requantizer.from_scales(source.scale, factors, target, width, clamp),
    )


def _reach(encoding: MapEncoding) -> int:
    """The largest magnitude a code of this encoding may have once its zero point is taken off."""
    return encoding.integer.magnitude + abs(whole_zero(encoding))
