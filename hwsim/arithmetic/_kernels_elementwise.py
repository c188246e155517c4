"""Element-by-element operators on contiguous arrays, a few pixels' sums at a time."""

import numpy as np

from hwsim.arithmetic._addition_emitter import emitted_add_rounded
from hwsim.arithmetic._jit import Codes, StoredCodes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import Scaling, requantize
from hwsim.arithmetic._requantization_emitter import BIAS

STRIP = 32
"""Pixels whose sums are requantized together."""


@kernel
def _add_scaled(
    first: StoredCodes,
    second: StoredCodes,
    first_multiplier: np.int32,
    second_multiplier: np.int32,
    bias: int,
    sums: Wide,
) -> None:
    """All are vectors, the sums at least as long as the codes."""
    for index in range(first.size):
        one = np.int64(first[index]) * np.int64(first_multiplier)
        sums[index] = one + np.int64(second[index]) * np.int64(second_multiplier) + bias


@kernel
def add_requantize(
    first: StoredCodes,
    second: StoredCodes,
    multipliers: tuple[np.int32, np.int32],
    bias: int,
    scaling: Scaling,
    out: StoredCodes,
) -> None:
    """All feature maps are [pixels, channels]."""
    pixels, channels = out.shape
    sums = np.empty(STRIP * channels, np.int64)
    for strip in range(0, pixels, STRIP):
        end = min(strip + STRIP, pixels)
        _add_scaled(
            first[strip:end].reshape(-1),
            second[strip:end].reshape(-1),
            multipliers[0],
            multipliers[1],
            bias,
            sums,
        )
        requantize(sums, channels, scaling, 0, out[strip:end], 0, channels)


@kernel
def add_rounded_requantize(
    first: StoredCodes,
    second: StoredCodes,
    first_scaling: Scaling,
    second_scaling: Scaling,
    bias: int,
    scaling: Scaling,
    out: StoredCodes,
) -> None:
    """All feature maps are [pixels, channels]; each operand has a scaling of its own."""
    for strip in range(0, out.shape[0], STRIP):
        emitted_add_rounded(
            first[strip : strip + STRIP],
            second[strip : strip + STRIP],
            first_scaling.parameters,
            second_scaling.parameters,
            bias,
            scaling.parameters,
            out[strip : strip + STRIP],
            scaling.family,
            scaling.zero_point,
            scaling.low,
            scaling.high,
        )


@kernel
def _add_bias(codes: StoredCodes, bias: Wide, sums: Wide) -> None:
    """Codes of a pixel plus the bias of each channel."""
    for channel in range(codes.size):
        sums[channel] = np.int64(codes[channel]) + bias[channel]


@kernel
def requantize_codes(codes: StoredCodes, scaling: Scaling, out: StoredCodes) -> None:
    """``codes`` and ``out`` are [pixels, channels]."""
    pixels, channels = codes.shape
    bias, sums = scaling.parameters[BIAS], np.empty(STRIP * channels, np.int64)
    for strip in range(0, pixels, STRIP):
        end = min(strip + STRIP, pixels)
        for pixel in range(strip, end):
            _add_bias(codes[pixel], bias, sums[(pixel - strip) * channels :])
        requantize(sums, channels, scaling, 0, out[strip:end], 0, channels)


@kernel
def multiply_requantize(
    first: StoredCodes,
    second: StoredCodes,
    pixel_step: int,
    channel_step: int,
    first_bias: int,
    second_bias: int,
    scaling: Scaling,
    out: StoredCodes,
) -> None:
    """``first`` and ``out`` are [pixels, channels]; a step of 0 repeats the factor's only one."""
    pixels, channels = out.shape
    sums = np.empty(STRIP * channels, np.int64)
    for strip in range(0, pixels, STRIP):
        end = min(strip + STRIP, pixels)
        for pixel in range(strip, end):
            products = sums[(pixel - strip) * channels :]
            factors = second[pixel * pixel_step]
            for channel in range(channels):
                factor = np.int64(factors[channel * channel_step]) + second_bias
                products[channel] = (np.int64(first[pixel, channel]) + first_bias) * factor
        requantize(sums, channels, scaling, 0, out[strip:end], 0, channels)


@kernel
def _slope_sums(codes: StoredCodes, bias: int, slope: Wide, sums: Wide, sloped: Wide) -> None:
    """Codes of a pixel plus the bias, and the same times each channel's slope."""
    for channel in range(codes.size):
        total = np.int64(codes[channel]) + bias
        sums[channel] = total
        sloped[channel] = total * slope[channel]


@kernel
def _choose(sums: Wide, below: StoredCodes, out: StoredCodes) -> None:
    """Codes of sums below 0; all are vectors. Without a branch, which would be mispredicted."""
    for index in range(out.size):
        above, under = out[index], below[index]
        out[index] = under if sums[index] < 0 else above


@kernel
def parametric_relu(
    codes: StoredCodes,
    bias: int,
    slope: Wide,
    positive: Scaling,
    negative: Scaling,
    out: StoredCodes,
) -> None:
    """``codes`` and ``out`` are [pixels, channels]."""
    pixels, channels = codes.shape
    sums, sloped = np.empty(STRIP * channels, np.int64), np.empty(STRIP * channels, np.int64)
    below = np.empty((STRIP, channels), out.dtype)
    for strip in range(0, pixels, STRIP):
        end = min(strip + STRIP, pixels)
        for pixel in range(strip, end):
            place = slice((pixel - strip) * channels, (pixel - strip + 1) * channels)
            _slope_sums(codes[pixel], bias, slope, sums[place], sloped[place])
        results, negatives = out[strip:end], below[: end - strip]
        requantize(sums, channels, positive, 0, results, 0, channels)
        requantize(sloped, channels, negative, 0, negatives, 0, channels)
        _choose(sums, negatives.reshape(-1), results.reshape(-1))


@kernel
def lookup_table(
    codes: StoredCodes, table: Codes, table_step: int, low: int, out: StoredCodes
) -> None:
    """``codes`` and ``out`` are [pixels, channels]; a step of 0 repeats the only table."""
    pixels, channels = codes.shape
    for pixel in range(pixels):
        for channel in range(channels):
            out[pixel, channel] = table[channel * table_step, codes[pixel, channel] - low]
