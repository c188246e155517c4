"""Convolution with 64-bit sums, for operands of any width.

The loop nest is output row → column → output channel → kernel row → kernel column → channel.
"""

import numpy as np

from hwsim.arithmetic._jit import Codes, kernel
from hwsim.arithmetic._kernels_requantization import Scaling, requantize
from hwsim.arithmetic._requantization_emitter import BIAS
from hwsim.arithmetic._tap_offsets import Border


@kernel
def _accumulate(window: Codes, dilation: tuple[int, int], first: int, weights: Codes) -> np.int64:
    """The products of one output at one pixel; ``weights`` are its own, [KH, KW, I/groups]."""
    kernel_height, kernel_width, inputs = weights.shape
    total = np.int64(0)
    for ky in range(kernel_height):
        for kx in range(kernel_width):
            operands = window[ky * dilation[0], kx * dilation[1], first:]
            for channel in range(inputs):
                total += np.int64(operands[channel]) * np.int64(weights[ky, kx, channel])
    return total


@kernel
def convolve(
    ifm: Codes,
    weights: Codes,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
    border: Border,
    scaling: Scaling,
    ofm: Codes,
) -> None:
    """Convolve and requantize rows; ``weights`` are int32 [O, KH, KW, I/groups]."""
    rows, columns, channels = ofm.shape
    inputs, outputs = weights.shape[3], channels // groups
    bias, sums = scaling.parameters[BIAS], np.empty(channels, np.int64)
    for row in range(rows):
        for column in range(columns):
            window = ifm[row * stride[0] :, column * stride[1] :]
            for channel in range(channels):
                first = channel // outputs * inputs
                total = _accumulate(window, dilation, first, weights[channel])
                sums[channel] = total + bias[channel]
            if border.rows.size > 0:
                offsets = border.offsets[border.rows[row], border.columns[column]]
                for channel in range(channels):
                    sums[channel] += offsets[channel]
            requantize(sums, channels, scaling, 0, ofm[row, column : column + 1], 0, channels)
