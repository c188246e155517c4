"""What each operator demands of its constants and of its operands' types."""

from collections.abc import Callable, Sequence

import numpy as np

from quant.common.accumulators import LEAST_BITS, MOST_BITS, OVERFLOWS
from quant.common.requantization_modes import FLOAT32_MAGNITUDE, LARGEST_RATIO, ONE_FLOAT32
from quant.graph.graph import Node
from quant.graph.operators import (
    BORDERS,
    RESIZE_FRACTION_BITS,
    SHUFFLE_ORDERS,
    STATISTICS,
    Add,
    AveragePool,
    BilinearResize,
    Concatenate,
    Convolution,
    Encode,
    FusedTerms,
    Input,
    Integers,
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
    TermRounding,
    TransposedConvolution,
)
from quant.graph.requantization_rules import (
    MAXIMUM_SHIFT,
    MULTIPLIER_BITS,
    broken,
    verify_dtype,
    verify_requantization,
    verify_vector,
)
from quant.graph.run_time_scaling_rules import (
    SUMS,
    largest_scaled_sum,
    summary_channels,
    verify_encode,
    verify_normalization,
    verify_points,
)
from quant.graph.types import MAXIMUM_BITS, IntegerType, TensorType

TERM_SHIFT = 31
"""Of an operand that an addition rounds, at least: its multiplier is a fraction of 1."""
BIAS_BITS = 40
"""Stored width of a bias: the 40-bit bias of a 10-byte parameter record, as in Arm Ethos-U."""

Operands = Sequence[TensorType]


def sum_bits(
    weight: Integers, bias: Integers, codes: IntegerType, tap_offset: Integers | None = None
) -> int:
    """Signed bits that hold every partial sum of these weights with any codes of a type.

    The bound is max over output channels of Σ|weight|·max|code| + |bias| + Σ|tap_offset|.

    Args:
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels].
        bias: int64 [out_channels].
        codes: type of the feature map that is read.
        tap_offset: int64 [out_channels, kernel_height, kernel_width], or None.
    """
    return _largest_sum(weight, bias, codes, tap_offset).bit_length() + 1


def _largest_sum(
    weight: Integers, bias: Integers, codes: IntegerType, tap_offset: Integers | None = None
) -> int:
    largest = np.abs(weight).sum(axis=(1, 2, 3)) * codes.magnitude + np.abs(bias)
    if tap_offset is not None:
        largest += np.abs(tap_offset).sum(axis=(1, 2))
    return int(largest.max())


def _verify_input(node: Node, operands: Operands) -> None:
    """An input has nothing but its type."""


def _verify_convolution(node: Node, operands: Operands) -> None:
    convolution = node.operator
    assert isinstance(convolution, Convolution)
    (ifm,) = operands
    for what, sides in (("strides", convolution.stride), ("dilations", convolution.dilation)):
        _verify_positive(node, what, sides)
    _verify_kernel(node, convolution, ifm)
    if convolution.groups < 1 or convolution.out_channels % convolution.groups:
        raise broken(
            node,
            f"groups that divide {convolution.out_channels} output channels",
            str(convolution.groups),
        )
    if convolution.border not in BORDERS:
        raise broken(node, f"a border among {', '.join(BORDERS)}", f"'{convolution.border}'")
    offset, accumulator = convolution.tap_offset, convolution.accumulator
    if offset is not None:
        _verify_tap_offset(node, convolution, offset)
    largest = _largest_sum(convolution.weight, convolution.bias, ifm.integer, offset)
    if accumulator is not None:
        if not LEAST_BITS <= accumulator.bits <= MOST_BITS:
            raise broken(
                node, f"an accumulator of {LEAST_BITS} to {MOST_BITS} bits", str(accumulator.bits)
            )
        if accumulator.overflow not in OVERFLOWS:
            raise broken(node, f"an overflow among {', '.join(OVERFLOWS)}", accumulator.overflow)
        largest = min(largest, -accumulator.low)
    verify_requantization(node, convolution.requantization, largest)


def _verify_scaled_convolution(node: Node, operands: Operands) -> None:
    convolution = node.operator
    assert isinstance(convolution, ScaledConvolution)
    for what, sides in (("strides", convolution.stride), ("dilations", convolution.dilation)):
        _verify_positive(node, what, sides)
    _verify_kernel(node, convolution, operands[0])
    verify_points(node, operands)
    verify_requantization(node, convolution.requantization, largest_scaled_sum(convolution))


