"""Functions of one real number that networks apply to each value, by name."""

from collections.abc import Callable
from math import erf, pi

import numpy as np

from quant.lowering.float_operators import Reals


def sigmoid(x: Reals) -> Reals:
    """1 / (1 + e^−x), without overflow."""
    small = np.exp(-np.abs(x))
    values: Reals = np.where(x < 0, small, 1.0) / (1 + small)
    return values


def _tanh(x: Reals) -> Reals:
    values: Reals = np.tanh(x)
    return values


def _gelu(x: Reals) -> Reals:
    """X · Φ(x) (Hendrycks and Gimpel, arXiv 1606.08415)."""
    normal = np.array([(1 + erf(value / 2**0.5)) / 2 for value in x.reshape(-1).tolist()])
    values: Reals = x * normal.reshape(x.shape)
    return values


def _gelu_tanh(x: Reals) -> Reals:
    """The approximation of the same paper that torch calls ``tanh``."""
    values: Reals = 0.5 * x * (1 + np.tanh((2 / pi) ** 0.5 * (x + 0.044715 * x**3)))
    return values


def _silu(x: Reals) -> Reals:
    """X · sigmoid(x), also called swish."""
    return x * sigmoid(x)


def _hardsigmoid(x: Reals) -> Reals:
    """A sigmoid of three straight lines."""
    values: Reals = np.clip(x / 6 + 0.5, 0, 1)
    return values


def _hardswish(x: Reals) -> Reals:
    """X · hardsigmoid(x) (Howard et al., "Searching for MobileNetV3", ICCV 2019)."""
    return x * _hardsigmoid(x)


FUNCTIONS: dict[str, Callable[[Reals], Reals]] = {
    "sigmoid": sigmoid,
    "tanh": _tanh,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "silu": _silu,
    "hardsigmoid": _hardsigmoid,
    "hardswish": _hardswish,
}
"""From float64 arrays to float64 arrays of the same shape."""
