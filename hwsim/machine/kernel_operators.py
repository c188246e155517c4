"""Every operator of a graph, computed by the fast kernels; int32 codes in and out."""

from collections.abc import Sequence

import numpy as np

from hwsim.arithmetic.convolution import convolve, pack_convolution
from hwsim.arithmetic.elementwise import (
    add_requantize,
    add_rounded_requantize,
    pixel_shuffle,
    requantize_codes,
)
from hwsim.arithmetic.fused_addition import add_fused
from hwsim.arithmetic.geometry import Geometry
from hwsim.arithmetic.overflow import convolve_bounded, pack_bounded_convolution
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
    integer = types[0].integer
    packed = pack_convolution(
        convolution.weight.astype(np.int32),
        convolution.bias,
        convolution.requantization,
        integer.low,
        integer.high,
        _geometry(convolution),
    )
    return convolve(packed, _padded(convolution, operands[0]))


def _accumulate(
    convolution: Convolution, types: Types, operands: Operands
) -> tuple[Codes, Overflows]:
    assert convolution.accumulator is not None
    integer = types[0].integer
    packed = pack_bounded_convolution(
        convolution.weight.astype(np.int32),
        convolution.bias,
        convolution.requantization,
        integer.low,
        integer.high,
        convolution.accumulator,
        _geometry(convolution),
    )
    return convolve_bounded(packed, _padded(convolution, operands[0]))


def _geometry(convolution: Convolution) -> Geometry:
    return Geometry(convolution.stride, convolution.dilation, convolution.groups)


def _padded(convolution: Convolution, codes: Codes) -> Codes:
    """The input with its border of pad codes."""
    padding = convolution.padding
    height, width, channels = codes.shape
    padded = np.empty((height + padding.rows, width + padding.columns, channels), np.int32)
    padded[:] = convolution.pad_code
    padded[padding.top : padding.top + height, padding.left : padding.left + width] = codes
    return padded


def _add(add: Add, types: Types, operands: Operands) -> Codes:
    first, second = operands
    requantization = add.requantization
    match add.term_rounding:
        case None:
            return add_requantize(first, second, add.multipliers, add.bias, requantization)
        case TermRounding() as terms:
            return add_rounded_requantize(
                first, second, add.multipliers, terms, add.bias, requantization
            )
        case FusedTerms() as terms:
            limits = requantization.low, requantization.high
            return add_fused(first, second, add.multipliers, terms, *limits)


def _requantize(requantize: Requantize, types: Types, operands: Operands) -> Codes:
    return requantize_codes(operands[0], requantize.bias, requantize.requantization)


def _pixel_shuffle(shuffle: PixelShuffle, types: Types, operands: Operands) -> Codes:
    return pixel_shuffle(operands[0], shuffle.factor)


KERNELS = Arithmetic(
    "fast kernels",
    {
        Convolution: _convolution,
        Add: _add,
        Requantize: _requantize,
        PixelShuffle: _pixel_shuffle,
    },
    _accumulate,
)
