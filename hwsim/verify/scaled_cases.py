"""Random cases of the operators that normalize channels at run time."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import Geometry
from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.random_operators import (
    KERNEL_SIDES,
    Codes,
    Random,
    random_codes,
    random_integers,
    random_requantization,
    random_size,
    random_type,
)
from quant.common.codes import CodeKind
from quant.common.run_time_scaling import (
    FACTOR_BITS,
    LARGEST_POINT,
    MOST_ENCODED_BITS,
    PLACEMENTS,
    nearest_point_thresholds,
)
from quant.graph import (
    Encode,
    IntegerType,
    Normalization,
    Padding,
    ScaledConvolution,
    TensorType,
)
from quant.graph.run_time_scaling_rules import (
    SUMS,
    factor_channels,
    largest_scaled_sum,
    summary_channels,
)

Integers = NDArray[np.int64]

_FACTORS = IntegerType(FACTOR_BITS, CodeKind.SIGNED)
_DEEPEST = 40


def draw_normalization(random: Random, *, is_centred: bool) -> OperatorCase:
    """The summary of a map, normalized."""
    ifm, codes = _map(random)
    summary = reference.summary(codes)
    return OperatorCase(
        f"{codes.shape} {ifm.integer}",
        Normalization(is_centred),
        (TensorType(summary_channels(ifm.channels), SUMS),),
        (summary,),
    )


def draw_encode(random: Random) -> OperatorCase:
    """A map and factors of its own, or of another map of the same type."""
    ifm, codes = _map(random)
    points = random_points(random, ifm.channels, _bits(random))
    own = random.random() < 0.8
    measured = codes if own else random_codes(random, random_size(random, 1, 4), ifm)
    factors = reference.normalization(reference.summary(measured), bool(random.random() < 0.6))
    return OperatorCase(
        f"{codes.shape} {ifm.integer} to {points.shape[1]} points",
        Encode(nearest_point_thresholds(points)),
        (ifm, factors_type(ifm.channels)),
        (codes, factors),
    )


def draw_scaled_convolution(random: Random, *, is_centred: bool) -> OperatorCase:
    """Codes and factors of a map that was encoded, in any geometry of one group."""
    ifm, codes = _map(random, smallest=max(KERNEL_SIDES))
    points = random_points(random, ifm.channels, _bits(random))
    factors = reference.normalization(reference.summary(codes), is_centred)
    encoded = reference.encode(codes, factors, nearest_point_thresholds(points))
    source = TensorType(ifm.channels, IntegerType((points.shape[1] - 1).bit_length()))
    output = TensorType(int(random.integers(1, _DEEPEST)), random_type(random))
    stride, dilation = ((int(random.integers(1, 3)), int(random.integers(1, 3))) for _ in range(2))
    convolution = random_scaled_convolution(
        random, encoded, factors, points, output, is_centred=is_centred, keep_size=False
    )
    (rows, columns), size = convolution.kernel, encoded.shape
    if (rows - 1) * dilation[0] < size[0] and (columns - 1) * dilation[1] < size[1]:
        convolution = replace(convolution, stride=stride, dilation=dilation)
    return OperatorCase(
        f"{rows}×{columns} {convolution.weight_type} on {size} {source.integer} to {output}",
        convolution,
        (source, factors_type(ifm.channels)),
        (encoded, factors),
    )


def factors_type(channels: int) -> TensorType:
    """Type of what a normalization of so many channels makes."""
    return TensorType(factor_channels(channels), _FACTORS)


def random_points(random: Random, channels: int, bits: int) -> Integers:
    """Tables of ascending points, int64 [channels, 2^bits], sometimes with equal ones."""
    reach = 1 << int(random.integers(2, LARGEST_POINT.bit_length()))
    drawn = random.integers(-reach, reach, (channels, 1 << bits), endpoint=True)
    return np.sort(drawn, axis=1)


def random_scaled_convolution(
    random: Random,
    codes: NDArray[Any],
    factors: NDArray[Any],
    points: Integers,
    output: TensorType,
    *,
    is_centred: bool,
    keep_size: bool,
) -> ScaledConvolution:
    """A convolution that suits a sample's codes and factors.

    Args:
        random: where every draw comes from.
        codes: [height, width, channels].
        factors: of the sample.
        points: table of each channel.
        output: type of the result.
        is_centred: whether means take part.
        keep_size: whether the output is as large as the input.
    """
    weight_type = random_type(random, (CodeKind.SIGNED,), 9)
    kernel = [int(side) for side in random.choice(KERNEL_SIDES, 2)]
    rows, columns = (side // 2 if keep_size else int(random.integers(side)) for side in kernel)
    weight = random_integers(random, weight_type, (output.channels, *kernel, codes.shape[2]))
    operands = reference.scaled_operands(codes, factors, points, is_centred)
    padded = reference.pad(operands, (rows, rows, columns, columns), [0])
    sums = reference.convolve(padded, weight, np.zeros(output.channels, np.int64), Geometry())
    bias = np.clip(-np.rint(sums.mean(axis=(0, 1))), -(2.0**39), 2.0**39 - 1).astype(np.int64)
    bare = ScaledConvolution(
        weight,
        weight_type,
        bias,
        Padding.even(rows, columns),
        np.zeros(1, np.int64),
        random_requantization(random, output.integer, np.ones(1), 1),
        points=points,
        is_centred=is_centred,
        placement=PLACEMENTS[int(random.integers(len(PLACEMENTS)))],
    )
    deviation = sums.std(axis=(0, 1))
    found = random_requantization(random, output.integer, deviation, largest_scaled_sum(bare))
    return replace(bare, requantization=found)


def _map(random: Random, smallest: int = 1) -> tuple[TensorType, Codes]:
    """A feature map of signed or unsigned codes, now and then with constant channels."""
    tensor = TensorType(int(random.integers(1, _DEEPEST)), random_type(random))
    codes = random_codes(random, random_size(random, smallest, smallest + 8), tensor)
    if random.random() < 0.3:
        codes[..., : tensor.channels // 2] = codes[0, 0, 0]
    return tensor, codes


def _bits(random: Random) -> int:
    return int(random.integers(1, MOST_ENCODED_BITS, endpoint=True))
