"""What operators of ONNX models read, asked for by kind."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UnsupportedError
from quant.graph import CodeKind, IntegerType
from quant.graph.types import MAXIMUM_BITS
from quant.interchange.derivation import CODE_TYPES
from quant.interchange.onnx_model import ModelNode
from quant.interchange.onnx_values import (
    Codes,
    Pending,
    Quantizer,
    Real,
    RealConstant,
    Value,
)

if TYPE_CHECKING:
    from quant.interchange.onnx_reader import Reader


def given(node: ModelNode, position: int) -> bool:
    """Whether an operator has an input at a position."""
    return position < len(node.inputs) and bool(node.inputs[position])


def value(reader: "Reader", node: ModelNode, position: int) -> Value:
    """What an operator reads at a position."""
    if not given(node, position):
        raise UnsupportedError(f"no input {position}")
    return reader.values[node.inputs[position]]


def constant(reader: "Reader", node: ModelNode, position: int) -> NDArray[Any] | None:
    """A plain constant, or None where it is left out."""
    if not given(node, position):
        return None
    found = value(reader, node, position)
    if isinstance(found, RealConstant):
        return found.real()
    if not isinstance(found, np.ndarray):
        raise UnsupportedError(f"input {position} is no constant")
    return found


def given_constant(reader: "Reader", node: ModelNode, position: int) -> NDArray[Any]:
    """A plain constant that must be there."""
    found = constant(reader, node, position)
    if found is None:
        raise UnsupportedError(f"no input {position}")
    return found


def real_map(reader: "Reader", node: ModelNode, position: int = 0) -> Real:
    """A feature map of real numbers that are codes' without more ado, channels first."""
    found = value(reader, node, position)
    if not isinstance(found, Real):
        raise UnsupportedError(f"input {position} is not quantized")
    if found.channels_last:
        raise UnsupportedError("channels last")
    return found


def is_map(found: Value) -> bool:
    """Whether a value depends on the image."""
    return isinstance(found, Codes | Real | Pending)


def scalars(reader: "Reader", node: ModelNode, position: int) -> NDArray[Any]:
    """A scale or zero point for all, or one for each slice: [n]."""
    found = constant(reader, node, position)
    if found is None or found.size == 0:
        raise UnsupportedError(f"no constant as input {position}")
    return found.reshape(-1)


def scales(reader: "Reader", node: ModelNode, position: int) -> NDArray[np.float32]:
    """Positive finite scales, float32 [n]."""
    found = scalars(reader, node, position).astype(np.float32)
    if not (np.isfinite(found).all() and (found > 0).all()):
        raise UnsupportedError("scales that are not positive and finite")
    return found


def code_type(dtype: np.dtype[Any]) -> IntegerType:
    """The codes of an array's type."""
    if dtype.name not in CODE_TYPES:
        raise UnsupportedError(f"codes of {dtype.name}")
    return CODE_TYPES[dtype.name]


def code_quantizer(
    reader: "Reader", node: ModelNode, scale: int, zero: int, element: str = "uint8"
) -> Quantizer:
    """How a feature map is quantized, by the constants at two positions.

    Args:
        reader: has the constants.
        node: the operator.
        scale: position of the scale.
        zero: position of the zero point, whose type is that of the codes.
        element: type of the codes where there is no zero point.
    """
    step = scales(reader, node, scale)
    zeros = constant(reader, node, zero)
    if zeros is None:
        zeros = np.zeros(1, np.dtype(element))
    integer = code_type(zeros.dtype)
    if integer.bits > MAXIMUM_BITS:
        raise UnsupportedError(f"feature maps of {integer.bits} bits")
    whole = zeros.reshape(-1).astype(np.int64)
    if whole.size not in (1, step.size):
        raise UnsupportedError("other numbers of scales than of zero points")
    return Quantizer(integer, step, whole, integer.low, integer.high)


def centred(
    codes: NDArray[Any], step: NDArray[np.float32], zeros: NDArray[Any] | None, axis: int
) -> RealConstant:
    """A constant of codes as integers without zero point.

    Args:
        codes: in their type.
        step: float32 [1] or [slices].
        zeros: of the codes' type, [1] or [slices]; None: 0.
        axis: of the slices.
    """
    stored = code_type(codes.dtype)
    integers = codes.astype(np.int64)
    slices = integers.shape[axis] if integers.ndim > axis else 1
    if step.size not in (1, slices):
        raise UnsupportedError(f"{step.size} scales for {slices} slices")
    widened, zero = stored, np.zeros(1, np.int64)
    if zeros is not None and zeros.size and zeros.astype(np.int64).any():
        zero = zeros.astype(np.int64).reshape(-1)
        if zeros.size not in (1, slices):
            raise UnsupportedError(f"{zeros.size} zero points for {slices} slices")
        shape = [1] * integers.ndim
        if zeros.size > 1:
            shape[axis] = zeros.size
        integers = integers - zero.reshape(shape)
        widened = IntegerType(min(stored.bits + 1, 33), CodeKind.SIGNED)
    return RealConstant(integers, stored, widened, step, axis, zero)
