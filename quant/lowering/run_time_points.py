"""Inputs of layers that are normalized per channel and image, and then one of a few points.

A layer's feature map x is stored in wide codes with the real number 0 at code 0, real = s · q. At
run time each channel has a mean and a reach in codes, the point p nearest to (q − mean) / reach
is taken, and the layer reads s · (reach · p + mean), or 0 outside the image.
"""

from dataclasses import dataclass, replace

import numpy as np

from quant.common.codes import CodeKind
from quant.common.errors import UserError
from quant.common.run_time_scaling import LARGEST_POINT, nearest_point_thresholds
from quant.graph import (
    Encode,
    IntegerType,
    Normalization,
    Requantization,
    ScaledConvolution,
    Statistics,
    scaled_sum_bits,
)
from quant.graph.operators import Integers, Operator
from quant.graph.run_time_scaling_rules import FACTORS, SUMS, factor_channels, summary_channels
from quant.lowering.encodings import MapEncoding, WeightEncoding
from quant.lowering.float_operators import FloatConvolution, FloatLayer
from quant.lowering.integer_operators import integer_bias
from quant.lowering.requantizer import Requantizer


@dataclass(frozen=True, slots=True, eq=False)
class PointEncoding:
    """How a layer reads its feature map.

    Attributes:
        points: int64 [channels, 2^bits], ascending, in units of 2^-10.
        is_centred: whether channels have means; else means are 0.
        placement: a name in `quant.common.run_time_scaling.PLACEMENTS`.
    """

    points: Integers
    is_centred: bool
    placement: str

    @property
    def codes(self) -> MapEncoding:
        """What the codes are; their meaning is the image's to decide."""
        bits = (self.points.shape[1] - 1).bit_length()
        return MapEncoding(IntegerType(bits, CodeKind.UNSIGNED), 1.0, np.zeros(1))


@dataclass(frozen=True, slots=True, eq=False)
class Summarize:
    """Sum, minimum and maximum of each channel of a feature map, and its pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Normalize:
    """Mean, reach and reciprocal of each channel.

    Attributes:
        is_centred: whether means are those of the channels, or 0.
    """

    is_centred: bool


@dataclass(frozen=True, slots=True, eq=False)
class EncodePoints:
    """Codes of the points nearest to normalized values.

    Attributes:
        encoding: of the layer that reads them.
    """

    encoding: PointEncoding


RunTimeOperator = Summarize | Normalize | EncodePoints
"""What stands between a feature map and a layer that reads it as points."""

SUMMARY, NORMALIZATION = (MapEncoding(integer, 1.0, np.zeros(1)) for integer in (SUMS, FACTORS))
"""Encodings of summaries and normalizations: the integers themselves."""


def channels_of(operator: RunTimeOperator, channels: int) -> int:
    """Channels that an operator makes of a feature map of so many."""
    match operator:
        case Summarize():
            return summary_channels(channels)
        case Normalize():
            return factor_channels(channels)
        case EncodePoints():
            return channels


def integer_run_time(operator: RunTimeOperator) -> Operator:
    """The integer operator."""
    match operator:
        case Summarize():
            return Statistics("summary")
        case Normalize(is_centred=is_centred):
            return Normalization(is_centred)
        case EncodePoints(encoding=encoding):
            return Encode(nearest_point_thresholds(encoding.points))


def operand_encoding(source: MapEncoding) -> MapEncoding:
    """What a layer's products are made of: reach · point + 1024 · mean, in units of s / 1024."""
    return replace(source, scale=source.scale / LARGEST_POINT)


def integer_scaled_layer(
    requantizer: Requantizer,
    layer: FloatLayer,
    weights: WeightEncoding,
    encoding: PointEncoding,
    source: MapEncoding,
    target: MapEncoding,
) -> ScaledConvolution:
    """A convolution that reads points.

    Args:
        requantizer: of the layer.
        layer: a convolution of one group.
        weights: its integers.
        encoding: of its input.
        source: wide codes of its feature map.
        target: encoding of its result.

    Raises:
        UserError: the layer is no such convolution, or the mode cannot requantize its sums.
    """
    if not isinstance(layer, FloatConvolution) or layer.groups != 1:
        raise UserError(
            f"layer '{requantizer.layer}': expected a convolution of one group, the only kind that "
            "reads points; quantize it in another way"
        )
    operand = operand_encoding(source)
    bare = ScaledConvolution(
        weights.weight,
        weights.integer,
        integer_bias(layer, weights, operand, target),
        layer.padding,
        np.zeros(1, np.int64),
        _PLACEHOLDER,
        layer.stride,
        layer.dilation,
        points=encoding.points,
        is_centred=encoding.is_centred,
        placement=encoding.placement,
    )
    found = requantizer.from_scales(
        operand.scale, weights.scale, target, scaled_sum_bits(bare), layer.clamp
    )
    return replace(bare, requantization=found)


_PLACEHOLDER = Requantization(np.ones(1, np.int64), np.zeros(1, np.int64), 0, 0, 0)
"""Until the width of a convolution's sums is known."""
