"""What the operators of a run-time normalization demand of their constants and operands."""

from collections.abc import Sequence

import numpy as np

from quant.common.codes import CodeKind
from quant.common.run_time_scaling import (
    FACTOR_BITS,
    LARGEST_POINT,
    LARGEST_REACH,
    MOST_ENCODED_BITS,
    PLACEMENTS,
    POINT_BITS,
)
from quant.graph.graph import Node
from quant.graph.operators import Encode, Normalization, ScaledConvolution
from quant.graph.requantization_rules import broken, verify_dtype
from quant.graph.types import SUM_BITS, IntegerType, TensorType

Operands = Sequence[TensorType]

SUMS = IntegerType(SUM_BITS, CodeKind.SIGNED)
FACTORS = IntegerType(FACTOR_BITS, CodeKind.SIGNED)
"""Type of means, reaches and reciprocals; only a normalization makes any, so reaches and the
magnitudes of means are at most `LARGEST_REACH`."""
_THRESHOLDS = IntegerType(POINT_BITS, CodeKind.SIGNED)
_FACTORS_PER_CHANNEL = 3
_SUMMARY_PER_CHANNEL = 3


def summary_channels(channels: int) -> int:
    """Channels of the summary of so many channels: sums, minima, maxima, and one pixel count."""
    return _SUMMARY_PER_CHANNEL * channels + 1


def factor_channels(channels: int) -> int:
    """Channels of what normalizes so many channels: means, reaches and reciprocals."""
    return _FACTORS_PER_CHANNEL * channels


def verify_normalization(node: Node, operands: Operands) -> None:
    """A summary comes in, three numbers a channel go out."""
    assert isinstance(node.operator, Normalization)
    (summary,) = operands
    channels, rest = divmod(node.output.channels, _FACTORS_PER_CHANNEL)
    if rest or node.output.integer != FACTORS:
        raise broken(node, f"{FACTORS} factors, three a channel", str(node.output))
    wanted = TensorType(summary_channels(channels), SUMS)
    if (summary.channels, summary.integer) != (wanted.channels, wanted.integer):
        raise broken(node, f"a summary of {wanted}", str(summary))


def verify_encode(node: Node, operands: Operands) -> None:
    """Thresholds ascend, and there is one less than codes."""
    encode = node.operator
    assert isinstance(encode, Encode)
    ifm, factors = operands
    if not ifm.integer.is_consecutive or ifm.integer.bits > FACTOR_BITS - 8:
        raise broken(node, "signed or unsigned codes of at most 16 bits", str(ifm.integer))
    if ifm.channels != node.output.channels:
        raise broken(node, f"{node.output.channels} channels", str(ifm.channels))
    verify_factors(node, factors, ifm.channels)
    _verify_encoded(node, node.output.integer)
    thresholds = encode.thresholds
    expected = ifm.channels, node.output.integer.high
    if thresholds.shape != expected:
        raise broken(node, f"thresholds of the shape {expected}", str(thresholds.shape))
    verify_dtype(node, "thresholds", thresholds)
    if not _THRESHOLDS.contains(thresholds) or (np.diff(thresholds) < 0).any():
        raise broken(node, f"ascending thresholds of {_THRESHOLDS}", "others")


def verify_points(node: Node, operands: Operands) -> None:
    """Tables, factors and everything of a plain convolution that this one has not."""
    convolution = node.operator
    assert isinstance(convolution, ScaledConvolution)
    ifm, factors = operands
    verify_factors(node, factors, ifm.channels)
    _verify_encoded(node, ifm.integer)
    expected = ifm.channels, ifm.integer.high + 1
    if convolution.points.shape != expected:
        raise broken(node, f"points of the shape {expected}", str(convolution.points.shape))
    verify_dtype(node, "points", convolution.points)
    if np.abs(convolution.points).max() > LARGEST_POINT:
        raise broken(node, f"points of -{LARGEST_POINT} to {LARGEST_POINT}", "larger ones")
    if convolution.placement not in PLACEMENTS:
        raise broken(node, f"a placement among {', '.join(PLACEMENTS)}", convolution.placement)
    for what, is_plain in (
        ("one group", convolution.groups == 1),
        ("no declared accumulator", convolution.accumulator is None),
        ("no tap offsets", convolution.tap_offset is None),
        ("pad codes of 0", not convolution.pad_code.any()),
    ):
        if not is_plain:
            raise broken(node, f"{what}, as channels have factors of their own", "another")


def largest_operand(convolution: ScaledConvolution) -> int:
    """The largest magnitude of reach · point + 1024 · mean, whatever the image."""
    point = int(np.abs(convolution.points).max())
    return LARGEST_REACH * (point + (LARGEST_POINT if convolution.is_centred else 0))


def largest_scaled_sum(convolution: ScaledConvolution) -> int:
    """The largest magnitude of any partial sum, whatever the image."""
    reach = largest_operand(convolution)
    # In Python's integers, which are unbounded.
    weights: list[int] = np.abs(convolution.weight).sum(axis=(1, 2, 3)).tolist()
    biases: list[int] = np.abs(convolution.bias).tolist()
    return max(total * reach + bias for total, bias in zip(weights, biases, strict=True))


def scaled_sum_bits(convolution: ScaledConvolution) -> int:
    """Signed bits that hold every partial sum of a scaled convolution, whatever the image."""
    return largest_scaled_sum(convolution).bit_length() + 1


def verify_factors(node: Node, factors: TensorType, channels: int) -> None:
    """What a normalization of so many channels makes."""
    if factors.integer != FACTORS or factors.channels != factor_channels(channels):
        wanted = TensorType(factor_channels(channels), FACTORS)
        raise broken(node, f"factors of {wanted}", str(factors))


def _verify_encoded(node: Node, integer: IntegerType) -> None:
    if integer.kind is not CodeKind.UNSIGNED or integer.bits > MOST_ENCODED_BITS:
        raise broken(
            node, f"unsigned codes of at most {MOST_ENCODED_BITS} bits", f"{integer} codes"
        )
