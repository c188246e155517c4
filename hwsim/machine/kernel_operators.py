"""Every operator of a graph, computed by the fast kernels.

What a network has many of, convolutions, additions, requantizations, activations and tables, takes
and gives codes in the narrowest type that holds them, which spares memory traffic between layers;
what only moves codes moves what it is given. The other operators take any type and give int32, or
int64 for sums over a map.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from hwsim.arithmetic.activation import lookup_table, parametric_relu
from hwsim.arithmetic.convolution import PackedConvolution, pack_convolution
from hwsim.arithmetic.convolution_of_maps import Surroundings, convolve_map
from hwsim.arithmetic.elementwise import add_requantize, add_rounded_requantize, requantize_codes
from hwsim.arithmetic.fused_addition import add_fused
from hwsim.arithmetic.geometry import NO_PADDING, Geometry, Padding
from hwsim.arithmetic.multiplication import multiply_requantize
from hwsim.arithmetic.normalization import encode, normalization, summary
from hwsim.arithmetic.overflow import convolve_bounded, pack_bounded_convolution
from hwsim.arithmetic.overflows import Overflows
from hwsim.arithmetic.rearrangement import (
    concatenate,
    constant_border,
    nearest_resize,
    pixel_shuffle,
    replicate_border,
)
from hwsim.arithmetic.resampling import average_pool, bilinear_resize, statistics
from hwsim.arithmetic.scaled_convolution import ScaledKernel, scaled_convolve
from hwsim.arithmetic.transposed_convolution import transposed_convolve
from hwsim.machine.arithmetic import Arithmetic, Codes, Compute, at_least_int32
from quant.graph import (
    Add,
    AveragePool,
    BilinearResize,
    Concatenate,
    Convolution,
    Encode,
    FusedTerms,
    LookupTable,
    Multiply,
    NearestResize,
    Normalization,
    Operator,
    ParametricRelu,
    PixelShuffle,
    Requantize,
    ScaledConvolution,
    Statistics,
    TensorType,
    TermRounding,
    TransposedConvolution,
)

Types = Sequence[TensorType]
Operands = Sequence[Codes]


def _convolution(convolution: Convolution, types: Types, operands: Operands) -> Codes:
    return _shuffled_convolution(convolution, types, operands, 1)


def _shuffled_convolution(
    convolution: Convolution, types: Types, operands: Operands, factor: int
) -> Codes:
    integer, padding = types[0].integer, _padding(convolution)
    packed = _packed(convolution, integer.low, integer.high)
    ifm = _at_most_int32(operands[0])
    if convolution.border == "replicate":
        ifm, padding = replicate_border(ifm, padding), NO_PADDING
    around = Surroundings(padding, convolution.pad_code.astype(np.int32), factor)
    return convolve_map(packed, ifm, around)


def _padding(convolution: Convolution) -> Padding:
    given = convolution.padding
    return Padding(given.top, given.bottom, given.left, given.right)


def _at_most_int32(codes: Codes) -> Codes:
    """Codes of one of the types they travel in, for kernels that take no other."""
    return codes if codes.itemsize <= 4 else codes.astype(np.int32)


@lru_cache(maxsize=128)  # a network's, image after image; operators are told by identity
def _packed(convolution: Convolution, input_low: int, input_high: int) -> PackedConvolution:
    """A convolution's constants as the kernels read them."""
    return pack_convolution(
        convolution.weight.astype(np.int32),
        convolution.bias,
        convolution.requantization,
        input_low,
        input_high,
        _geometry(convolution),
        tap_offset=convolution.tap_offset,
    )


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


def _transposed_convolution(
    convolution: TransposedConvolution, types: Types, operands: Operands
) -> Codes:
    padding, integer = convolution.padding, types[0].integer
    return transposed_convolve(
        operands[0],
        convolution.weight.astype(np.int32),
        convolution.bias,
        convolution.stride,
        (padding.top, padding.bottom, padding.left, padding.right),
        np.broadcast_to(convolution.pad_code, convolution.in_channels),
        convolution.requantization,
        (integer.low, integer.high),
    )


