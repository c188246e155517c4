"""Operators between real numbers and codes: ONNX's own, and QONNX's of any width."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UnsupportedError
from quant.graph import CodeKind, IntegerType
from quant.graph.operators import Integers
from quant.graph.types import MAXIMUM_BITS
from quant.interchange.onnx_model import ModelNode
from quant.interchange.onnx_operands import (
    centred,
    code_quantizer,
    constant,
    scalars,
    scales,
    value,
)
from quant.interchange.onnx_values import (
    Codes,
    Quantizer,
    Real,
    RealConstant,
    Value,
)

if TYPE_CHECKING:
    from quant.interchange.onnx_reader import Reader

_CHANNELS = 1
_QONNX_DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
_MOST_ZERO = 2**31
_ROUNDINGS = {
    "ROUND": "half_even",
    "HALF_EVEN": "half_even",
    "HALF_UP": "half_away",
    "FLOOR": "floor",
    "CEIL": "ceil",
    "DOWN": "trunc_zero",
}
"""QONNX's names of roundings that the integer graph has."""


def _quantize(reader: "Reader", node: ModelNode) -> Value:
    _require_no_blocks(node)
    target = code_quantizer(reader, node, 1, 2)
    found = value(reader, node, 0)
    if isinstance(found, RealConstant):
        found = found.real()
    if isinstance(found, np.ndarray):
        return _coded(found, target, _axis(node, found.ndim))
    return reader.quantized(found, target, node)


def _coded(real: NDArray[Any], target: Quantizer, axis: int) -> NDArray[Any]:
    """Codes of a constant, in the NumPy type of their width."""
    return _by_slices(real, target, axis).astype(_storage(target.integer))


def _by_slices(real: NDArray[Any], target: Quantizer, axis: int) -> Integers:
    """Codes of a constant of any shape, whose slices along an axis may have scales of their own."""
    lines = np.moveaxis(np.atleast_1d(real.astype(np.float32)), axis, 0)
    if lines.size == 0 or not np.isfinite(lines).all():
        raise UnsupportedError("of no numbers, or such that are not finite")
    if target.scale.size not in (1, len(lines)) or target.zero.size not in (1, len(lines)):
        raise UnsupportedError(f"{target.scale.size} scales for {len(lines)} slices")
    codes = target.codes(lines.reshape(len(lines), -1)).reshape(lines.shape)
    return np.moveaxis(codes, 0, axis).reshape(real.shape)


def _storage(integer: IntegerType) -> np.dtype[Any]:
    kind = "int" if integer.kind is CodeKind.SIGNED else "uint"
    if integer.bits not in (8, 16):
        raise UnsupportedError(f"a constant quantized to {integer.bits} bits here")
    return np.dtype(f"{kind}{integer.bits}")


def _dequantize(reader: "Reader", node: ModelNode) -> Value:
    _require_no_blocks(node)
    found = value(reader, node, 0)
    if isinstance(found, np.ndarray):
        zeros, step = constant(reader, node, 2), scales(reader, node, 1)
        return centred(found, step, zeros, _axis(node, found.ndim))
    if not isinstance(found, Codes):
        raise UnsupportedError("of what is no feature map of codes")
    target = code_quantizer(reader, node, 1, 2, _storage(found.tensor.integer).name)
    if target.integer != found.tensor.integer:
        raise UnsupportedError(f"a zero point of {target.integer} for {found.tensor.integer}")
    tensor = target.tensor(found.tensor.channels)
    return Real(found.node, tensor, channels_last=found.channels_last)


def _axis(node: ModelNode, axes: int) -> int:
    axis = node.attributes.get("axis", _CHANNELS)
    if not isinstance(axis, int) or not -max(axes, 1) <= axis < max(axes, _CHANNELS + 1):
        raise UnsupportedError(f"axis {axis} of {axes}")
    return axis % axes if axis < 0 else min(axis, max(axes - 1, 0))


def _require_no_blocks(node: ModelNode) -> None:
    if node.attributes.get("block_size", 0):
        raise UnsupportedError("scales for blocks of values")


