"""From sums to codes, in one loop per family of modes; every requantizing kernel ends here.

A mode is a family and per-channel parameters (`hwsim.arithmetic.requantization_modes`), so the
choice is made once for many pixels and each loop is straight-line arithmetic. The loops take the
arguments of `requantize`, which calls them.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._jit import Codes, Wide, kernel

Sums = NDArray[np.signedinteger[Any]]


class Scaling(NamedTuple):
    """From sums to codes, as kernels take it.

    Attributes:
        parameters: int64 [ROWS, channels], of each channel.
        family: of the mode.
        zero_point: added to the rounded quotient.
        low: the least code.
        high: the greatest code.
    """

    parameters: Wide
    family: int
    zero_point: int
    low: int
    high: int


ROWS = 7
BIAS, MULTIPLIER, SHIFT, OFFSET, CORRECTION, LEFT_SHIFT, DESTINATION_SCALE = range(ROWS)
"""Rows of a kernel's per-channel parameters, int64 [ROWS, channels]."""

OFFSET_ONLY, CORRECT_NEGATIVE, CORRECT_ODD, TWO_ROUNDINGS, FLOAT_SCALE, TWO_FLOAT_SCALES = range(6)
"""Families of modes."""

LARGEST_FLOAT_CODE = 2**22
"""Magnitude up to which adding and subtracting `_TO_INTEGER` rounds a float32 to an integer."""

_TO_INTEGER = np.float32(3 * 2**22)


@kernel
def _offset_only(
    sums: Sums, stride: int, scaling: Scaling, first: int, codes: Codes, place: int, channels: int
) -> None:
    multiplier, shift = scaling.parameters[MULTIPLIER, first:], scaling.parameters[SHIFT, first:]
    offset = scaling.parameters[OFFSET, first:]
    zero_point, low, high = scaling.zero_point, scaling.low, scaling.high
    for pixel in range(codes.shape[0]):
        for lane in range(channels):
            product = np.int64(sums[pixel * stride + lane]) * multiplier[lane]
            code = ((product + offset[lane]) >> shift[lane]) + zero_point
            codes[pixel, place + lane] = min(max(code, low), high)


@kernel
def _correct_negative(
    sums: Sums, stride: int, scaling: Scaling, first: int, codes: Codes, place: int, channels: int
) -> None:
    multiplier, shift = scaling.parameters[MULTIPLIER, first:], scaling.parameters[SHIFT, first:]
    offset = scaling.parameters[OFFSET, first:]
    correction = scaling.parameters[CORRECTION, first:]
    zero_point, low, high = scaling.zero_point, scaling.low, scaling.high
    for pixel in range(codes.shape[0]):
        for lane in range(channels):
            product = np.int64(sums[pixel * stride + lane]) * multiplier[lane]
            corrected = product + offset[lane] + ((product >> 63) & correction[lane])
            code = (corrected >> shift[lane]) + zero_point
            codes[pixel, place + lane] = min(max(code, low), high)


@kernel
def _correct_odd(
    sums: Sums, stride: int, scaling: Scaling, first: int, codes: Codes, place: int, channels: int
) -> None:
    multiplier, shift = scaling.parameters[MULTIPLIER, first:], scaling.parameters[SHIFT, first:]
    offset = scaling.parameters[OFFSET, first:]
    correction = scaling.parameters[CORRECTION, first:]
    zero_point, low, high = scaling.zero_point, scaling.low, scaling.high
    for pixel in range(codes.shape[0]):
        for lane in range(channels):
            product = np.int64(sums[pixel * stride + lane]) * multiplier[lane]
            corrected = product + offset[lane] + ((product >> shift[lane]) & correction[lane])
            code = (corrected >> shift[lane]) + zero_point
            codes[pixel, place + lane] = min(max(code, low), high)


