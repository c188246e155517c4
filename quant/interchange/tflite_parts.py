"""What the readers of TensorFlow Lite's operators share."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from quant.common.errors import UnsupportedError
from quant.common.rescaling import quantize_multiplier
from quant.graph import Requantization, Size, TensorType
from quant.interchange.derivation import whole_range, zero_point
from quant.interchange.tflite_model import ModelOperator, ModelTensor

if TYPE_CHECKING:
    from quant.interchange.tflite_reader import Reader

CONVENTION = "tflite_double"
Read = Callable[["Reader", ModelOperator], None]

_PADDINGS = ("SAME", "VALID")


def refused(wanted: str, found: str) -> UnsupportedError:
    """What keeps a tensor from becoming one of a graph."""
    return UnsupportedError(f"expected {wanted}, found {found}")


def padding_kind(operator: ModelOperator) -> str:
    """Which of TensorFlow Lite's two paddings an operator has."""
    kind = operator.whole("Padding")
    if not 0 <= kind < len(_PADDINGS):
        raise refused("padding SAME or VALID", str(kind))
    return _PADDINGS[kind]


def pair(operator: ModelOperator, before: str, behind: str = "") -> tuple[int, int]:
    """An option for rows and the same for columns, both positive."""
    found = operator.whole(f"{before}H{behind}"), operator.whole(f"{before}W{behind}")
    if min(found) < 1:
        raise refused(f"positive {before.lower()}s", f"{found}")
    return found


def size(tensor: ModelTensor | None) -> Size:
    """Height and width that a feature map is declared with."""
    if tensor is None or len(tensor.shape) != 4 or min(tensor.shape) < 1:
        raise refused("a shape 1×height×width×channels", str(tensor and tensor.shape))
    return Size(*tensor.shape[1:3])


def single_quotient(source: TensorType, output: TensorType) -> float:
    """The quotient of two float32 scales in float32, as activations take it."""
    return float(np.float32(source.encoding.scale) / np.float32(output.encoding.scale))


def one_factor(factor: float, output: TensorType) -> Requantization:
    """One factor of at least 0 for all channels, no clamp but that of the type."""
    found = quantize_multiplier(np.array([factor], np.float64))
    return Requantization(
        found.multiplier,
        found.shift,
        zero_point(output),
        *whole_range(output),
        rounding=CONVENTION,
    )
