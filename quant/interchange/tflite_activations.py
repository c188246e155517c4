"""TensorFlow Lite's activations as the least and greatest code that comes out."""

import numpy as np
import tflite

from quant.graph import TensorType
from quant.interchange.derivation import Clamp, whole_range, zero_point

_KINDS = tflite.ActivationFunctionType
_RANGES: dict[int | str, tuple[float | None, float | None]] = {
    _KINDS.NONE: (None, None),
    _KINDS.RELU: (0.0, None),
    _KINDS.RELU6: (0.0, 6.0),
    _KINDS.RELU_N1_TO_1: (-1.0, 1.0),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
"""Real limits of activations inside operators, by number, and of those alone, by name."""


def activation_clamp(activation: int | str, output: TensorType) -> Clamp | None:
    """The range of codes behind an activation, as ``CalculateActivationRangeQuantized`` has it.

    Args:
        activation: a `tflite.ActivationFunctionType`, or the name of an operator.
        output: the feature map that comes out.

    Returns:
        Least and greatest code; None for an activation that is no clamp.
    """
    if activation not in _RANGES:
        return None
    low, high = whole_range(output)
    least, greatest = _RANGES[activation]
    return (
        low if least is None else max(low, _code(least, output)),
        high if greatest is None else min(high, _code(greatest, output)),
    )


def _code(real: float, output: TensorType) -> int:
    """The nearest code, halves away from zero, computed in float32."""
    steps = float(np.float32(real) / np.float32(output.encoding.scale))
    return zero_point(output) + int(np.sign(steps) * np.floor(abs(steps) + 0.5))
