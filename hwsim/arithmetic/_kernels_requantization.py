"""From sums to codes, in one loop per family of modes; every requantizing kernel ends here.

A mode is a family and per-channel parameters (`hwsim.arithmetic.requantization_modes`), so the
choice is made once for a vector of sums and each loop is straight-line arithmetic. The loops take
the arguments of `requantize`, which calls them.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._jit import Codes, Wide, kernel

Sums = NDArray[np.signedinteger[Any]]

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
    sums: Sums, parameters: Wide, first: int, zero_point: int, low: int, high: int, codes: Codes
) -> None:
    multiplier, shift = parameters[MULTIPLIER, first:], parameters[SHIFT, first:]
    offset = parameters[OFFSET, first:]
    for lane in range(codes.size):
        product = np.int64(sums[lane]) * multiplier[lane]
        code = ((product + offset[lane]) >> shift[lane]) + zero_point
        codes[lane] = min(max(code, low), high)


@kernel
def _correct_negative(
    sums: Sums, parameters: Wide, first: int, zero_point: int, low: int, high: int, codes: Codes
) -> None:
    multiplier, shift = parameters[MULTIPLIER, first:], parameters[SHIFT, first:]
    offset, correction = parameters[OFFSET, first:], parameters[CORRECTION, first:]
    for lane in range(codes.size):
        product = np.int64(sums[lane]) * multiplier[lane]
        corrected = product + offset[lane] + ((product >> 63) & correction[lane])
        codes[lane] = min(max((corrected >> shift[lane]) + zero_point, low), high)


@kernel
def _correct_odd(
    sums: Sums, parameters: Wide, first: int, zero_point: int, low: int, high: int, codes: Codes
) -> None:
    multiplier, shift = parameters[MULTIPLIER, first:], parameters[SHIFT, first:]
    offset, correction = parameters[OFFSET, first:], parameters[CORRECTION, first:]
    for lane in range(codes.size):
        product = np.int64(sums[lane]) * multiplier[lane]
        corrected = product + offset[lane] + ((product >> shift[lane]) & correction[lane])
        codes[lane] = min(max((corrected >> shift[lane]) + zero_point, low), high)


@kernel
def _two_roundings(
    sums: Sums, parameters: Wide, first: int, zero_point: int, low: int, high: int, codes: Codes
) -> None:
    multiplier, shift = parameters[MULTIPLIER, first:], parameters[SHIFT, first:]
    offset, correction = parameters[OFFSET, first:], parameters[CORRECTION, first:]
    left_shift = parameters[LEFT_SHIFT, first:]
    for lane in range(codes.size):
        wrapped = (np.int64(sums[lane]) << (32 + left_shift[lane])) >> 32
        upper = (wrapped * multiplier[lane] + (1 << 30)) >> 31
        corrected = upper + offset[lane] + ((upper >> 63) & correction[lane])
        codes[lane] = min(max((corrected >> shift[lane]) + zero_point, low), high)


@kernel
def _single(bits: np.int64) -> np.float32:
    """The float32 of a bit pattern."""
    single: np.float32 = np.int32(bits).view(np.float32)
    return single


@kernel
def _float_scale(
    sums: Sums, parameters: Wide, first: int, zero_point: int, low: int, high: int, codes: Codes
) -> None:
    scale = parameters[MULTIPLIER, first:]
    least, greatest = np.float32(low - zero_point), np.float32(high - zero_point)
    for lane in range(codes.size):
        scaled = np.float32(sums[lane]) * _single(scale[lane])
        nearest = (min(max(scaled, least), greatest) + _TO_INTEGER) - _TO_INTEGER
        codes[lane] = np.int64(nearest) + zero_point


@kernel
def _two_float_scales(
    sums: Sums, parameters: Wide, first: int, zero_point: int, low: int, high: int, codes: Codes
) -> None:
    scale, destination_scale = parameters[MULTIPLIER, first:], parameters[DESTINATION_SCALE, first:]
    zero, least, greatest = np.float32(zero_point), np.float32(low), np.float32(high)
    for lane in range(codes.size):
        scaled = np.float32(sums[lane]) * _single(scale[lane]) * _single(destination_scale[lane])
        nearest = (min(max(scaled + zero, least), greatest) + _TO_INTEGER) - _TO_INTEGER
        codes[lane] = np.int64(nearest)


@kernel
def requantize(
    sums: Sums,
    parameters: Wide,
    first: int,
    family: int,
    zero_point: int,
    low: int,
    high: int,
    codes: Codes,
) -> None:
    """Codes of the sums of channels ``first``, ``first + 1``, …, as many as ``codes`` holds."""
    if family == OFFSET_ONLY:
        _offset_only(sums, parameters, first, zero_point, low, high, codes)
    elif family == CORRECT_NEGATIVE:
        _correct_negative(sums, parameters, first, zero_point, low, high, codes)
    elif family == CORRECT_ODD:
        _correct_odd(sums, parameters, first, zero_point, low, high, codes)
    elif family == TWO_ROUNDINGS:
        _two_roundings(sums, parameters, first, zero_point, low, high, codes)
    elif family == FLOAT_SCALE:
        _float_scale(sums, parameters, first, zero_point, low, high, codes)
    else:
        _two_float_scales(sums, parameters, first, zero_point, low, high, codes)
