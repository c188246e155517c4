"""How often operands of a convolution change, in the order in which an array is fed."""

import numpy as np

from hwsim.arithmetic._jit import Codes, kernel

Counts = tuple[int, int, int, int]
"""Codes, those that are not zero, changes, and bits changed."""


@kernel
def ones(bits: int) -> int:
    """The bits that are set in a word of up to 32, summed in pairs, fours, and so on."""
    word = bits - ((bits >> 1) & 0x55555555)
    word = (word & 0x33333333) + ((word >> 2) & 0x33333333)
    word = (word + (word >> 4)) & 0x0F0F0F0F
    word += word >> 8
    word += word >> 16
    return word & 0x3F


@kernel
def counted(
    counts: Counts, code: int, last: int, zero: int, skip_zeros: bool
) -> tuple[Counts, int]:
    """The counts with one code more, and the code that the next one changes.

    ``last`` is the code before it, negative if there is none; ``zero`` is the code that stands for
    0, or -1. With ``skip_zeros`` those change nothing.
    """
    codes, active, changes, bits = counts
    is_zero = code == zero
    if is_zero and skip_zeros:
        return (codes + 1, active, changes, bits), last
    if last >= 0:
        changes += 1
        bits += ones(code ^ last)
    return (codes + 1, active + (not is_zero), changes, bits), code


@kernel
def activity_of_windows(
    stored: Codes,
    zero: int,
    taps: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
    skip_zeros: bool,
) -> Counts:
    """Codes one after the other inside each window: what stays in place is the output.

    Loops over output pixels, groups, taps down and across, channels of a group. ``stored`` is
    [height, width, channels] with its padding, each code as its bits; others are as in `counted`.
    """
    height, width, channels = stored.shape
    rows = (height - (taps[0] - 1) * dilation[0] - 1) // stride[0] + 1
    columns = (width - (taps[1] - 1) * dilation[1] - 1) // stride[1] + 1
    inputs = channels // groups
    counts = (0, 0, 0, 0)
    for row in range(rows):
        for column in range(columns):
            for group in range(groups):
                last = -1
                for ky in range(taps[0]):
                    for kx in range(taps[1]):
                        pixel = stored[
                            row * stride[0] + ky * dilation[0],
                            column * stride[1] + kx * dilation[1],
                        ]
                        for channel in range(group * inputs, (group + 1) * inputs):
                            counts, last = counted(counts, pixel[channel], last, zero, skip_zeros)
    return counts


@kernel
def activity_of_pixels(
    stored: Codes,
    zero: int,
    taps: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    skip_zeros: bool,
) -> Counts:
    """Codes one after the other at each tap and channel, pixel by pixel: the weight stays.

    As `activity_of_windows`, but loops over taps and channels first, then rows and columns of the
    output.
    """
    height, width, channels = stored.shape
    rows = (height - (taps[0] - 1) * dilation[0] - 1) // stride[0] + 1
    columns = (width - (taps[1] - 1) * dilation[1] - 1) // stride[1] + 1
    last = np.empty(channels, np.int32)
    counts = (0, 0, 0, 0)
    for ky in range(taps[0]):
        for kx in range(taps[1]):
            last[:] = -1
            for row in range(rows):
                for column in range(columns):
                    pixel = stored[
                        row * stride[0] + ky * dilation[0], column * stride[1] + kx * dilation[1]
                    ]
                    for channel in range(channels):
                        counts, last[channel] = counted(
                            counts, pixel[channel], last[channel], zero, skip_zeros
                        )
    return counts


@kernel
def activity_of_rows(stored: Codes, zero: int) -> Counts:
    """Codes one after the other along each row of [rows, columns]."""
    counts = (0, 0, 0, 0)
    for row in range(stored.shape[0]):
        last = -1
        for column in range(stored.shape[1]):
            counts, last = counted(counts, stored[row, column], last, zero, False)
    return counts