def _verify_tap_offset(node: Node, convolution: Convolution, offset: Integers) -> None:
    """Stored like biases; what would overflow first is not defined with them."""
    expected = convolution.out_channels, *convolution.kernel
    if offset.shape != expected:
        raise broken(node, f"tap offsets of the shape {expected}", str(offset.shape))
    verify_dtype(node, "tap_offset", offset)
    _verify_biases(node, offset)
    if convolution.border != "code":
        raise broken(node, "a border of pad codes beside tap offsets", convolution.border)
    if convolution.accumulator is not None:
        raise broken(node, "no declared accumulator beside tap offsets", "both")


def _verify_transposed_convolution(node: Node, operands: Operands) -> None:
    convolution = node.operator
    assert isinstance(convolution, TransposedConvolution)
    (ifm,) = operands
    _verify_kernel(node, convolution, ifm)
    _verify_positive(node, "strides", convolution.stride)
    largest = _largest_sum(convolution.weight, convolution.bias, ifm.integer)
    verify_requantization(node, convolution.requantization, largest)


def _verify_kernel(
    node: Node, convolution: Convolution | TransposedConvolution, ifm: TensorType
) -> None:
    """Weights, biases and padding of either kind of convolution."""
    _verify_kernel_shapes(node, convolution, ifm)
    _verify_members(node, "weights", convolution.weight, convolution.weight_type)
    _verify_members(node, "pad codes", convolution.pad_code, ifm.integer)
    _verify_biases(node, convolution.bias)
    padding, window = convolution.padding, convolution.window
    for sides, reach in (
        ((padding.top, padding.bottom), window[0]),
        ((padding.left, padding.right), window[1]),
    ):
        for side in sides:
            if not 0 <= side < reach:
                raise broken(node, f"padding from 0 to {reach - 1}", str(side))


def _verify_kernel_shapes(
    node: Node, convolution: Convolution | TransposedConvolution, ifm: TensorType
) -> None:
    _verify_narrow(node, ifm)
    if convolution.weight.ndim != 4 or convolution.weight.size == 0:
        raise broken(node, "a weight of four dimensions", str(convolution.weight.shape))
    if convolution.in_channels != ifm.channels:
        raise broken(node, f"{convolution.in_channels} input channels", str(ifm.channels))
    if convolution.out_channels != node.output.channels:
        raise broken(node, f"{convolution.out_channels} output channels", str(node.output.channels))
    if convolution.bias.shape != (convolution.out_channels,):
        raise broken(node, f"{convolution.out_channels} biases", str(convolution.bias.shape))
    if convolution.pad_code.shape not in ((1,), (ifm.channels,)):
        raise broken(node, f"1 or {ifm.channels} pad codes", str(convolution.pad_code.shape))
    for what in ("weight", "bias", "pad_code"):
        verify_dtype(node, what, getattr(convolution, what))


def _verify_add(node: Node, operands: Operands) -> None:
    add = node.operator
    assert isinstance(add, Add)
    for operand in operands:
        _verify_same_channels(node, operand)
    if isinstance(add.term_rounding, FusedTerms):
        _verify_fused(node, add, add.term_rounding)
        return
    for multiplier in add.multipliers:
        if multiplier < 0 or multiplier.bit_length() > MULTIPLIER_BITS:
            raise broken(node, f"multipliers of 0 to {MULTIPLIER_BITS} bits", str(multiplier))
    if add.term_rounding is None:
        largest = abs(add.bias) + sum(
            multiplier * operand.integer.magnitude
            for multiplier, operand in zip(add.multipliers, operands, strict=True)
        )
    else:
        largest = abs(add.bias) + _largest_rounded_terms(
            node, add.multipliers, add.term_rounding, operands
        )
    verify_requantization(node, add.requantization, largest)


def _verify_fused(node: Node, add: Add, terms: FusedTerms) -> None:
    """A sum formed in float32 is only rounded to a code; ratios and addend keep it finite."""
    largest = max(*add.multipliers, terms.addend & FLOAT32_MAGNITUDE)
    if min(add.multipliers) < 0 or largest > LARGEST_RATIO or not -(2**31) <= terms.addend < 2**31:
        raise broken(
            node,
            "float32 ratios of 0 to 2^32 and an addend of at most that",
            f"the bit patterns {add.multipliers[0]}, {add.multipliers[1]} and {terms.addend}",
        )
    if add.bias:
        raise broken(node, "no bias beside a float32 addend", str(add.bias))
    scaling = add.requantization
    verify_requantization(node, scaling, largest=0)
    given = (scaling.rounding, scaling.multiplier.tolist(), scaling.zero_point)
    if given != ("onnxruntime", [ONE_FLOAT32], 0):
        raise broken(
            node,
            f"the mode onnxruntime with the bit pattern {ONE_FLOAT32} and zero point 0 behind a "
            "float32 sum",
            f"{given[0]}, {given[1]} and {given[2]}",
        )