def _quant(reader: "Reader", node: ModelNode) -> Value:
    """QONNX's IntQuant: to codes of any width and back to the real numbers they stand for."""
    target = _any_width(reader, node)
    return _there_and_back(reader, node, target)


def _any_width(reader: "Reader", node: ModelNode) -> Quantizer:
    bits = scalars(reader, node, 3)
    if bits.size != 1 or bits[0] not in range(1, MAXIMUM_BITS + 1):
        raise UnsupportedError(f"a width of {bits[:4].tolist()} bits, not of 1 to {MAXIMUM_BITS}")
    zeros = scalars(reader, node, 2).astype(np.float64)
    if not ((np.rint(zeros) == zeros) & (np.abs(zeros) < _MOST_ZERO)).all():
        raise UnsupportedError("zero points that are no whole numbers below 2^31")
    rounding = str(node.attributes.get("rounding_mode", "ROUND")).upper()
    if rounding not in _ROUNDINGS:
        raise UnsupportedError(f"the rounding {rounding}")
    signed, narrow = node.attributes.get("signed", 1), node.attributes.get("narrow", 0)
    step, zero = scales(reader, node, 1), zeros.astype(np.int64)
    if int(bits[0]) == 1 and signed:
        if zero.any():
            raise UnsupportedError("one signed bit with a zero point")
        return _signs(step)
    integer = IntegerType(int(bits[0]), CodeKind.SIGNED if signed else CodeKind.UNSIGNED)
    low = integer.low + bool(signed and narrow)
    high = integer.high - bool(narrow and not signed)
    return Quantizer(integer, step, zero, low, high, _ROUNDINGS[rounding], zero_first=True)


def _signs(step: NDArray[np.float32]) -> Quantizer:
    """-1 below 0, else 1."""
    return Quantizer(IntegerType(1, CodeKind.ODD), step, np.zeros(1, np.int64), -1, 1)


def _bipolar(reader: "Reader", node: ModelNode) -> Value:
    return _there_and_back(reader, node, _signs(scales(reader, node, 1)))


def _there_and_back(reader: "Reader", node: ModelNode, target: Quantizer) -> Value:
    found = value(reader, node, 0)
    if isinstance(found, np.ndarray):
        return _constant(found, target, constant(reader, node, 1))
    codes = reader.quantized(found, target, node)
    return Real(codes.node, target.tensor(codes.tensor.channels))


def _constant(real: NDArray[Any], target: Quantizer, shape: NDArray[Any] | None) -> RealConstant:
    """A constant quantized: with a scale for each slice along one axis, or one for all."""
    axis = 0
    if target.scale.size > 1:
        assert shape is not None
        long = [a for a, size in enumerate(shape.shape) if size > 1]
        if len(long) != 1 or shape.ndim != real.ndim or shape.size != real.shape[long[0]]:
            raise UnsupportedError(f"scales of shape {shape.shape} for {real.shape}")
        axis = long[0]
    integers = _by_slices(real, target, axis)
    centred_type = target.integer
    if target.zero.any():
        zeros = target.zero.reshape([-1 if a == axis else 1 for a in range(real.ndim)])
        integers = integers - zeros
        centred_type = IntegerType(target.integer.bits + 1, CodeKind.SIGNED)
    return RealConstant(integers, target.integer, centred_type, target.scale, axis)


QUANTIZERS: dict[str, Callable[["Reader", ModelNode], Value]] = {
    "QuantizeLinear": _quantize,
    "DequantizeLinear": _dequantize,
    "com.microsoft.QuantizeLinear": _quantize,
    "com.microsoft.DequantizeLinear": _dequantize,
    **{f"{domain}.Quant": _quant for domain in _QONNX_DOMAINS},
    **{f"{domain}.IntQuant": _quant for domain in _QONNX_DOMAINS},
    **{f"{domain}.BipolarQuant": _bipolar for domain in _QONNX_DOMAINS},
}
