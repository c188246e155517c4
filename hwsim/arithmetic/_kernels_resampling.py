"""Sums over pixels of an image, a strip of output pixels requantized at a time."""

import numpy as np

from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import Scaling, requantize
from hwsim.arithmetic._requantization_emitter import BIAS

STRIP = 32
"""Output pixels whose sums are requantized together."""
BEFORE, BEHIND, FRACTION = range(3)
"""Rows of what a bilinear kernel knows of an axis, int64 [3, outputs]."""


@kernel
def bilinear(
    image: Codes, down: Wide, across: Wide, one: int, scaling: Scaling, out: Codes
) -> None:
    """Rows ``down`` of the output; fractions are of ``one``."""
    rows, columns, channels = out.shape
    bias, sums = scaling.parameters[BIAS], np.empty(STRIP * channels, np.int64)
    for row in range(rows):
        above, under = image[down[BEFORE, row]], image[down[BEHIND, row]]
        lower = down[FRACTION, row]
        for strip in range(0, columns, STRIP):
            end = min(strip + STRIP, columns)
            for column in range(strip, end):
                left, right = across[BEFORE, column], across[BEHIND, column]
                farther = across[FRACTION, column]
                totals = sums[(column - strip) * channels :]
                for channel in range(channels):
                    top = above[left, channel] * (one - farther) + above[right, channel] * farther
                    base = under[left, channel] * (one - farther) + under[right, channel] * farther
                    totals[channel] = top * (one - lower) + base * lower + bias[channel]
            requantize(sums, channels, scaling, 0, out[row, strip:end], 0, channels)


@kernel
def pool(
    image: Codes,
    kernel_rows: int,
    kernel_columns: int,
    row_stride: int,
    column_stride: int,
    scaling: Scaling,
    out: Codes,
) -> None:
    """Sums over windows of an image that begins with the output's first window."""
    rows, columns, channels = out.shape
    bias, sums = scaling.parameters[BIAS], np.empty(STRIP * channels, np.int64)
    for row in range(rows):
        for strip in range(0, columns, STRIP):
            end = min(strip + STRIP, columns)
            for column in range(strip, end):
                totals = sums[(column - strip) * channels : (column - strip + 1) * channels]
                totals[:] = bias
                for window_row in range(row * row_stride, row * row_stride + kernel_rows):
                    first = column * column_stride
                    for window_column in range(first, first + kernel_columns):
                        pixel = image[window_row, window_column]
                        for channel in range(channels):
                            totals[channel] += pixel[channel]
            requantize(sums, channels, scaling, 0, out[row, strip:end], 0, channels)
