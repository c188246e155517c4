"""Random cases of every operator, each with operands that its constants suit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import Geometry
from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.random_operators import (
    FEATURE_KINDS,
    KERNEL_SIDES,
    Random,
    random_accumulator,
    random_add,
    random_codes,
    random_convolution,
    random_fused_add,
    random_integers,
    random_requantization,
    random_requantize,
    random_rounded_add,
    random_size,
    random_type,
)
from hwsim.verify.scaled_cases import draw_encode, draw_normalization, draw_scaled_convolution
from quant.common.accumulators import OVERFLOWS
from quant.common.codes import CodeKind
from quant.graph import (
    STATISTICS,
    Add,
    AveragePool,
    BilinearResize,
    Concatenate,
    Convolution,
    IntegerType,
    LookupTable,
    Multiply,
    NearestResize,
    Padding,
    ParametricRelu,
    PixelShuffle,
    Statistics,
    TensorType,
    TransposedConvolution,
    sum_bits,
)

ANY_KIND = tuple(CodeKind)

_SIGNED_8 = IntegerType(8, CodeKind.SIGNED)
_SUM = IntegerType(40, CodeKind.SIGNED)


@dataclass(frozen=True, slots=True)
class Subject:
    """An operator in one of its variants, and where its cases come from."""

    operator: str
    mode: str
    draw: Callable[[Random], OperatorCase]


def _draw_convolution(
    random: Random, kind: CodeKind, maximum_channels: int = 48, *, has_tap_offsets: bool = False
) -> OperatorCase:
    operand = _tensor(random, maximum_channels, ANY_KIND)
    output = _tensor(random, maximum_channels)
    weight_type = random_type(random, (kind,))
    # Large enough for the largest kernel without padding, small enough for many shapes.
    codes = random_codes(random, random_size(random, max(KERNEL_SIDES), 20), operand)
    convolution = random_convolution(
        random,
        operand,
        codes,
        output,
        weight_type,
        keep_size=False,
        has_tap_offsets=has_tap_offsets,
    )
    height, width = convolution.kernel
    return OperatorCase(
        f"{height}×{width} {weight_type} on {_shape(codes)} {operand.integer} to {output}",
        convolution,
        (operand,),
        (codes,),
    )


def _draw_replicated(random: Random) -> OperatorCase:
    """A convolution of any geometry that reads the nearest pixel outside the image."""
    case = _draw_geometry(random, depthwise=False)
    assert isinstance(case.operator, Convolution)
    operator = replace(case.operator, border="replicate")
    return replace(case, description=f"{case.description}, border replicated", operator=operator)


def _draw_accumulation(random: Random, overflow: str) -> OperatorCase:
    """A convolution whose sums often leave their accumulator; small, as the reference steps."""
    case = _draw_convolution(random, CodeKind.SIGNED, 20)
    assert isinstance(case.operator, Convolution)
    accumulator = random_accumulator(random, case.operator, case.operands[0], overflow)
    return replace(
        case,
        description=f"{case.description} in {accumulator}",
        operator=replace(case.operator, accumulator=accumulator),
    )


def _draw_add(random: Random) -> OperatorCase:
    first, output = _tensor(random, 32, ANY_KIND), _tensor(random, 32)
    output = TensorType(first.channels, output.integer)
    second = TensorType(first.channels, random_type(random, ANY_KIND))
    size = random_size(random, 1, 32)
    codes = random_codes(random, size, first), random_codes(random, size, second)
    add = random_add(random, (first, second), codes, output)
    return OperatorCase(
        f"{first.integer} and {second.integer} of {_shape(codes[0])} to {output}",
        add,
        (first, second),
        codes,
    )


def _draw_add_with(random: Random, draw: Callable[[Random, IntegerType], Add]) -> OperatorCase:
    """An addition of 8-bit codes as an engine does it."""
    size = random_size(random, 1, 32)
    operand = TensorType(int(random.integers(1, 32, endpoint=True)), _SIGNED_8)
    codes = random_codes(random, size, operand), random_codes(random, size, operand)
    add = draw(random, _SIGNED_8)
    return OperatorCase(f"{_shape(codes[0])} {operand.integer}", add, (operand, operand), codes)


def _draw_requantize(random: Random) -> OperatorCase:
    operand = _tensor(random, 32, ANY_KIND)
    output = TensorType(operand.channels, random_type(random))
    codes = random_codes(random, random_size(random, 1, 32), operand)
    requantize = random_requantize(random, operand, codes, output)
    return OperatorCase(
        f"{operand.integer} of {_shape(codes)} to {output}",
        requantize,
        (operand,),
        (codes,),
    )


def _draw_pixel_shuffle(random: Random, order: str) -> OperatorCase:
    factor = int(random.integers(1, 4, endpoint=True))
    operand = TensorType(int(random.integers(1, 8)) * factor**2, random_type(random, ANY_KIND))
    codes = random_codes(random, random_size(random, 1, 24), operand)
    return OperatorCase(
        f"factor {factor} on {_shape(codes)} {operand.integer}",
        PixelShuffle(factor, order),
        (operand,),
        (codes,),
    )


def _draw_geometry(random: Random, *, depthwise: bool) -> OperatorCase:
    """A convolution of any stride, dilation and groups, feature maps of any kind."""
    groups = int(random.integers(1, 12 if depthwise else 4, endpoint=True))
    inputs, outputs = (1, 1) if depthwise else (int(n) for n in random.integers(1, 12, 2))
    operand = TensorType(groups * inputs, random_type(random, ANY_KIND))
    output = TensorType(groups * outputs, random_type(random))
    stride, dilation = (tuple(int(n) for n in random.integers(1, 4, 2)) for _ in range(2))
    geometry = Geometry((stride[0], stride[1]), (dilation[0], dilation[1]), groups)
    window = 3 * (max(KERNEL_SIDES) - 1) + 1
    codes = random_codes(random, random_size(random, window, 24), operand)
    weight_type = random_type(random, ANY_KIND)
    convolution = random_convolution(
        random, operand, codes, output, weight_type, keep_size=False, geometry=geometry
    )
    return OperatorCase(
        f"{geometry} {weight_type} on {_shape(codes)} {operand.integer} to {output}",
        convolution,
        (operand,),
        (codes,),
    )


def _draw_transposed_convolution(random: Random) -> OperatorCase:
    operand, output = _tensor(random, 16, ANY_KIND), _tensor(random, 16)
    kernel = tuple(int(side) for side in random.integers(1, 6, 2))
    stride = int(random.integers(1, 5)), int(random.integers(1, 5))
    top, bottom = (int(side) for side in random.integers(0, kernel[0], 2))
    left, right = (int(side) for side in random.integers(0, kernel[1], 2))
    codes = random_codes(random, random_size(random, 5, 10), operand)
    weight_type = random_type(random, ANY_KIND)
    weight = random_integers(random, weight_type, (output.channels, *kernel, operand.channels))
    pad_code = random_integers(random, operand.integer, (operand.channels,))
    padded = reference.pad(
        reference.spread(codes, stride, pad_code), (top, bottom, left, right), pad_code
    )
    sums = reference.convolve(padded, weight, np.zeros(output.channels, np.int64))
    bias = -np.rint(sums.mean(axis=(0, 1))).astype(np.int64)
    largest = 1 << sum_bits(weight, bias, operand.integer) - 1
    operator = TransposedConvolution(
        weight,
        weight_type,
        bias,
        stride,
        Padding(top, bottom, left, right),
        pad_code,
        random_requantization(random, output.integer, sums.std(axis=(0, 1)), largest),
    )
    return OperatorCase(
        f"{kernel} stride {stride} on {_shape(codes)} {operand.integer} to {output}",
        operator,
        (operand,),
        (codes,),
    )


def _draw_multiply(random: Random) -> OperatorCase:
    operand = _tensor(random, 24, ANY_KIND)
    channels = operand.channels if random.random() < 0.5 else 1
    factor = TensorType(channels, random_type(random, ANY_KIND))
    output = random_type(random)
    size = random_size(random, 1, 32)
    codes = random_codes(random, size, operand)
    factors = random_codes(random, size, factor)
    if random.random() < 0.5:
        factors = factors[:1, :1]
    biases = -round(codes.mean()), -round(factors.mean())
    products = reference.multiply(codes, factors, biases)
    largest = (operand.integer.magnitude + abs(biases[0])) * (
        factor.integer.magnitude + abs(biases[1])
    )
    multiply = Multiply(
        biases, random_requantization(random, output, np.array([products.std()]), largest)
    )
    return OperatorCase(
        f"{_shape(codes)} {operand.integer} by {_shape(factors)} {factor.integer} to {output}",
        multiply,
        (operand, factor),
        (codes, factors),
    )


def _draw_requantized_sums(random: Random) -> OperatorCase:
    """The requantization of a statistic of 40 bits."""
    operand = TensorType(int(random.integers(1, 900)), _SUM)
    output = TensorType(operand.channels, random_type(random))
    reach = 1 << int(random.integers(1, 40))
    sums = random.integers(-reach, reach, (1, 1, operand.channels))
    requantize = random_requantize(random, operand, sums, output)
    return OperatorCase(
        f"{operand.channels} sums of up to {reach}", requantize, (operand,), (sums,)
    )


def _draw_prelu(random: Random) -> OperatorCase:
    operand = _tensor(random, 24, ANY_KIND)
    output = random_type(random)
    codes = random_codes(random, random_size(random, 1, 32), operand)
    bias = -round(codes.mean())
    slope = random.integers(-(2**7), 2**7, int(random.choice((1, operand.channels))))
    largest = operand.integer.magnitude + abs(bias)
    deviation = np.array([codes.std()])
    steepest = int(np.abs(slope).max())
    prelu = ParametricRelu(
        bias,
        slope,
        random_requantization(random, output, deviation, largest),
        random_requantization(
            random, output, deviation * max(steepest, 1), largest * max(steepest, 1)
        ),
    )
    return OperatorCase(
        f"{_shape(codes)} {operand.integer} to {output}", prelu, (operand,), (codes,)
    )


def _draw_lookup_table(random: Random) -> OperatorCase:
    operand = TensorType(int(random.integers(1, 16)), random_type(random, ANY_KIND, 12))
    output = random_type(random, ANY_KIND)
    codes = random_codes(random, random_size(random, 1, 32), operand)
    entries = operand.integer.high - operand.integer.low + 1
    table = random_integers(random, output, (int(random.choice((1, operand.channels))), entries))
    return OperatorCase(
        f"{_shape(codes)} {operand.integer} to {output}", LookupTable(table), (operand,), (codes,)
    )


def _draw_concatenate(random: Random) -> OperatorCase:
    integer = random_type(random, ANY_KIND)
    size = random_size(random, 1, 16)
    operands = tuple(
        TensorType(int(channels), integer)
        for channels in random.integers(1, 16, int(random.integers(1, 5)))
    )
    codes = tuple(random_codes(random, size, operand) for operand in operands)
    return OperatorCase(f"{len(codes)} maps of {size} {integer}", Concatenate(), operands, codes)


def _draw_nearest_resize(random: Random) -> OperatorCase:
    operand, factor = _tensor(random, 16, ANY_KIND), int(random.integers(1, 5))
    codes = random_codes(random, random_size(random, 1, 16), operand)
    return OperatorCase(
        f"factor {factor} on {_shape(codes)}", NearestResize(factor), (operand,), (codes,)
    )


def _draw_bilinear_resize(random: Random, *, half_pixel_centers: bool) -> OperatorCase:
    operand, factor = _tensor(random, 8, ANY_KIND), int(random.integers(1, 7))
    output = random_type(random)
    codes = random_codes(random, random_size(random, 1, 8), operand)
    bias = -round(codes.mean() * 2**20)
    largest = (operand.integer.magnitude << 20) + abs(bias)
    resize = BilinearResize(
        factor,
        half_pixel_centers,
        bias,
        random_requantization(random, output, np.array([codes.std() * 2**20]), largest),
    )
    return OperatorCase(
        f"factor {factor} on {_shape(codes)} {operand.integer} to {output}",
        resize,
        (operand,),
        (codes,),
    )


def _draw_average_pool(random: Random) -> OperatorCase:
    operand = _tensor(random, 16, ANY_KIND)
    output = random_type(random)
    kernel = int(random.integers(1, 5)), int(random.integers(1, 5))
    stride = int(random.integers(1, 5)), int(random.integers(1, 5))
    codes = random_codes(random, random_size(random, 4, 24), operand)
    bias = -round(codes.mean() * kernel[0] * kernel[1])
    largest = operand.integer.magnitude * kernel[0] * kernel[1] + abs(bias)
    deviation = np.array([codes.std() * (kernel[0] * kernel[1]) ** 0.5])
    pool = AveragePool(
        kernel, stride, bias, random_requantization(random, output, deviation, largest)
    )
    return OperatorCase(
        f"{kernel} windows {stride} apart on {_shape(codes)} {operand.integer} to {output}",
        pool,
        (operand,),
        (codes,),
    )


def _draw_statistics(random: Random, statistic: str) -> OperatorCase:
    operand = TensorType(int(random.integers(1, 900)), random_type(random, ANY_KIND))
    codes = random_codes(random, random_size(random, 1, 16), operand)
    return OperatorCase(
        f"{_shape(codes)} {operand.integer}", Statistics(statistic), (operand,), (codes,)
    )


def _tensor(
    random: Random, maximum_channels: int, kinds: tuple[CodeKind, ...] = FEATURE_KINDS
) -> TensorType:
    channels = int(random.integers(1, maximum_channels, endpoint=True))
    return TensorType(channels, random_type(random, kinds))


def _shape(codes: NDArray[Any]) -> str:
    return "×".join(str(axis) for axis in codes.shape)


SUBJECTS = (
    Subject("convolution", "signed weights", lambda r: _draw_convolution(r, CodeKind.SIGNED)),
    Subject("convolution", "unsigned weights", lambda r: _draw_convolution(r, CodeKind.UNSIGNED)),
    Subject("convolution", "odd weights", lambda r: _draw_convolution(r, CodeKind.ODD)),
    Subject("convolution", "table weights", lambda r: _draw_convolution(r, CodeKind.TABLE)),
    Subject(
        "convolution", "stride, dilation, groups", lambda r: _draw_geometry(r, depthwise=False)
    ),
    Subject(
        "convolution",
        "offsets of taps inside",
        lambda r: _draw_convolution(r, CodeKind.ODD, has_tap_offsets=True),
    ),
    Subject("convolution", "replicated border", _draw_replicated),
    Subject("convolution", "depthwise", lambda r: _draw_geometry(r, depthwise=True)),
    *(
        Subject("convolution", f"overflow {name}", partial(_draw_accumulation, overflow=name))
        for name in OVERFLOWS
    ),
    Subject("transposed_convolution", "strides 1 to 4", _draw_transposed_convolution),
    Subject("add", "any widths", _draw_add),
    Subject("add", "operands rounded first", lambda r: _draw_add_with(r, random_rounded_add)),
    Subject("add", "sums in float32", lambda r: _draw_add_with(r, random_fused_add)),
    Subject("multiply", "by value, pixel, channel", _draw_multiply),
    Subject("requantize", "any widths", _draw_requantize),
    Subject("requantize", "sums of 40 bits", _draw_requantized_sums),
    Subject("prelu", "any widths", _draw_prelu),
    Subject("lookup_table", "1 to 12 bits", _draw_lookup_table),
    Subject("concatenate", "1 to 4 maps", _draw_concatenate),
    Subject("pixel_shuffle", "dcr, factors 1 to 4", lambda r: _draw_pixel_shuffle(r, "dcr")),
    Subject("pixel_shuffle", "crd, factors 1 to 4", lambda r: _draw_pixel_shuffle(r, "crd")),
    Subject("nearest_resize", "factors 1 to 4", _draw_nearest_resize),
    Subject(
        "bilinear_resize",
        "half-pixel centers",
        lambda r: _draw_bilinear_resize(r, half_pixel_centers=True),
    ),
    Subject(
        "bilinear_resize", "corners", lambda r: _draw_bilinear_resize(r, half_pixel_centers=False)
    ),
    Subject("average_pool", "windows of 1 to 4", _draw_average_pool),
    *(
        Subject("statistics", name, partial(_draw_statistics, statistic=name))
        for name in STATISTICS
    ),
    *(
        Subject("normalization", name, partial(draw_normalization, is_centred=is_centred))
        for name, is_centred in (("means", True), ("no means", False))
    ),
    Subject("encode", "1 to 8 bits", draw_encode),
    *(
        Subject("scaled_convolution", name, partial(draw_scaled_convolution, is_centred=is_centred))
        for name, is_centred in (("means", True), ("no means", False))
    ),
)
"""Every operator, in every variant that is computed in a way of its own."""