@kernel
def _two_roundings(
    sums: Sums, stride: int, scaling: Scaling, first: int, codes: Codes, place: int, channels: int
) -> None:
    multiplier, shift = scaling.parameters[MULTIPLIER, first:], scaling.parameters[SHIFT, first:]
    offset = scaling.parameters[OFFSET, first:]
    correction = scaling.parameters[CORRECTION, first:]
    left_shift = scaling.parameters[LEFT_SHIFT, first:]
    zero_point, low, high = scaling.zero_point, scaling.low, scaling.high
    for pixel in range(codes.shape[0]):
        for lane in range(channels):
            total = np.int64(sums[pixel * stride + lane])
            wrapped = (total << (32 + left_shift[lane])) >> 32
            upper = (wrapped * multiplier[lane] + (1 << 30)) >> 31
            corrected = upper + offset[lane] + ((upper >> 63) & correction[lane])
            code = (corrected >> shift[lane]) + zero_point
            codes[pixel, place + lane] = min(max(code, low), high)


@kernel
def _single(bits: np.int64) -> np.float32:
    """The float32 of a bit pattern."""
    single: np.float32 = np.int32(bits).view(np.float32)
    return single


@kernel
def _float_scale(
    sums: Sums, stride: int, scaling: Scaling, first: int, codes: Codes, place: int, channels: int
) -> None:
    scale, zero_point = scaling.parameters[MULTIPLIER, first:], scaling.zero_point
    least = np.float32(scaling.low - zero_point)
    greatest = np.float32(scaling.high - zero_point)
    for pixel in range(codes.shape[0]):
        for lane in range(channels):
            scaled = np.float32(sums[pixel * stride + lane]) * _single(scale[lane])
            nearest = (min(max(scaled, least), greatest) + _TO_INTEGER) - _TO_INTEGER
            codes[pixel, place + lane] = np.int64(nearest) + zero_point


@kernel
def _two_float_scales(
    sums: Sums, stride: int, scaling: Scaling, first: int, codes: Codes, place: int, channels: int
) -> None:
    scale = scaling.parameters[MULTIPLIER, first:]
    destination_scale = scaling.parameters[DESTINATION_SCALE, first:]
    zero, least = np.float32(scaling.zero_point), np.float32(scaling.low)
    greatest = np.float32(scaling.high)
    for pixel in range(codes.shape[0]):
        for lane in range(channels):
            scaled = np.float32(sums[pixel * stride + lane]) * _single(scale[lane])
            moved = scaled * _single(destination_scale[lane]) + zero
            nearest = (min(max(moved, least), greatest) + _TO_INTEGER) - _TO_INTEGER
            codes[pixel, place + lane] = np.int64(nearest)


@kernel
def requantize(
    sums: Sums, stride: int, scaling: Scaling, first: int, codes: Codes, place: int, channels: int
) -> None:
    """Requantize the sums of some channels of the pixels that ``codes`` holds.

    Args:
        sums: channel by channel, pixel after pixel.
        stride: sums from one pixel to the next.
        scaling: from sums to codes.
        first: the channel whose parameters are those of a pixel's first sum.
        codes: int32 [pixels, C], written at channels ``place``, ``place + 1``, ….
        place: where a pixel's first code goes.
        channels: how many of a pixel's sums count.
    """
    if scaling.family == OFFSET_ONLY:
        _offset_only(sums, stride, scaling, first, codes, place, channels)
    elif scaling.family == CORRECT_NEGATIVE:
        _correct_negative(sums, stride, scaling, first, codes, place, channels)
    elif scaling.family == CORRECT_ODD:
        _correct_odd(sums, stride, scaling, first, codes, place, channels)
    elif scaling.family == TWO_ROUNDINGS:
        _two_roundings(sums, stride, scaling, first, codes, place, channels)
    elif scaling.family == FLOAT_SCALE:
        _float_scale(sums, stride, scaling, first, codes, place, channels)
    else:
        _two_float_scales(sums, stride, scaling, first, codes, place, channels)
