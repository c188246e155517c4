"""What an engine's file can say of a node, checked: the engine must derive the node's integers."""

from dataclasses import fields, is_dataclass

import numpy as np

from quant.graph import Add, Convolution, Node, Requantization, Requantize, TensorType
from quant.graph.operators import Integers
from quant.graph.requantization_rules import broken
from quant.interchange.derivation import (
    ADDITIONS,
    WEIGHT_TYPE,
    Clamp,
    Singles,
    rescale,
    scale_quotient,
    whole_range,
    zero_point,
)
from quant.interchange.recovery import weight_scales

_CODE_BITS = 8
_BIAS_BITS = 32


def check_tensor(node: Node) -> None:
    """Make sure that a node's feature map is one of 8-bit codes with one zero point.

    Raises:
        GraphError: it is not.
    """
    output = node.output
    if output.integer.bits != _CODE_BITS or not output.integer.is_consecutive:
        raise broken(node, "s8 or u8 codes, the engine's", str(output.integer))
    if len(set(output.encoding.zero_point)) > 1:
        raise broken(node, "one zero point for all channels", "one for each")


def engine_bias(node: Node, convolution: Convolution, source: TensorType) -> Integers:
    """The bias as engines have it, without the input's zero point: int64 [out_channels].

    Raises:
        GraphError: it is wider than theirs.
    """
    bias: Integers = convolution.bias + zero_point(source) * convolution.weight.sum(axis=(1, 2, 3))
    limit = 1 << (_BIAS_BITS - 1)
    if bias.min() < -limit or bias.max() >= limit:
        raise broken(node, f"biases of {_BIAS_BITS} bits", f"{bias.min()} to {bias.max()}")
    return bias


def engine_weight_scales(
    node: Node, convolution: Convolution, source: TensorType, convention: str
) -> Singles:
    """Float32 weight scales from which an engine derives this convolution's integers.

    Args:
        node: of the convolution, for messages.
        convolution: the operator.
        source: type of what it reads.
        convention: the engine's requantization mode.

    Raises:
        GraphError: there are none, or the engine has no such convolution.
    """
    given = convolution.requantization
    if given.rounding != convention:
        raise broken(node, f"the requantization mode {convention}", given.rounding)
    if given.zero_point_first:
        raise broken(node, "a zero point that is added behind the rounding", "one before it")
    if not WEIGHT_TYPE.contains(convolution.weight):
        raise broken(node, "weights of 8 signed bits", str(convolution.weight_type))
    if convolution.accumulator is not None:
        raise broken(node, "no accumulator of a declared width", str(convolution.accumulator))
    if convolution.tap_offset is not None:
        raise broken(node, "no offsets of taps inside the image", "some")
    padded = convolution.padding.rows or convolution.padding.columns
    if padded and convolution.border != "code":
        raise broken(node, "a border of pad codes, as engines have it", convolution.border)
    if padded and (convolution.pad_code != zero_point(source)).any():
        raise broken(node, f"the pad code {zero_point(source)}, the zero point", "another one")
    check_zero_point(node, given)
    scales = weight_scales(
        given, convolution.out_channels, source.encoding.scale, node.output.encoding.scale
    )
    if scales is None:
        raise broken(
            node,
            "multipliers that follow from float32 scales of weights, input and output",
            f"others for the scales {source.encoding.scale:.9g} and "
            f"{node.output.encoding.scale:.9g}",
        )
    return scales


def check_zero_point(node: Node, requantization: Requantization) -> None:
    """Make sure that a node adds the zero point its feature map has.

    Raises:
        GraphError: it does not.
    """
    if requantization.zero_point != zero_point(node.output):
        raise broken(
            node,
            f"the zero point {zero_point(node.output)} of its encoding",
            str(requantization.zero_point),
        )


def check_addition(node: Node, add: Add, operands: list[TensorType], convention: str) -> None:
    """Make sure that an engine derives this addition from the scales of its feature maps.

    Raises:
        GraphError: it derives another.
    """
    first, second = operands
    derived = ADDITIONS[convention](first, second, node.output, clamp(add.requantization))
    if not _same(add, derived):
        raise broken(node, f"an addition as {convention} derives it from the scales", "another")


def check_same_encoding(node: Node, operands: list[TensorType]) -> None:
    """Make sure that an operator which only moves codes finds and leaves one encoding.

    Raises:
        GraphError: it does not.
    """
    for operand in operands:
        if (operand.integer, operand.encoding) != (node.output.integer, node.output.encoding):
            raise broken(node, "one encoding for what it reads and writes", "several")


def check_rescale(node: Node, requantize: Requantize, source: TensorType) -> None:
    """Make sure that TensorFlow Lite's QUANTIZE computes this requantization.

    Raises:
        GraphError: it computes another.
    """
    factor = scale_quotient(source, node.output)
    if not _same(requantize, rescale(source, node.output, factor, whole_range(node.output))):
        raise broken(node, "a change of encoding as QUANTIZE derives it from the scales", "another")


def only_clamps(requantize: Requantize, source: TensorType, output: TensorType) -> bool:
    """Whether a change of encoding leaves codes as they are but for a clamp."""
    given = requantize.requantization
    return bool(
        (source.integer, source.encoding) == (output.integer, output.encoding)
        and (given.multiplier == np.left_shift(1, given.shift)).all()
        and not (requantize.bias + given.zero_point).any()
    )


def has_relu(node: Node, requantization: Requantization) -> bool:
    """Whether a node's clamp is that of a ReLU; otherwise it is that of the type.

    Raises:
        GraphError: it is neither.
    """
    given, whole = clamp(requantization), whole_range(node.output)
    if given == whole:
        return False
    if given == (zero_point(node.output), whole[1]):
        return True
    raise broken(node, "the clamp of the type or of a ReLU", f"{given[0]} to {given[1]}")


def clamp(requantization: Requantization) -> Clamp:
    """Least and greatest code."""
    return requantization.low, requantization.high


def _same(one: object, other: object) -> bool:
    """Whether two operators hold the same constants."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, np.asarray(other))
    if is_dataclass(one):
        return type(one) is type(other) and all(
            _same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
        )
    return one == other
