"""Every operator of a graph, computed by the slow reference."""

from collections.abc import Sequence

import numpy as np

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import Geometry
from hwsim.arithmetic.overflows import Overflows
from hwsim.machine.arithmetic import Arithmetic, Codes
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
    padded, geometry = _padded(convolution, operands[0]), _geometry(convolution)
    sums = reference.convolve(padded, convolution.weight, convolution.bias, geometry)
    if convolution.tap_offset is not None:
        size, offset = operands[0].shape[:2], convolution.tap_offset
        sums = sums + reference.tap_offsets(size, _sides(convolution), offset, geometry)
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


def _padded(convolution: Convolution | TransposedConvolution, codes: Codes) -> Codes:
    if isinstance(convolution, Convolution) and convolution.border == "replicate":
        return reference.replicate(codes, _sides(convolution))
    return reference.pad(codes, _sides(convolution), _pad_codes(convolution))


def _sides(convolution: Convolution | TransposedConvolution) -> tuple[int, int, int, int]:
    padding = convolution.padding
    return padding.top, padding.bottom, padding.left, padding.right


def _pad_codes(convolution: Convolution | TransposedConvolution) -> Codes:
    return np.broadcast_to(convolution.pad_code, convolution.in_channels)


def _geometry(convolution: Convolution) -> Geometry:
    return Geometry(convolution.stride, convolution.dilation, convolution.groups)


def _transposed_convolution(
    convolution: TransposedConvolution, types: Types, operands: Operands
) -> Codes:
    far = reference.spread(operands[0], convolution.stride, _pad_codes(convolution))
    sums = reference.convolve(_padded(convolution, far), convolution.weight, convolution.bias)
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


def _multiply(multiply: Multiply, types: Types, operands: Operands) -> Codes:
    products = reference.multiply(operands[0], operands[1], multiply.biases)
    return reference.requantize(products, multiply.requantization)


def _prelu(prelu: ParametricRelu, types: Types, operands: Operands) -> Codes:
    return reference.parametric_relu(
        operands[0], prelu.bias, prelu.slope, prelu.positive, prelu.negative
    )


def _lookup_table(lookup: LookupTable, types: Types, operands: Operands) -> Codes:
    return reference.lookup_table(operands[0], lookup.table, types[0].integer.low)


def _concatenate(concatenation: Concatenate, types: Types, operands: Operands) -> Codes:
    return reference.concatenate(operands)


def _pixel_shuffle(shuffle: PixelShuffle, types: Types, operands: Operands) -> Codes:
    return reference.pixel_shuffle(operands[0], shuffle.factor, shuffle.order)


def _nearest_resize(resize: NearestResize, types: Types, operands: Operands) -> Codes:
    return reference.nearest_resize(operands[0], resize.factor)


def _bilinear_resize(resize: BilinearResize, types: Types, operands: Operands) -> Codes:
    sums = reference.bilinear(operands[0], resize.factor, resize.half_pixel_centers, resize.bias)
    return reference.requantize(sums, resize.requantization)


def _average_pool(pool: AveragePool, types: Types, operands: Operands) -> Codes:
    sums = reference.window_sums(operands[0], pool.kernel, pool.stride, pool.bias)
    return reference.requantize(sums, pool.requantization)


def _statistics(operator: Statistics, types: Types, operands: Operands) -> Codes:
    if operator.statistic == "summary":
        return reference.summary(operands[0])
    return reference.statistics(operands[0], operator.statistic)


def _normalization(operator: Normalization, types: Types, operands: Operands) -> Codes:
    return reference.normalization(operands[0], operator.is_centred)


def _encode(operator: Encode, types: Types, operands: Operands) -> Codes:
    ifm, factors = operands
    return reference.encode(ifm, factors, operator.thresholds)


def _scaled_convolution(convolution: ScaledConvolution, types: Types, operands: Operands) -> Codes:
    codes, factors = operands
    points, is_centred = convolution.points, convolution.is_centred
    inside = reference.scaled_operands(codes, factors, points, is_centred)
    padded = reference.pad(inside, _sides(convolution), _pad_codes(convolution))
    sums = reference.convolve(padded, convolution.weight, convolution.bias, _geometry(convolution))
    return reference.requantize(sums, convolution.requantization)


REFERENCE = Arithmetic(
    "int64 reference",
    {
        Convolution: _convolution,
        TransposedConvolution: _transposed_convolution,
        Add: _add,
        Multiply: _multiply,
        Requantize: _requantize,
        ParametricRelu: _prelu,
        LookupTable: _lookup_table,
        Concatenate: _concatenate,
        PixelShuffle: _pixel_shuffle,
        NearestResize: _nearest_resize,
        BilinearResize: _bilinear_resize,
        AveragePool: _average_pool,
        Statistics: _statistics,
        Normalization: _normalization,
        Encode: _encode,
        ScaledConvolution: _scaled_convolution,
    },
    _accumulate,
)