def _padded(convolution: Convolution, codes: Codes) -> Codes:
    """The input with its border, as int32."""
    if convolution.border == "replicate":
        return replicate_border(codes, _padding(convolution)).astype(np.int32)
    return constant_border(codes, _padding(convolution), convolution.pad_code)


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


def _multiply(multiply: Multiply, types: Types, operands: Operands) -> Codes:
    first, second = operands
    return multiply_requantize(first, second, multiply.biases, multiply.requantization)


def _prelu(prelu: ParametricRelu, types: Types, operands: Operands) -> Codes:
    return parametric_relu(operands[0], prelu.bias, prelu.slope, prelu.positive, prelu.negative)


def _lookup_table(lookup: LookupTable, types: Types, operands: Operands) -> Codes:
    codes = _at_most_int32(operands[0])
    return lookup_table(codes, lookup.table.astype(np.int32), types[0].integer.low)


def _concatenate(concatenation: Concatenate, types: Types, operands: Operands) -> Codes:
    return concatenate(operands)


def _pixel_shuffle(shuffle: PixelShuffle, types: Types, operands: Operands) -> Codes:
    return pixel_shuffle(operands[0], shuffle.factor, shuffle.order)


def _nearest_resize(resize: NearestResize, types: Types, operands: Operands) -> Codes:
    return nearest_resize(operands[0], resize.factor)


def _bilinear_resize(resize: BilinearResize, types: Types, operands: Operands) -> Codes:
    return bilinear_resize(
        operands[0], resize.factor, resize.half_pixel_centers, resize.bias, resize.requantization
    )


def _average_pool(pool: AveragePool, types: Types, operands: Operands) -> Codes:
    return average_pool(operands[0], pool.kernel, pool.stride, pool.bias, pool.requantization)


def _statistics(operator: Statistics, types: Types, operands: Operands) -> Codes:
    if operator.statistic == "summary":
        return summary(_at_most_int32(operands[0]))
    return statistics(operands[0], operator.statistic)


def _normalization(operator: Normalization, types: Types, operands: Operands) -> Codes:
    return normalization(operands[0], operator.is_centred)


def _encode(operator: Encode, types: Types, operands: Operands) -> Codes:
    return encode(_at_most_int32(operands[0]), operands[1], operator.thresholds)


def _scaled_convolution(convolution: ScaledConvolution, types: Types, operands: Operands) -> Codes:
    padding = convolution.padding
    kernel = ScaledKernel(
        convolution.weight,
        convolution.bias,
        convolution.points,
        convolution.is_centred,
        convolution.requantization,
        _geometry(convolution),
    )
    around = Padding(padding.top, padding.bottom, padding.left, padding.right)
    return scaled_convolve(kernel, _at_most_int32(operands[0]), operands[1], around)


def _widening(compute: Compute) -> Compute:
    """The same for operands of narrower types too."""

    def widened(operator: Any, types: Types, operands: Operands) -> Codes:
        return compute(operator, types, [at_least_int32(codes) for codes in operands])

    return widened


_ON_INT32: dict[type[Operator], Compute] = {
    TransposedConvolution: _transposed_convolution,
    Multiply: _multiply,
    BilinearResize: _bilinear_resize,
    AveragePool: _average_pool,
    Statistics: _statistics,
}

KERNELS = Arithmetic(
    "fast kernels",
    {
        Convolution: _convolution,
        Add: _add,
        PixelShuffle: _pixel_shuffle,
        Requantize: _requantize,
        ParametricRelu: _prelu,
        LookupTable: _lookup_table,
        Concatenate: _concatenate,
        NearestResize: _nearest_resize,
        Normalization: _normalization,
        Encode: _encode,
        ScaledConvolution: _scaled_convolution,
        **{kind: _widening(compute) for kind, compute in _ON_INT32.items()},
    },
    _accumulate,
    _shuffled_convolution,
)
