"""A graph executed in plain NumPy int64, written from the docstrings of the operators alone.

It shares no line with ``hwsim.arithmetic`` or the lowering, so that it can disagree with both.
"""

import numpy as np
from numpy.typing import NDArray

from quant.graph import Add, Convolution, Graph, Input, PixelShuffle, Requantization, Requantize
from quant.graph.operators import Operator

Codes = NDArray[np.int64]


def execute(graph: Graph, image: Codes) -> dict[str, Codes]:
    """Every feature map of a graph, int64 [height, width, channels], by name."""
    codes: dict[str, Codes] = {}
    for node in graph.nodes:
        operands = [codes[source] for source in node.inputs] or [image.astype(np.int64)]
        codes[node.name] = _result(node.operator, operands)
    return codes


def _result(operator: Operator, operands: list[Codes]) -> Codes:
    match operator:
        case Input():
            return operands[0]
        case Convolution():
            return _requantized(accumulators(operator, operands[0]), operator.requantization)
        case Add():
            first, second = operands
            total = first * operator.multipliers[0] + second * operator.multipliers[1]
            return _requantized(total + operator.bias, operator.requantization)
        case Requantize():
            return _requantized(operands[0] + operator.bias, operator.requantization)
        case PixelShuffle():
            return _shuffled(operands[0], operator.factor)


def accumulators(convolution: Convolution, ifm: Codes) -> Codes:
    """Sums of a convolution before requantization, int64 [height, width, out_channels]."""
    around = convolution.padding
    padded = np.empty(
        (ifm.shape[0] + around.rows, ifm.shape[1] + around.columns, ifm.shape[2]), np.int64
    )
    padded[:] = convolution.pad_code
    padded[around.top :, around.left :][: ifm.shape[0], : ifm.shape[1]] = ifm
    kernel = convolution.weight.shape[1:3]
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(0, 1))
    sums: Codes = np.einsum("yxchw,ohwc->yxo", windows, convolution.weight, optimize=False)
    if convolution.tap_offset is not None:
        inside = np.zeros(padded.shape[:2], np.int64)
        inside[around.top :, around.left :][: ifm.shape[0], : ifm.shape[1]] = 1
        taps = np.lib.stride_tricks.sliding_window_view(inside, kernel)
        sums = sums + np.einsum("yxhw,ohw->yxo", taps, convolution.tap_offset)
    return sums + convolution.bias


def _requantized(sums: Codes, requantization: Requantization) -> Codes:
    shift = requantization.shift
    half = np.where(shift > 0, np.int64(1) << np.maximum(shift - 1, 0), 0)
    rounded = (sums * requantization.multiplier + half) >> shift
    codes: Codes = rounded + requantization.zero_point
    return codes.clip(requantization.low, requantization.high)


def _shuffled(ifm: Codes, factor: int) -> Codes:
    height, width, channels = ifm.shape
    ofm = np.empty((height * factor, width * factor, channels // factor**2), np.int64)
    for row in range(factor):
        for column in range(factor):
            first = (row * factor + column) * ofm.shape[2]
            ofm[row::factor, column::factor] = ifm[:, :, first : first + ofm.shape[2]]
    return ofm
