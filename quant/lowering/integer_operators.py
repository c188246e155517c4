"""The integer constants of each operator, from the encodings of what it reads and writes.

With x = s_x·(q_x − z_x), w = s_w·k and y = s_y·(q_y − z_y), y = Σ w·x + b becomes

    sum = Σ k·q_x + [b / (s_x·s_w) − z_x·Σ k],
    q_y = round(sum · s_x·s_w / s_y) + z_y.

The bracket is the stored bias, rounded once; ``docs/graph.md`` has the whole derivation.
"""

from math import isinf

import numpy as np

from quant.graph import Add, Convolution, Padding, Requantization, Requantize, sum_bits
from quant.graph.operators import Integers
from quant.lowering.encodings import MapEncoding, WeightEncoding
from quant.lowering.fixed_point import common_fixed_point, fixed_point
from quant.lowering.float_network import UNCLAMPED, FloatConvolution


def integer_convolution(
    convolution: FloatConvolution,
    weights: WeightEncoding,
    source: MapEncoding,
    target: MapEncoding,
) -> Convolution:
    """A convolution that reads one encoding and writes another."""
    step = source.scale * weights.scale
    folded_zero = (weights.weight * source.zero).sum(axis=(1, 2, 3))
    bias = np.floor(convolution.bias / step - folded_zero + 0.5).astype(np.int64)
    width = sum_bits(weights.weight, bias, source.integer)
    multiplier, shift = fixed_point(step / target.scale, width)
    return Convolution(
        weights.weight,
        weights.integer,
        bias,
        Padding.even(*convolution.padding),
        source.zero_codes,
        _requantization(multiplier, shift, target, convolution.clamp),
    )


def integer_add(
    first: MapEncoding, second: MapEncoding, target: MapEncoding, clamp: tuple[float, float]
) -> Add:
    """An addition of two encodings that writes a third, all with whole zero points."""
    multipliers, shift = common_fixed_point(
        (first.scale / target.scale, second.scale / target.scale)
    )
    bias = -(multipliers[0] * _whole_zero(first) + multipliers[1] * _whole_zero(second))
    requantization = _requantization(
        np.ones(1, np.int64), np.array([shift], np.int64), target, clamp
    )
    return Add(multipliers, bias, requantization)


def integer_requantize(
    source: MapEncoding, target: MapEncoding, clamp: tuple[float, float] = UNCLAMPED
) -> Requantize:
    """A change of encoding, both with whole zero points."""
    bias = -_whole_zero(source)
    width = (source.integer.magnitude + abs(bias)).bit_length() + 1
    multiplier, shift = fixed_point(np.array([source.scale / target.scale]), width)
    return Requantize(np.array([bias]), _requantization(multiplier, shift, target, clamp))


def integer_coarser_image(source: MapEncoding, target: MapEncoding) -> Requantize:
    """Codes of fewer bits over the same range: code 0 stays code 0, without any zero point."""
    width = source.integer.magnitude.bit_length() + 1
    multiplier, shift = fixed_point(np.array([source.scale / target.scale]), width)
    integer = target.integer
    return Requantize(
        np.zeros(1, np.int64), Requantization(multiplier, shift, 0, integer.low, integer.high)
    )


def _requantization(
    multiplier: Integers, shift: Integers, target: MapEncoding, clamp: tuple[float, float]
) -> Requantization:
    low, high = (_clamp_code(limit, target) for limit in clamp)
    return Requantization(multiplier, shift, _whole_zero(target), low, high)


def _clamp_code(limit: float, target: MapEncoding) -> int:
    """The code nearest to a limit, which may be infinite."""
    if isinf(limit):
        return target.integer.low if limit < 0 else target.integer.high
    code = np.floor(limit / target.scale + 0.5) + _whole_zero(target)
    return int(np.clip(code, target.integer.low, target.integer.high))


def _whole_zero(encoding: MapEncoding) -> int:
    """The code of the real number 0, which only for images with a mean is no whole number."""
    (zero,) = set(encoding.zero.tolist())
    assert zero == int(zero)
    return int(zero)
