"""Element-by-element operators on contiguous arrays; each loop is one pass over the codes."""

import numpy as np

from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._requantization import BIAS, HALF, MULTIPLIER, SHIFT


@kernel
def add_requantize(
    first: Codes,
    second: Codes,
    first_multiplier: int,
    second_multiplier: int,
    parameters: Wide,
    zero_point: int,
    low: int,
    high: int,
    out: Codes,
) -> None:
    """All feature maps are [pixels, channels]."""
    bias, multiplier = parameters[BIAS], parameters[MULTIPLIER]
    half, shift = parameters[HALF], parameters[SHIFT]
    pixels, channels = out.shape
    for pixel in range(pixels):
        for channel in range(channels):
            total = np.int64(first[pixel, channel]) * first_multiplier
            total += np.int64(second[pixel, channel]) * second_multiplier + bias[channel]
            scaled = (total * multiplier[channel] + half[channel]) >> shift[channel]
            out[pixel, channel] = min(max(scaled + zero_point, low), high)


@kernel
def requantize_codes(
    codes: Codes, parameters: Wide, zero_point: int, low: int, high: int, out: Codes
) -> None:
    """``codes`` and ``out`` are [pixels, channels]."""
    bias, multiplier = parameters[BIAS], parameters[MULTIPLIER]
    half, shift = parameters[HALF], parameters[SHIFT]
    pixels, channels = codes.shape
    for pixel in range(pixels):
        for channel in range(channels):
            total = (np.int64(codes[pixel, channel]) + bias[channel]) * multiplier[channel]
            scaled = (total + half[channel]) >> shift[channel]
            out[pixel, channel] = min(max(scaled + zero_point, low), high)
