"""Summaries, normalizations and encodings of feature maps, fast.

``docs/operators/statistics.md``, ``normalization.md`` and ``encode.md`` define them.
"""

import numpy as np

from hwsim.arithmetic import _kernels_normalization
from hwsim.arithmetic._feature_maps import check_map, in_bands, narrowest_type, pixels
from hwsim.arithmetic._jit import CODE_TYPES, StoredCodes, Wide
from quant.common.run_time_scaling import RECIPROCAL_FRACTION_BITS

LARGEST_FACTOR = 1 << 23
"""Of what three bytes hold; with codes of 32 bits no product leaves 64."""


def summary(ifm: StoredCodes) -> Wide:
    """Sum, minimum and maximum of each channel of a whole map, and its pixels.

    Args:
        ifm: [H, W, C] of a type of `CODE_TYPES`.

    Returns:
        int64 [1, 1, 3·C + 1].

    Raises:
        ValueError: the map has another type or shape.
    """
    check_map(ifm, "summary", CODE_TYPES)
    values = pixels(ifm)
    parts = values.sum(axis=0, dtype=np.int64), values.min(axis=0), values.max(axis=0)
    return np.concatenate((*parts, [len(values)])).astype(np.int64).reshape(1, 1, -1)


def joined_summaries(one: Wide, other: Wide) -> Wide:
    """The summary of two parts of a map from those of each, int64 [1, 1, 3·C + 1]."""
    channels = one.shape[2] // 3
    joined = one + other
    least, greatest = slice(channels, 2 * channels), slice(2 * channels, 3 * channels)
    joined[..., least] = np.minimum(one[..., least], other[..., least])
    joined[..., greatest] = np.maximum(one[..., greatest], other[..., greatest])
    return joined


def normalization(of_map: Wide, is_centred: bool) -> Wide:
    """Mean, reach and reciprocal of each channel.

    Args:
        of_map: int64 [1, 1, 3·C + 1], a summary.
        is_centred: whether means are those of the channels, or 0.

    Returns:
        int64 [1, 1, 3·C].
    """
    totals, minima, maxima = of_map[0, 0, :-1].reshape(3, -1)
    means = _divided_half_even(totals, of_map[0, 0, -1]) if is_centred else np.zeros_like(totals)
    reaches = np.maximum(maxima - means, means - minima)
    one = np.int64(1) << RECIPROCAL_FRACTION_BITS + _bit_lengths(reaches)
    reciprocals = np.where(reaches > 0, (2 * one + reaches) // np.maximum(2 * reaches, 1), 0)
    return np.concatenate((means, reaches, reciprocals)).reshape(1, 1, -1)


def _divided_half_even(dividend: Wide, divisor: np.int64) -> Wide:
    quotient, rest = np.divmod(dividend, divisor)
    is_half = 2 * rest == divisor
    rounded: Wide = quotient + np.where(is_half, quotient & 1, 2 * rest > divisor)
    return rounded


def _bit_lengths(values: Wide) -> Wide:
    """Of integers between 0 and 2^53."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def encode(ifm: StoredCodes, factors: Wide, thresholds: Wide) -> StoredCodes:
    """How many thresholds lie below each normalized value.

    Args:
        ifm: [H, W, C] of a type of `CODE_TYPES`.
        factors: int64 [1, 1, 3·C], of a normalization.
        thresholds: int64 [C, codes − 1], ascending, in units of 2^-11.

    Returns:
        [H, W, C], in the narrowest type that holds all codes.

    Raises:
        ValueError: a map has another type or shape, or a factor more than 24 bits.
    """
    check_map(ifm, "encoding", CODE_TYPES)
    channels = ifm.shape[2]
    means, reaches, reciprocals = checked_factors(factors, channels, "encoding")
    if thresholds.dtype != np.int64 or thresholds.ndim != 2 or len(thresholds) != channels:
        raise ValueError(
            f"encoding: expected int64 thresholds of {channels} channels, got {thresholds.dtype} "
            f"{list(thresholds.shape)}"
        )
    drops = RECIPROCAL_FRACTION_BITS - 11 + _bit_lengths(reaches)
    out = np.empty(ifm.shape, narrowest_type(0, thresholds.shape[1]))
    source, result = pixels(ifm), pixels(out)
    in_bands(
        len(result),
        result.shape,
        lambda first, end: _kernels_normalization.encode(
            source[first:end], means, reciprocals, drops, thresholds, result[first:end]
        ),
    )
    return out


def checked_factors(factors: Wide, channels: int, what: str) -> Wide:
    """Means, reaches and reciprocals, int64 [3, channels], each as wide as three bytes hold.

    Raises:
        ValueError: there are others, or they are wider.
    """
    if factors.dtype != np.int64 or factors.shape != (1, 1, 3 * channels):
        raise ValueError(
            f"{what}: expected int64 factors of {channels} channels, three each, got "
            f"{factors.dtype} {list(factors.shape)}"
        )
    if factors.min() < -LARGEST_FACTOR or factors.max() >= LARGEST_FACTOR:
        raise ValueError(
            f"{what}: factors {factors.min()} … {factors.max()} need more than 24 bits"
        )
    return np.ascontiguousarray(factors.reshape(3, channels))
