"""What convolutions of each kind demand of their constants and of their operands' types."""

import numpy as np

from quant.common.accumulators import LEAST_BITS, MOST_BITS, OVERFLOWS
from quant.graph.graph import Node
from quant.graph.operators import (
    BORDERS,
    Convolution,
    Integers,
    ScaledConvolution,
    TransposedConvolution,
)
from quant.graph.requantization_rules import (
    broken,
    verify_dtype,
    verify_requantization,
)
from quant.graph.rule_parts import (
    Operands,
    verify_biases,
    verify_members,
    verify_narrow,
    verify_positive,
)
from quant.graph.run_time_scaling_rules import (
    largest_scaled_sum,
    verify_points,
)
from quant.graph.types import IntegerType, TensorType


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


def verify_convolution(node: Node, operands: Operands) -> None:
    """Raises: GraphError: constants and operand of the node do not fit each other."""
    convolution = node.operator
    assert isinstance(convolution, Convolution)
    (ifm,) = operands
    for what, sides in (("strides", convolution.stride), ("dilations", convolution.dilation)):
        verify_positive(node, what, sides)
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


def verify_scaled_convolution(node: Node, operands: Operands) -> None:
    """Raises: GraphError: constants and operand of the node do not fit each other."""
    convolution = node.operator
    assert isinstance(convolution, ScaledConvolution)
    for what, sides in (("strides", convolution.stride), ("dilations", convolution.dilation)):
        verify_positive(node, what, sides)
    _verify_kernel(node, convolution, operands[0])
    verify_points(node, operands)
    verify_requantization(node, convolution.requantization, largest_scaled_sum(convolution))


def _verify_tap_offset(node: Node, convolution: Convolution, offset: Integers) -> None:
    """Stored like biases; what would overflow first is not defined with them."""
    expected = convolution.out_channels, *convolution.kernel
    if offset.shape != expected:
        raise broken(node, f"tap offsets of the shape {expected}", str(offset.shape))
    verify_dtype(node, "tap_offset", offset)
    verify_biases(node, offset)
    if convolution.border != "code":
        raise broken(node, "a border of pad codes beside tap offsets", convolution.border)
    if convolution.accumulator is not None:
        raise broken(node, "no declared accumulator beside tap offsets", "both")


def verify_transposed_convolution(node: Node, operands: Operands) -> None:
    """Raises: GraphError: constants and operand of the node do not fit each other."""
    convolution = node.operator
    assert isinstance(convolution, TransposedConvolution)
    (ifm,) = operands
    _verify_kernel(node, convolution, ifm)
    verify_positive(node, "strides", convolution.stride)
    largest = _largest_sum(convolution.weight, convolution.bias, ifm.integer)
    verify_requantization(node, convolution.requantization, largest)


def _verify_kernel(
    node: Node, convolution: Convolution | TransposedConvolution, ifm: TensorType
) -> None:
    """Weights, biases and padding of either kind of convolution."""
    _verify_kernel_shapes(node, convolution, ifm)
    verify_members(node, "weights", convolution.weight, convolution.weight_type)
    verify_members(node, "pad codes", convolution.pad_code, ifm.integer)
    verify_biases(node, convolution.bias)
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
    verify_narrow(node, ifm)
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
