"""Every operator of a graph, computed by the slow reference."""

from collections.abc import Sequence

import numpy as np

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import Geometry
from hwsim.machine.arithmetic import Arithmetic, Codes
from quant.graph import (
    Add,
    Convolution,
    FusedTerms,
    PixelShuffle,
    Requantize,
    TensorType,
    TermRounding,
)

Types = Sequence[TensorType]
Operands = Sequence[Codes]


def _convolution(convolution: Convolution, types: Types, operands: Operands) -> Codes:
    if convolution.accumulator is not None:
        raise ValueError("no reference for accumulators that can overflow")
    padding = convolution.padding
    pad_code = np.broadcast_to(convolution.pad_code, convolution.in_channels)
    sides = (padding.top, padding.bottom, padding.left, padding.right)
    padded = reference.pad(operands[0], sides, pad_code)
    geometry = Geometry(convolution.stride, convolution.dilation, convolution.groups)
    sums = reference.convolve(padded, convolution.weight, convolution.bias, geometry)
    return reference.requantize(sums, convolution.requantization)


def _add(add: Add, types: Types, operands: Operands) -> Codes:
    first, second = operands
    requantization = add.requantization
    match add.term_rounding:
        case None:
            accumulator = reference.add(first, second, add.multipliers, add.bias)
        case TermRounding() as terms:
            accumulator = reference.add_rounded(first, second, add.multipliers, terms, add.bias)
        case FusedTerms() as terms:
            limits = requantization.low, requantization.high
            return reference.add_fused(first, second, add.multipliers, terms, *limits)
    return reference.requantize(accumulator, requantization)


def _requantize(requantize: Requantize, types: Types, operands: Operands) -> Codes:
    sums = operands[0].astype(np.int64) + requantize.bias
    return reference.requantize(sums, requantize.requantization)


def _pixel_shuffle(shuffle: PixelShuffle, types: Types, operands: Operands) -> Codes:
    return reference.pixel_shuffle(operands[0], shuffle.factor)


REFERENCE = Arithmetic(
    "int64 reference",
    {
        Convolution: _convolution,
        Add: _add,
        Requantize: _requantize,
        PixelShuffle: _pixel_shuffle,
    },
)
