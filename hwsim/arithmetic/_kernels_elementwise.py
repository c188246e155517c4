"""Element-by-element operators on contiguous arrays, one pixel's sums at a time."""

import numpy as np

from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import BIAS, TWO_ROUNDINGS, requantize


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
def _rounded_terms(codes: Codes, parameters: Wide, sums: Wide, terms: Codes) -> None:
    """One pixel of an operand, scaled and rounded to 32 bits."""
    for channel in range(codes.size):
        sums[channel] = np.int64(codes[channel]) + parameters[BIAS, channel]
    requantize(sums, parameters, 0, TWO_ROUNDINGS, 0, -(1 << 31), (1 << 31) - 1, terms)


@kernel
def add_rounded_requantize(
    first: Codes,
    second: Codes,
    first_parameters: Wide,
    second_parameters: Wide,
    parameters: Wide,
    family: int,
    zero_point: int,
    low: int,
    high: int,
    out: Codes,
) -> None:
    """All feature maps are [pixels, channels]; each operand has parameters of its own."""
    pixels, channels = out.shape
    bias, sums = parameters[BIAS], np.empty(channels, np.int64)
    first_terms, second_terms = np.empty(channels, np.int32), np.empty(channels, np.int32)
    for pixel in range(pixels):
        _rounded_terms(first[pixel], first_parameters, sums, first_terms)
        _rounded_terms(second[pixel], second_parameters, sums, second_terms)
        for channel in range(channels):
            total = np.int64(first_terms[channel]) + np.int64(second_terms[channel])
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
