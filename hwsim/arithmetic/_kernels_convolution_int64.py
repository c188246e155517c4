"""Convolution with 64-bit accumulators, for operands of any width.

The loop nest is output row → column → output channel → kernel row → tap.
"""

import numpy as np

from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import BIAS, requantize


@kernel
def _accumulate(operands: Codes, row_stride: int, factors: Codes) -> np.int64:
    """The products of one output at one pixel; ``factors`` are its weights, [KH, KW·I]."""
    kernel_rows, taps = factors.shape
    total = np.int64(0)
    for kernel_row in range(kernel_rows):
        row = operands[kernel_row * row_stride :][:taps]
        for tap in range(taps):
            total += np.int64(row[tap]) * np.int64(factors[kernel_row, tap])
    return total


@kernel
def convolve(
    ifm: Codes,
    weights: Codes,
    parameters: Wide,
    input_low: int,
    input_high: int,
    family: int,
    zero_point: int,
    low: int,
    high: int,
    ofm: Codes,
) -> bool:
    """Convolve and requantize rows; arguments as `hwsim.arithmetic.convolution` says.

    ``weights`` are int32 [O, KH, KW·I].
    """
    if ifm.min() < input_low or ifm.max() > input_high:
        return False
    rows, columns, channels = ofm.shape
    _, width, pixel_stride = ifm.shape
    operands = ifm.reshape(-1)
    bias, sums = parameters[BIAS], np.empty(channels, np.int64)
    for row in range(rows):
        for column in range(columns):
            window = operands[(row * width + column) * pixel_stride :]
            for channel in range(channels):
                total = _accumulate(window, width * pixel_stride, weights[channel])
                sums[channel] = total + bias[channel]
            requantize(sums, parameters, 0, family, zero_point, low, high, ofm[row, column])
    return True
