"""ONNX's operators on codes: each has the scales and zero points of what it reads and makes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from quant.common.errors import UnsupportedError
from quant.interchange.onnx_emission import emit
from quant.interchange.onnx_functions import FUNCTIONS, of_channels
from quant.interchange.onnx_model import ModelNode
from quant.interchange.onnx_operands import (
    centred,
    code_quantizer,
    constant,
    given,
    is_map,
    scales,
    value,
)
from quant.interchange.onnx_values import Codes, Pending, Quantizer, Real, RealConstant, Value

if TYPE_CHECKING:
    from quant.interchange.onnx_reader import Reader

_MICROSOFT = "com.microsoft"


def _operand(reader: "Reader", node: ModelNode, position: int, scale: int, zero: int) -> Real:
    """Codes at a position as the real numbers that the operator says they are."""
    found = value(reader, node, position)
    if not isinstance(found, Codes) or found.channels_last:
        raise UnsupportedError(f"input {position} is no feature map of codes, channels first")
    tensor = _quantizer(reader, node, scale, zero).tensor(found.tensor.channels)
    if tensor.integer != found.tensor.integer:
        raise UnsupportedError(f"a zero point of {tensor.integer} for {found.tensor.integer}")
    return Real(found.node, tensor)


def _quantizer(reader: "Reader", node: ModelNode, scale: int, zero: int) -> Quantizer:
    if not given(node, zero):
        # Types of codes without a zero point are those of the feature map read.
        found = value(reader, node, 0)
        element = "int8" if isinstance(found, Codes) and found.tensor.integer.low else "uint8"
        return code_quantizer(reader, node, scale, zero, element)
    return code_quantizer(reader, node, scale, zero)


def _convolution(reader: "Reader", node: ModelNode) -> Value:
    source = _operand(reader, node, 0, 1, 2)
    codes = constant(reader, node, 3)
    if codes is None or codes.ndim != 4:
        raise UnsupportedError("weights that are no constants of four axes")
    weight = centred(codes, scales(reader, node, 4), constant(reader, node, 5), axis=0)
    bias = constant(reader, node, 8)
    if bias is not None and (bias.dtype != np.int32 or bias.size != len(codes)):
        raise UnsupportedError("biases other than of 32 bits for each channel")
    steps = None if bias is None else centred(bias, np.ones(1, np.float32), None, 0)
    pending = Pending("Conv", node, (source, weight, steps), len(codes))
    return emit(reader, pending, _quantizer(reader, node, 6, 7), node.name)


def _binary(kind: str) -> Callable[["Reader", ModelNode], Value]:
    def read(reader: "Reader", node: ModelNode) -> Value:
        places = [position for position in (0, 3) if is_map(value(reader, node, position))]
        operands = [_operand(reader, node, place, place + 1, place + 2) for place in places]
        channels = [operand.tensor.channels for operand in operands]
        if not operands:
            raise UnsupportedError("of no feature map")
        target = _quantizer(reader, node, 6, 7)
        if len(operands) == 1:
            constant = _constant(reader, node, 3 - places[0])
            pending = Pending(kind, node, (operands[0], constant), channels[0])
            return emit(reader, pending, target, node.name)
        if kind == "Mul" and channels[0] == 1 < channels[-1]:
            operands, channels = operands[::-1], channels[::-1]
        if kind == "Add" and channels[0] != channels[1]:
            raise UnsupportedError(f"of {channels[0]} and {channels[1]} channels")
        pending = Pending(kind, node, tuple(operands), channels[0])
        return emit(reader, pending, target, node.name)

    return read


def _constant(reader: "Reader", node: ModelNode, position: int) -> RealConstant:
    """Codes of a constant at a position, its scale and zero point behind it."""
    codes, step = constant(reader, node, position), scales(reader, node, position + 1)
    if codes is None or step.size != 1:
        raise UnsupportedError(f"a constant with scales of its channels as input {position}")
    found = centred(codes, step, constant(reader, node, position + 2), axis=0)
    of_channels(found.integers)
    return found


def _concatenation(reader: "Reader", node: ModelNode) -> Value:
    if node.attributes.get("axis") not in (1, -3):
        raise UnsupportedError(f"along axis {node.attributes.get('axis')}")
    places = range(2, len(node.inputs), 3)
    operands = tuple(_operand(reader, node, place, place + 1, place + 2) for place in places)
    channels = sum(operand.tensor.channels for operand in operands)
    pending = Pending("Concat", node, operands, channels)
    return emit(reader, pending, code_quantizer(reader, node, 0, 1), node.name)


def _function(reader: "Reader", node: ModelNode) -> Value:
    """A function of each value, which the runtime tabulates too."""
    step = FUNCTIONS[node.operator.removeprefix("QLinear")](node.attributes)
    source = _operand(reader, node, 0, 1, 2)
    pending = Pending("Copy", node, (source,), source.tensor.channels, steps=(step,))
    return emit(reader, pending, _quantizer(reader, node, 3, 4), node.name)


def _pool(reader: "Reader", node: ModelNode) -> Value:
    if node.attributes.get("channels_last", 0):
        raise UnsupportedError("channels last")
    source = _operand(reader, node, 0, 1, 2)
    pending = Pending("AveragePool", node, (source,), source.tensor.channels)
    return emit(reader, pending, _quantizer(reader, node, 3, 4), node.name)


QLINEAR: dict[str, Callable[["Reader", ModelNode], Value]] = {
    "QLinearConv": _convolution,
    f"{_MICROSOFT}.QLinearConv": _convolution,
    f"{_MICROSOFT}.QLinearAdd": _binary("Add"),
    f"{_MICROSOFT}.QLinearMul": _binary("Mul"),
    f"{_MICROSOFT}.QLinearConcat": _concatenation,
    f"{_MICROSOFT}.QLinearLeakyRelu": _function,
    f"{_MICROSOFT}.QLinearSigmoid": _function,
    f"{_MICROSOFT}.QLinearAveragePool": _pool,
}
