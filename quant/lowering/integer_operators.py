"""The integer constants of each operator, from the encodings of what it reads and writes.

With x = s_x·(q_x − z_x), w = s_w·k and y = s_y·(q_y − z_y), y = Σ w·x + b becomes

    sum = Σ k·q_x + [b / (s_x·s_w) − z_x·Σ k],
    q_y = round(sum · s_x·s_w / s_y) + z_y.

The bracket is the stored bias, rounded once; ``docs/lowering.md`` has the whole derivation.
"""

from dataclasses import replace

import numpy as np

from quant.graph import Convolution, Padding, Requantize, sum_bits
from quant.lowering.encodings import MapEncoding, WeightEncoding
from quant.lowering.float_network import UNCLAMPED, FloatConvolution
from quant.lowering.requantizer import Requantizer, whole_zero


def integer_convolution(
    requantizer: Requantizer,
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
    return Convolution(
        weights.weight,
        weights.integer,
        bias,
        Padding.even(*convolution.padding),
        source.zero_codes,
        requantizer.from_scales(source.scale, weights.scale, target, width, convolution.clamp),
    )


def integer_requantize(
    requantizer: Requantizer,
    source: MapEncoding,
    target: MapEncoding,
    clamp: tuple[float, float] = UNCLAMPED,
) -> Requantize:
    """A change of encoding, both with whole zero points."""
    bias = -whole_zero(source)
    width = (source.integer.magnitude + abs(bias)).bit_length() + 1
    return Requantize(
        np.array([bias]), requantizer.from_scales(source.scale, 1.0, target, width, clamp)
    )


def integer_coarser_image(
    requantizer: Requantizer, source: MapEncoding, target: MapEncoding
) -> Requantize:
    """Codes of fewer bits over the same range: code 0 stays code 0, without any zero point."""
    width = source.integer.magnitude.bit_length() + 1
    black = replace(target, zero=np.zeros(1))
    return Requantize(
        np.zeros(1, np.int64), requantizer.from_scales(source.scale, 1.0, black, width)
    )
