"""Element-by-element operators on contiguous arrays, one pixel's sums at a time."""

import numpy as np

from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import BIAS, requantize


@kernel
def add_requantize(
    first: Codes,
    second: Codes,
    first_multiplier: int,
    second_multiplier: int,
    parameters: Wide,
    family: int,
    zero_point: int,
    low: int,
    high: int,
    out: Codes,
) -> None:
    """All feature maps are [pixels, channels]."""
    pixels, channels = out.shape
    bias, sums = parameters[BIAS], np.empty(channels, np.int64)
    for pixel in range(pixels):
        for channel in range(channels):
            total = np.int64(first[pixel, channel]) * first_multiplier
            total += np.int64(second[pixel, channel]) * second_multiplier
            sums[channel] = total + bias[channel]
        requantize(sums, parameters, 0, family, zero_point, low, high, out[pixel])


@kernel
def requantize_codes(
    codes: Codes,
    parameters: Wide,
    family: int,
    zero_point: int,
    low: int,
    high: int,
    out: Codes,
) -> None:
    """``codes`` and ``out`` are [pixels, channels]."""
    pixels, channels = codes.shape
    bias, sums = parameters[BIAS], np.empty(channels, np.int64)
    for pixel in range(pixels):
        for channel in range(channels):
            sums[channel] = np.int64(codes[pixel, channel]) + bias[channel]
        requantize(sums, parameters, 0, family, zero_point, low, high, out[pixel])
