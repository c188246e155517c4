"""TensorFlow Lite's activations in codes: the range that comes out, or a table of every code."""

from collections.abc import Callable

import numpy as np
import tflite

from quant.graph import TensorType
from quant.graph.operators import Integers
from quant.interchange.derivation import Clamp, Singles, whole_range, zero_point

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


def function_table(function: str, source: TensorType, output: TensorType) -> Integers:
    """What a function makes of every code, as ``PopulateLookupTable`` computes it in float32.

    Args:
        function: a name in `FUNCTIONS`.
        source: the feature map read.
        output: the feature map written.

    Returns:
        int64 [1, codes of the source], in ascending order of the codes.
    """
    codes = np.arange(source.integer.low, source.integer.high + 1)
    real = np.float32(source.encoding.scale) * (codes - zero_point(source)).astype(np.float32)
    steps = FUNCTIONS[function](real) * (np.float32(1) / np.float32(output.encoding.scale))
    rounded = np.sign(steps) * np.floor(np.abs(steps) + np.float32(0.5))
    table: Integers = np.clip(rounded.astype(np.int64) + zero_point(output), *whole_range(output))
    return table[None]


def _logistic(real: Singles) -> Singles:
    with np.errstate(over="ignore"):  # of very negative numbers: the quotient is 0 then
        logistic: Singles = np.float32(1) / (np.float32(1) + np.exp(-real))
    return logistic


FUNCTIONS: dict[str, Callable[[Singles], Singles]] = {"TANH": np.tanh, "LOGISTIC": _logistic}
"""Functions of real numbers that operators apply, in float32."""


def _code(real: float, output: TensorType) -> int:
    """The nearest code, halves away from zero, computed in float32."""
    steps = float(np.float32(real) / np.float32(output.encoding.scale))
    return zero_point(output) + int(np.sign(steps) * np.floor(abs(steps) + 0.5))
