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
    bias_and_half: int,
    shift: int,
    zero_point: int,
    low: int,
    high: int,
    out: Codes,
) -> None:
    """All arrays are one-dimensional; ``bias_and_half`` is the bias plus the rounding term."""
    for index in range(out.size):
        scaled_first = first[index] * np.int64(first_multiplier)
        scaled_second = second[index] * np.int64(second_multiplier)
        scaled = (scaled_first + scaled_second + bias_and_half) >> shift
        out[index] = min(max(scaled + zero_point, low), high)


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
