"""What each operator of a quantized ONNX model makes of the tensors it reads."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from quant.common.errors import UnsupportedError
from quant.interchange.onnx_functions import FUNCTIONS, of_channels
from quant.interchange.onnx_geometry import limits
from quant.interchange.onnx_model import ModelNode
from quant.interchange.onnx_moves import MOVES
from quant.interchange.onnx_operands import constant, given, given_constant, is_map, real_map, value
from quant.interchange.onnx_quantizers import QUANTIZERS
from quant.interchange.onnx_values import (
    UNCLAMPED,
    Clamp,
    Doubles,
    Pending,
    Pointwise,
    Real,
    RealConstant,
    Value,
)
from quant.interchange.qlinear_operators import QLINEAR

if TYPE_CHECKING:
    from quant.interchange.onnx_reader import Reader

Read = Callable[["Reader", ModelNode], "Value | tuple[Value, ...]"]


def _convolution(reader: "Reader", node: ModelNode) -> Value:
    source, weight = real_map(reader, node), value(reader, node, 1)
    if not isinstance(weight, RealConstant) or weight.integers.ndim != 4:
        raise UnsupportedError("weights that are not quantized constants of four axes")
    turned = node.operator == "ConvTranspose"
    along = 1 if turned else 0
    if weight.scale.size > 1 and weight.axis != along:
        raise UnsupportedError(f"weights with scales along axis {weight.axis}")
    bias: Value | None = value(reader, node, 2) if given(node, 2) else None
    channels = weight.integers.shape[along]
    if bias is not None:
        if not isinstance(bias, RealConstant | np.ndarray):
            raise UnsupportedError("a bias that is no constant")
        count = bias.integers.size if isinstance(bias, RealConstant) else bias.size
        if count != channels:
            raise UnsupportedError(f"{count} biases for {channels} channels")
    return Pending(node.operator, node, (source, weight, bias), channels)


def pointwise(step: Pointwise) -> Callable[[Value, ModelNode], Pending]:
    """A function applied to a feature map of real numbers that is a copy of codes."""

    def apply(found: Value, node: ModelNode) -> Pending:
        pending = _as_copy(found, node)
        if pending.kind != "Copy":
            raise UnsupportedError("behind an operator whose result is not quantized")
        return replace(pending, steps=(*pending.steps, *_clamped(pending), step), clamp=UNCLAMPED)

    return apply


def _as_copy(found: Value, node: ModelNode) -> Pending:
    if isinstance(found, Pending):
        return found
    if not isinstance(found, Real) or found.padding.rows or found.padding.columns:
        raise UnsupportedError("an operand that is not quantized")
    return Pending("Copy", node, (found,), found.tensor.channels)


def _clamped(pending: Pending) -> tuple[Pointwise, ...]:
    """A clamp as a function, where another function follows it."""
    if pending.clamp == UNCLAMPED:
        return ()
    low, high = (np.float32(limit) for limit in pending.clamp)
    return (lambda real: np.clip(real, low, high),)


def _function(reader: "Reader", node: ModelNode) -> Value:
    return pointwise(FUNCTIONS[node.operator](node.attributes))(value(reader, node, 0), node)


def _prelu(reader: "Reader", node: ModelNode) -> Value:
    steep = of_channels(given_constant(reader, node, 1)).astype(np.float32)[:, None]
    return pointwise(lambda real: np.where(real < 0, steep * real, real))(
        value(reader, node, 0), node
    )


def _limited(clamp: Clamp) -> Read:
    return lambda reader, node: _with_clamp(value(reader, node, 0), node, clamp)


def _clip(reader: "Reader", node: ModelNode) -> Value:
    bounds = [constant(reader, node, position) for position in (1, 2)]
    return _with_clamp(value(reader, node, 0), node, limits(bounds))


def _with_clamp(found: Value, node: ModelNode, clamp: Clamp) -> Pending:
    pending = _as_copy(found, node)
    low, high = np.clip(pending.clamp, *clamp)
    return replace(pending, clamp=(float(low), float(high)))


_FLOATS: dict[str, Callable[[Any, Any], Any]] = {
    "Add": lambda real, other: real + other,
    "Sub": lambda real, other: real - other,
    "Mul": lambda real, other: real * other,
    "Div": lambda real, other: real / other,
}


def _arithmetic(reader: "Reader", node: ModelNode) -> Value:
    first, second = value(reader, node, 0), value(reader, node, 1)
    if is_map(first) and is_map(second):
        return _of_two_maps(reader, node)
    of_codes = _with_codes(node, first, second)
    if of_codes is not None:
        return of_codes
    numbers = of_channels(given_constant(reader, node, 1 if is_map(first) else 0))
    if not is_map(first) and node.operator in ("Sub", "Div"):
        raise UnsupportedError("a constant less or divided by a feature map")
    found = first if is_map(first) else second
    if isinstance(found, Pending) and found.kind != "Copy":
        return _with_affine(found, *_affine(node.operator, numbers.astype(np.float64)))
    single = numbers.astype(np.float32)[:, None]
    apply = _FLOATS[node.operator]
    return pointwise(lambda real: apply(real, single))(found, node)


def _with_codes(node: ModelNode, first: Value, second: Value) -> Pending | None:
    """A sum or product of a feature map and a constant in codes, both as they are."""
    if isinstance(second, Real):
        first, second = second, first
    match first, second:
        case Real() as source, RealConstant() as constant if node.operator in ("Add", "Mul"):
            if constant.scale.size == 1 and not (source.padding.rows or source.padding.columns):
                of_channels(constant.integers)
                return Pending(node.operator, node, (source, constant), source.tensor.channels)
    return None


def _of_two_maps(reader: "Reader", node: ModelNode) -> Value:
    if node.operator not in ("Add", "Mul"):
        raise UnsupportedError("of two feature maps")
    operands = tuple(real_map(reader, node, position) for position in (0, 1))
    channels = [operand.tensor.channels for operand in operands]
    if node.operator == "Mul" and channels[0] == 1 < channels[1]:
        operands, channels = operands[::-1], channels[::-1]
    if node.operator == "Add" and channels[0] != channels[1]:
        raise UnsupportedError(f"of {channels[0]} and {channels[1]} channels")
    return Pending(node.operator, node, operands, channels[0])


def _affine(operator: str, numbers: Doubles) -> tuple[Doubles, Doubles]:
    """Scale and offset of an arithmetic operator with a constant."""
    one, nothing = np.ones(1), np.zeros(1)
    with np.errstate(divide="ignore"):
        return {
            "Add": (one, numbers),
            "Sub": (one, -numbers),
            "Mul": (numbers, nothing),
            "Div": (1 / numbers, nothing),
        }[operator]


def _with_affine(pending: Pending, scale: Doubles, offset: Doubles) -> Pending:
    if pending.kind not in ("Conv", "ConvTranspose") or pending.clamp != UNCLAMPED or pending.moves:
        raise UnsupportedError("behind an operator whose result is not quantized")
    if not (np.isfinite(scale).all() and np.isfinite(offset).all()):
        raise UnsupportedError("constants that are no finite numbers")
    if any(numbers.size not in (1, pending.channels) for numbers in (scale, offset)):
        raise UnsupportedError("constants of another number of channels")
    return replace(pending, scale=pending.scale * scale, offset=pending.offset * scale + offset)


def _normalization(reader: "Reader", node: ModelNode) -> Value:
    if node.attributes.get("training_mode", 0):
        raise UnsupportedError("in training mode")
    gain, bias, mean, variance = (
        given_constant(reader, node, position).astype(np.float64).reshape(-1)
        for position in range(1, 5)
    )
    if len({numbers.size for numbers in (gain, bias, mean, variance)}) > 1:
        raise UnsupportedError("statistics of different numbers of channels")
    epsilon = node.attributes.get("epsilon", 1e-5)
    scale = gain / np.sqrt(variance + float(epsilon))  # type: ignore[arg-type]
    offset = bias - mean * scale
    found = value(reader, node, 0)
    if isinstance(found, Pending) and found.kind != "Copy":
        return _with_affine(found, scale, offset)
    factors, added = (n.astype(np.float32)[:, None] for n in (scale, offset))
    return pointwise(lambda real: real * factors + added)(found, node)


def _pool(reader: "Reader", node: ModelNode) -> Value:
    source = real_map(reader, node)
    return Pending("AveragePool", node, (source,), source.tensor.channels)


def _same(reader: "Reader", node: ModelNode) -> Value:
    return value(reader, node, 0)


READERS: dict[str, Read] = {
    "Conv": _convolution,
    "ConvTranspose": _convolution,
    "BatchNormalization": _normalization,
    **dict.fromkeys(_FLOATS, _arithmetic),
    **dict.fromkeys(FUNCTIONS, _function),
    "Relu": _limited((0.0, inf)),
    "Clip": _clip,
    "PRelu": _prelu,
    "AveragePool": _pool,
    **MOVES,
    "Identity": _same,
    "Dropout": _same,
    **QUANTIZERS,
    **QLINEAR,
}
"""(reader, operator) to what the operator makes, by its name, with its domain where it has one."""
