"""Every operator of a graph, computed by the slow reference."""

from collections.abc import Sequence

import numpy as np

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import Geometry
from hwsim.arithmetic.overflows import Overflows
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
    padded, geometry = _padded(convolution, operands[0]), _geometry(convolution)
    sums = reference.convolve(padded, convolution.weight, convolution.bias, geometry)
    return reference.requantize(sums, convolution.requantization)


def _accumulate(
    convolution: Convolution, types: Types, operands: Operands
) -> tuple[Codes, Overflows]:
    assert convolution.accumulator is not None
    sums, overflows = reference.accumulate(
        _padded(convolution, operands[0]),
        convolution.weight,
        convolution.bias,
        convolution.accumulator,
        _geometry(convolution),
    )
    return reference.requantize(sums, convolution.requantization), overflows


def _padded(convolution: Convolution, codes: Codes) -> Codes:
    padding = convolution.padding
    pad_code = np.broadcast_to(convolution.pad_code, convolution.in_channels)
    return reference.pad(
        codes, (padding.top, padding.bottom, padding.left, padding.right), pad_code
    )


def _geometry(convolution: Convolution) -> Geometry:
    return Geometry(convolution.stride, convolution.dilation, convolution.groups)


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
    _accumulate,
)
