"""Sums in accumulators that can overflow: clamped step by step, or brought into range at last."""

import numpy as np

from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import Scaling, Sums, requantize


@kernel
def _step_through(
    window: Codes,
    dilation: tuple[int, int],
    first: int,
    weights: Sums,
    limits: tuple[int, int],
    registers: Sums,
    clamped: Sums,
) -> None:
    """Add the products of a group's outputs at one pixel to their registers, side by side.

    ``clamped`` becomes other than 0 for each register that a step would have left the limits with.
    """
    kernel_height, kernel_width, inputs, outputs = weights.shape
    as_sum = registers.dtype.type
    least, greatest = as_sum(limits[0]), as_sum(limits[1])
    for ky in range(kernel_height):
        for kx in range(kernel_width):
            operands = window[ky * dilation[0], kx * dilation[1], first:]
            for channel in range(inputs):
                operand = as_sum(operands[channel])
                taps = weights[ky, kx, channel]
                for lane in range(outputs):
                    total = as_sum(registers[lane] + as_sum(operand * taps[lane]))
                    register = min(max(total, least), greatest)
                    clamped[lane] |= total ^ register
                    registers[lane] = register


@kernel
def _step_through_each(
    window: Codes,
    dilation: tuple[int, int],
    weights: Sums,
    limits: tuple[int, int],
    registers: Sums,
    clamped: Sums,
) -> None:
    """As `_step_through`, of outputs that each read the one input channel of their own group.

    ``weights`` are [KH, KW, groups].
    """
    kernel_height, kernel_width, groups = weights.shape
    as_sum = registers.dtype.type
    least, greatest = as_sum(limits[0]), as_sum(limits[1])
    for ky in range(kernel_height):
        for kx in range(kernel_width):
            operands, taps = window[ky * dilation[0], kx * dilation[1]], weights[ky, kx]
            for lane in range(groups):
                product = as_sum(as_sum(operands[lane]) * taps[lane])
                total = as_sum(registers[lane] + product)
                register = min(max(total, least), greatest)
                clamped[lane] |= total ^ register
                registers[lane] = register


@kernel
def accumulate_steps(
    ifm: Codes,
    weights: Sums,
    bias: Wide,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    limits: tuple[int, int],
    sums: Sums,
) -> tuple[int, int]:
    """Sums of a convolution, clamped after every addition.

    Args:
        ifm: [H, W, I].
        weights: [groups, KH, KW, I/groups, O/groups], of the sums' type.
        bias: [O], what sums begin with.
        stride: of the convolution.
        dilation: of the convolution.
        limits: the least and the greatest sum; any product added to either fits the sums' type.
        sums: [rows, columns, O], written.

    Returns:
        How many sums were clamped at some step, and the first of them in memory order, or -1.
    """
    rows, columns, channels = sums.shape
    groups, _, _, inputs, outputs = weights.shape
    is_depthwise = inputs == 1 and outputs == 1
    each = np.ascontiguousarray(weights[:, :, :, 0, 0].transpose(1, 2, 0))
    clamped = np.zeros(channels, sums.dtype)
    count, first = 0, -1
    for row in range(rows):
        for column in range(columns):
            window = ifm[row * stride[0] :, column * stride[1] :]
            registers = sums[row, column]
            for channel in range(channels):
                register = min(max(bias[channel], limits[0]), limits[1])
                clamped[channel] = register != bias[channel]
                registers[channel] = register
            if is_depthwise:
                _step_through_each(window, dilation, each, limits, registers, clamped)
            for group in range(0 if is_depthwise else groups):
                lanes = slice(group * outputs, (group + 1) * outputs)
                _step_through(
                    window,
                    dilation,
                    group * inputs,
                    weights[group],
                    limits,
                    registers[lanes],
                    clamped[lanes],
                )
            for channel in range(channels):
                count += clamped[channel] != 0
            if first < 0 and count > 0:
                first = (row * columns + column) * channels + np.flatnonzero(clamped)[0]
    return count, first


@kernel
def bring_into_range(sums: Sums, low: int, high: int, wraps: bool) -> tuple[int, int, int]:
    """Wrap or clamp each of a vector of exact sums, in place.

    Args:
        sums: changed.
        low: the least that an accumulator holds, a power of two with the sign turned.
        high: the greatest.
        wraps: modulo the range, else to its nearer end.

    Returns:
        How many lay outside, the place of the first or -1, and that sum.
    """
    mask = high - low
    count, first, first_sum = 0, -1, 0
    for place in range(sums.size):
        total = int(sums[place])  # of 64 bits
        if total < low or total > high:
            if first < 0:
                first, first_sum = place, total
            count += 1
            sums[place] = ((total - low) & mask) + low if wraps else min(max(total, low), high)
    return count, first, first_sum


@kernel
def requantize_sums(sums: Sums, scaling: Scaling, codes: Codes) -> None:
    """Sums [pixels · C] to codes [pixels, C]; the bias is part of the sums."""
    requantize(sums, codes.shape[1], scaling, 0, codes, 0, codes.shape[1])
