"""Channels brought to the range of -1 to 1 by numbers that an image decides, and back."""

import numpy as np
from numpy.typing import ArrayLike

from hwsim.arithmetic.reference.integers import Integers, integers
from quant.common.run_time_scaling import LARGEST_POINT, RECIPROCAL_FRACTION_BITS


def summary(ifm: ArrayLike) -> Integers:
    """Sum, minimum and maximum of each channel of a whole feature map, and its pixels.

    Args:
        ifm: [H, W, C].

    Returns:
        [1, 1, 3·C + 1]: all sums, all minima, all maxima, H·W.
    """
    image = integers(ifm)
    height, width, channels = image.shape
    pixels = image.reshape(-1, channels)
    count = np.array([height * width])
    rows = pixels.sum(axis=0), pixels.min(axis=0), pixels.max(axis=0), count
    return np.concatenate(rows).reshape(1, 1, -1)


def normalization(of_map: ArrayLike, is_centred: bool) -> Integers:
    """Mean, reach and reciprocal of each channel.

    Args:
        of_map: [1, 1, 3·C + 1], a `summary`.
        is_centred: whether means are those of the channels, or 0.

    Returns:
        [1, 1, 3·C]: all means, all reaches, all reciprocals.
    """
    *numbers, pixels = integers(of_map).reshape(-1).tolist()
    channels = len(numbers) // 3
    means, reaches, reciprocals = [], [], []
    for channel in range(channels):
        total, minimum, maximum = numbers[channel::channels]
        mean = _divided_half_even(total, pixels) if is_centred else 0
        reach = max(maximum - mean, mean - minimum)
        means.append(mean)
        reaches.append(reach)
        reciprocals.append(_reciprocal(reach))
    return np.array([*means, *reaches, *reciprocals], np.int64).reshape(1, 1, -1)


def _divided_half_even(dividend: int, divisor: int) -> int:
    quotient, rest = divmod(dividend, divisor)
    above = 2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1)
    return quotient + 1 if above else quotient


def _reciprocal(reach: int) -> int:
    """2^(15 + bits of the reach) / reach, halves up; 0 of 0."""
    if reach == 0:
        return 0
    one = 1 << RECIPROCAL_FRACTION_BITS + reach.bit_length()
    return (2 * one + reach) // (2 * reach)


def encode(ifm: ArrayLike, factors: ArrayLike, thresholds: ArrayLike) -> Integers:
    """How many thresholds lie below each normalized value.

    Args:
        ifm: [H, W, C].
        factors: [1, 1, 3·C], of a `normalization`.
        thresholds: [C, codes − 1], ascending, in units of 2^-11.

    Returns:
        [H, W, C].
    """
    image, limits = integers(ifm), integers(thresholds)
    means, reaches, reciprocals = integers(factors).reshape(3, -1)
    codes = np.empty(image.shape, np.int64)
    for channel in range(image.shape[2]):
        # A reciprocal counts in 2^-(15 + bits); 4 + bits of them are dropped, 11 stay.
        drop = RECIPROCAL_FRACTION_BITS - 11 + int(reaches[channel]).bit_length()
        scaled = (image[:, :, channel] - means[channel]) * reciprocals[channel]
        rounded_up = -(-scaled >> drop)
        codes[:, :, channel] = (limits[channel] < rounded_up[..., np.newaxis]).sum(axis=-1)
    return codes


def scaled_operands(
    ifm: ArrayLike, factors: ArrayLike, points: ArrayLike, is_centred: bool
) -> Integers:
    """What the taps of a scaled convolution read inside the image; outside it they read 0.

    Args:
        ifm: [H, W, C], codes.
        factors: [1, 1, 3·C], of a `normalization`.
        points: [C, codes], in units of 2^-10.
        is_centred: whether means take part.

    Returns:
        [H, W, C]: reach · point + 1024 · mean.
    """
    codes, tables = integers(ifm), integers(points)
    means, reaches, _ = integers(factors).reshape(3, -1)
    decoded = tables[np.arange(codes.shape[2]), codes]
    return decoded * reaches + (LARGEST_POINT * means if is_centred else 0)
