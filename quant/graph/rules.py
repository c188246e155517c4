"""What each operator demands of its constants and of its operands' types."""

from collections.abc import Callable

import numpy as np

from quant.graph.addition_rules import verify_add
from quant.graph.convolution_rules import (
    verify_convolution,
    verify_scaled_convolution,
    verify_transposed_convolution,
)
from quant.graph.graph import Node
from quant.graph.operators import (
    RESIZE_FRACTION_BITS,
    SHUFFLE_ORDERS,
    STATISTICS,
    Add,
    AveragePool,
    BilinearResize,
    Concatenate,
    Convolution,
    Encode,
    Input,
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
    TransposedConvolution,
)
from quant.graph.requantization_rules import (
    MULTIPLIER_BITS,
    broken,
    verify_dtype,
    verify_requantization,
    verify_vector,
)
from quant.graph.rule_parts import (
    Operands,
    verify_biases,
    verify_members,
    verify_narrow,
    verify_positive,
    verify_same_channels,
    verify_same_codes,
)
from quant.graph.run_time_scaling_rules import (
    SUMS,
    summary_channels,
    verify_encode,
    verify_normalization,
)
from quant.graph.types import MAXIMUM_BITS


def _verify_input(node: Node, operands: Operands) -> None:
    """An input has nothing but its type."""


def _verify_multiply(node: Node, operands: Operands) -> None:
    multiply = node.operator
    assert isinstance(multiply, Multiply)
    ifm, factor = operands
    verify_same_channels(node, ifm)
    verify_narrow(node, factor)
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
    verify_biases(node, requantize.bias)
    largest = operand.integer.magnitude + int(np.abs(requantize.bias).max())
    verify_requantization(node, requantize.requantization, largest)


def _verify_prelu(node: Node, operands: Operands) -> None:
    prelu = node.operator
    assert isinstance(prelu, ParametricRelu)
    (operand,) = operands
    verify_same_channels(node, operand)
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
    verify_same_channels(node, operand)
    entries = operand.integer.high - operand.integer.low + 1
    if lookup.table.shape not in ((1, entries), (operand.channels, entries)):
        raise broken(
            node, f"1 or {operand.channels} tables of {entries} entries", str(lookup.table.shape)
        )
    verify_dtype(node, "entries", lookup.table)
    verify_members(node, "entries", lookup.table, node.output.integer)


def _verify_concatenate(node: Node, operands: Operands) -> None:
    assert isinstance(node.operator, Concatenate)
    channels = sum(operand.channels for operand in operands)
    if channels != node.output.channels:
        raise broken(node, f"{node.output.channels} channels in all", str(channels))
    for operand in operands:
        verify_same_codes(node, operand)


def _verify_pixel_shuffle(node: Node, operands: Operands) -> None:
    shuffle = node.operator
    assert isinstance(shuffle, PixelShuffle)
    (operand,) = operands
    verify_positive(node, "factors", (shuffle.factor,))
    if shuffle.order not in SHUFFLE_ORDERS:
        raise broken(node, f"an order among {', '.join(SHUFFLE_ORDERS)}", f"'{shuffle.order}'")
    if operand.channels != node.output.channels * shuffle.factor**2:
        raise broken(
            node,
            f"{node.output.channels * shuffle.factor**2} input channels",
            str(operand.channels),
        )
    verify_same_codes(node, operand)


def _verify_nearest_resize(node: Node, operands: Operands) -> None:
    resize = node.operator
    assert isinstance(resize, NearestResize)
    (operand,) = operands
    verify_positive(node, "factors", (resize.factor,))
    verify_same_channels(node, operand)
    verify_same_codes(node, operand)


def _verify_bilinear_resize(node: Node, operands: Operands) -> None:
    resize = node.operator
    assert isinstance(resize, BilinearResize)
    (operand,) = operands
    verify_positive(node, "factors", (resize.factor,))
    verify_same_channels(node, operand)
    largest = (operand.integer.magnitude << 2 * RESIZE_FRACTION_BITS) + abs(resize.bias)
    verify_requantization(node, resize.requantization, largest)


def _verify_average_pool(node: Node, operands: Operands) -> None:
    pool = node.operator
    assert isinstance(pool, AveragePool)
    (operand,) = operands
    verify_positive(node, "kernel sides", pool.kernel)
    verify_positive(node, "strides", pool.stride)
    verify_same_channels(node, operand)
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
        verify_narrow(node, operand)
        if node.output.channels != summary_channels(operand.channels):
            wanted = f"{summary_channels(operand.channels)} output channels"
            raise broken(node, wanted, str(node.output.channels))
    else:
        verify_same_channels(node, operand)
    if statistics.statistic not in ("sum", "summary"):
        verify_same_codes(node, operand)
    elif node.output.integer != SUMS:
        raise broken(node, f"{SUMS} sums", str(node.output.integer))


RULES: dict[type[Operator], Callable[[Node, Operands], None]] = {
    Input: _verify_input,
    Convolution: verify_convolution,
    TransposedConvolution: verify_transposed_convolution,
    Add: verify_add,
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
    ScaledConvolution: verify_scaled_convolution,
}
"""What is checked of each kind of operator, given its operands' types."""
