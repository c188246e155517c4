"""Convolution with 64-bit accumulators and products of up to 94 bits: any width, no vector tile.

The loop nest is output row → column → output channel → kernel row → tap.
"""

import numpy as np

from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._requantization import BIAS, HALF, MULTIPLIER, SHIFT


@kernel
def _scale(total: int, multiplier: int, half: int, shift: int) -> int:
    """⌊(total·multiplier + half) / 2^shift⌋ for |total| < 2^62 and |multiplier| < 2^31.

    The product is formed as high·2^32 + low with 0 ≤ low < 2^32, so it never leaves 64 bits.
    """
    low = (total & 0xFFFFFFFF) * multiplier + (half & 0xFFFFFFFF)
    high = (total >> 32) * multiplier + (half >> 32) + (low >> 32)
    if shift >= 32:
        return high >> (shift - 32)
    return (high << (32 - shift)) | ((low & 0xFFFFFFFF) >> shift)


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
    bias, multiplier = parameters[BIAS], parameters[MULTIPLIER]
    half, shift = parameters[HALF], parameters[SHIFT]
    for row in range(rows):
        for column in range(columns):
            window = operands[(row * width + column) * pixel_stride :]
            for channel in range(channels):
                total = _accumulate(window, width * pixel_stride, weights[channel]) + bias[channel]
                scaled = _scale(total, multiplier[channel], half[channel], shift[channel])
                ofm[row, column, channel] = min(max(scaled + zero_point, low), high)
    return True
