"""Weights of DFSQ: asymmetric integers per output channel, the real number 0 exact."""

import numpy as np

from quant.common.codes import CodeKind
from quant.common.run_time_scaling import LARGEST_POINT
from quant.graph import IntegerType
from quant.graph.rule_parts import BIAS_BITS
from quant.lowering import MapEncoding, WeightEncoding
from quant.lowering.float_operators import FloatLayer, Reals

_SMALLEST_SCALE = 2.0**-100


def asymmetric_weights(weight: Reals, bits: int, smallest_scale: Reals) -> WeightEncoding:
    """Weights on 2^bits steps from the least to the greatest of each output channel.

    With D = (max − min)/(2^bits − 1) and z = round(min/D) a weight is D times an integer between z
    and z + 2^bits − 1, halves rounded to even. A range that leaves out 0 is widened to it; the
    authors' code does not, and its integers have no bound then.

    Args:
        weight: float64 [out_channels, kernel_height, kernel_width, in_channels].
        bits: width of a weight as the method counts it; the integers have one more for the sign.
        smallest_scale: float64 [out_channels], a bound that keeps biases representable.
    """
    most = (1 << bits) - 1
    low = np.minimum(weight.min(axis=(1, 2, 3)), 0)
    high = np.maximum(weight.max(axis=(1, 2, 3)), 0)
    scale: Reals = np.maximum((high - low) / most, np.maximum(smallest_scale, _SMALLEST_SCALE))
    zero = np.rint(low / scale)[:, None, None, None]
    codes = np.rint(weight / scale[:, None, None, None])
    integers = np.clip(codes, zero, zero + most).astype(np.int64)
    reach = max(int(integers.max()), -int(integers.min()) - 1)
    return WeightEncoding(integers, IntegerType(reach.bit_length() + 1, CodeKind.SIGNED), scale)


def smallest_scales(layer: FloatLayer, wide: MapEncoding) -> Reals:
    """Weight scales below which a channel's bias would outgrow its stored width."""
    bound: Reals = np.abs(layer.bias) * LARGEST_POINT / (wide.scale * 2.0 ** (BIAS_BITS - 2))
    return bound