def _largest_rounded_terms(
    node: Node, multipliers: tuple[int, int], terms: TermRounding, operands: Operands
) -> int:
    """Bound of the sum of both rounded operands; two roundings add less than 2 to each."""
    for shift in terms.shifts:
        if not TERM_SHIFT <= shift <= MAXIMUM_SHIFT:
            raise broken(
                node, f"shifts of operands from {TERM_SHIFT} to {MAXIMUM_SHIFT}", str(shift)
            )
    if terms.left_shift < 0:
        raise broken(node, "a left shift of at least 0", str(terms.left_shift))
    largest = [
        (operand.integer.magnitude + abs(zero)) << min(terms.left_shift, 32)
        for operand, zero in zip(operands, terms.zero_points, strict=True)
    ]
    if max(largest) >= 2**31:
        raise broken(node, "widened operands of 32 bits", f"up to {max(largest)}")
    return sum(
        (widened * multiplier >> shift) + 2
        for widened, multiplier, shift in zip(largest, multipliers, terms.shifts, strict=True)
    )


def _verify_multiply(node: Node, operands: Operands) -> None:
    multiply = node.operator
    assert isinstance(multiply, Multiply)
    ifm, factor = operands
    _verify_same_channels(node, ifm)
    _verify_narrow(node, factor)
    if factor.channels not in (1, ifm.channels):
        raise broken(node, f"a factor of 1 or {ifm.channels} channels", str(factor.channels))
    reaches = [
        operand.integer.magnitude + abs(bias)
        for operand, bias in zip(operands, multiply.biases, strict=True)
    ]
    if max(reaches).bit_length() > MULTIPLIER_BITS:
        raise broken(node, f"biased operands of {MULTIPLIER_BITS} bits", f"up to {max(reaches)}")
    verify_requantization(node, multiply.requantization, reaches[0] * reaches[1])


def _verify_requantize(node: Node, operands: Operands) -> None:
    requantize = node.operator
    assert isinstance(requantize, Requantize)
    (operand,) = operands
    if operand.channels != node.output.channels:
        raise broken(node, f"{node.output.channels} channels", str(operand.channels))
    verify_vector(node, "biases", requantize.bias, operand.channels)
    _verify_biases(node, requantize.bias)
    largest = operand.integer.magnitude + int(np.abs(requantize.bias).max())
    verify_requantization(node, requantize.requantization, largest)


def _verify_prelu(node: Node, operands: Operands) -> None:
    prelu = node.operator
    assert isinstance(prelu, ParametricRelu)
    (operand,) = operands
    _verify_same_channels(node, operand)
    verify_vector(node, "slopes", prelu.slope, operand.channels)
    steepest = int(np.abs(prelu.slope).max())
    if steepest.bit_length() > MAXIMUM_BITS:
        raise broken(node, f"slopes of {MAXIMUM_BITS} bits", f"up to {steepest}")
    largest = operand.integer.magnitude + abs(prelu.bias)
    verify_requantization(node, prelu.positive, largest)
    verify_requantization(node, prelu.negative, largest * steepest)


def _verify_lookup_table(node: Node, operands: Operands) -> None:
    lookup = node.operator
    assert isinstance(lookup, LookupTable)
    (operand,) = operands
    _verify_same_channels(node, operand)
    entries = operand.integer.high - operand.integer.low + 1
    if lookup.table.shape not in ((1, entries), (operand.channels, entries)):
        raise broken(
            node, f"1 or {operand.channels} tables of {entries} entries", str(lookup.table.shape)
        )
    verify_dtype(node, "entries", lookup.table)
    _verify_members(node, "entries", lookup.table, node.output.integer)


def _verify_concatenate(node: Node, operands: Operands) -> None:
    assert isinstance(node.operator, Concatenate)
    channels = sum(operand.channels for operand in operands)
    if channels != node.output.channels:
        raise broken(node, f"{node.output.channels} channels in all", str(channels))
    for operand in operands:
        _verify_same_codes(node, operand)


def _verify_pixel_shuffle(node: Node, operands: Operands) -> None:
    shuffle = node.operator
    assert isinstance(shuffle, PixelShuffle)
    (operand,) = operands
    _verify_positive(node, "factors", (shuffle.factor,))
    if shuffle.order not in SHUFFLE_ORDERS:
        raise broken(node, f"an order among {', '.join(SHUFFLE_ORDERS)}", f"'{shuffle.order}'")
    if operand.channels != node.output.channels * shuffle.factor**2:
        raise broken(
            node,
            f"{node.output.channels * shuffle.factor**2} input channels",
            str(operand.channels),
        )
    _verify_same_codes(node, operand)


def _verify_nearest_resize(node: Node, operands: Operands) -> None:
    resize = node.operator
    assert isinstance(resize, NearestResize)
    (operand,) = operands
    _verify_positive(node, "factors", (resize.factor,))
    _verify_same_channels(node, operand)
    _verify_same_codes(node, operand)


def _verify_bilinear_resize(node: Node, operands: Operands) -> None:
    resize = node.operator
    assert isinstance(resize, BilinearResize)
    (operand,) = operands
    _verify_positive(node, "factors", (resize.factor,))
    _verify_same_channels(node, operand)
    largest = (operand.integer.magnitude << 2 * RESIZE_FRACTION_BITS) + abs(resize.bias)
    verify_requantization(node, resize.requantization, largest)


def _verify_average_pool(node: Node, operands: Operands) -> None:
    pool = node.operator
    assert isinstance(pool, AveragePool)
    (operand,) = operands
    _verify_positive(node, "kernel sides", pool.kernel)
    _verify_positive(node, "strides", pool.stride)
    _verify_same_channels(node, operand)
    largest = operand.integer.magnitude * pool.kernel[0] * pool.kernel[1] + abs(pool.bias)
    verify_requantization(node, pool.requantization, largest)


def _verify_statistics(node: Node, operands: Operands) -> None:
    statistics = node.operator
    assert isinstance(statistics, Statistics)
    (operand,) = operands
    if statistics.statistic not in STATISTICS:
        raise broken(
            node, f"a statistic among {', '.join(STATISTICS)}", f"'{statistics.statistic}'"
        )
    if statistics.statistic == "summary":
        _verify_narrow(node, operand)
        if node.output.channels != summary_channels(operand.channels):
            wanted = f"{summary_channels(operand.channels)} output channels"
            raise broken(node, wanted, str(node.output.channels))
    else:
        _verify_same_channels(node, operand)
    if statistics.statistic not in ("sum", "summary"):
        _verify_same_codes(node, operand)
    elif node.output.integer != SUMS:
        raise broken(node, f"{SUMS} sums", str(node.output.integer))


def _verify_biases(node: Node, bias: Integers) -> None:
    smallest, largest = int(bias.min()), int(bias.max())
    if max(-smallest - 1, largest).bit_length() >= BIAS_BITS:
        raise broken(node, f"biases of {BIAS_BITS} signed bits", f"{smallest} to {largest}")


def _verify_positive(node: Node, what: str, values: tuple[int, ...]) -> None:
    for value in values:
        if value < 1:
            raise broken(node, f"{what} of at least 1", str(value))


def _verify_narrow(node: Node, operand: TensorType) -> None:
    """Only a requantization reads the wide sums of statistics."""
    if operand.integer.bits > MAXIMUM_BITS:
        raise broken(node, f"codes of at most {MAXIMUM_BITS} bits", str(operand.integer))


def _verify_same_channels(node: Node, operand: TensorType) -> None:
    _verify_narrow(node, operand)
    if operand.channels != node.output.channels:
        raise broken(node, f"{node.output.channels} channels", str(operand.channels))


def _verify_same_codes(node: Node, operand: TensorType) -> None:
    if operand.integer != node.output.integer:
        raise broken(node, f"{operand.integer} output codes", str(node.output.integer))


def _verify_members(node: Node, what: str, values: Integers, integer: IntegerType) -> None:
    low, high = int(values.min()), int(values.max())
    if low < integer.low or high > integer.high:
        raise broken(
            node, f"{what} of {integer} ({integer.low} to {integer.high})", f"{low} to {high}"
        )
    if not integer.contains(values):
        raise broken(node, f"{what} of {integer}", "another integer among them")


RULES: dict[type[Operator], Callable[[Node, Operands], None]] = {
    Input: _verify_input,
    Convolution: _verify_convolution,
    TransposedConvolution: _verify_transposed_convolution,
    Add: _verify_add,
    Multiply: _verify_multiply,
    Requantize: _verify_requantize,
    ParametricRelu: _verify_prelu,
    LookupTable: _verify_lookup_table,
    Concatenate: _verify_concatenate,
    PixelShuffle: _verify_pixel_shuffle,
    NearestResize: _verify_nearest_resize,
    BilinearResize: _verify_bilinear_resize,
    AveragePool: _verify_average_pool,
    Statistics: _verify_statistics,
    Normalization: verify_normalization,
    Encode: verify_encode,
    ScaledConvolution: _verify_scaled_convolution,
}
"""What is checked of each kind of operator, given its operands' types."""
