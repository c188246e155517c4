"""Functions of real numbers that ONNX operators apply to each value, in float32."""

from collections.abc import Callable, Mapping
from math import erf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UnsupportedError
from quant.interchange.derivation import Singles
from quant.interchange.onnx_values import Pointwise

_ONE, _ZERO = np.float32(1), np.float32(0)


def _single(values: NDArray[Any]) -> Singles:
    return values.astype(np.float32)


def _leaky_relu(attributes: Mapping[str, Any]) -> Pointwise:
    slope = np.float32(attributes.get("alpha", 0.01))
    return lambda real: np.where(real >= 0, real, slope * real)


def _sigmoid(attributes: Mapping[str, Any]) -> Pointwise:
    def apply(real: Singles) -> Singles:
        small = np.exp(-np.abs(real.astype(np.float64)))  # without overflow
        return _single(np.where(real < 0, small, 1.0) / (1 + small))

    return apply


def _tanh(attributes: Mapping[str, Any]) -> Pointwise:
    return lambda real: _single(np.tanh(real.astype(np.float64)))


def _hard_sigmoid(attributes: Mapping[str, Any]) -> Pointwise:
    alpha = np.float32(attributes.get("alpha", 0.2))
    beta = np.float32(attributes.get("beta", 0.5))
    return lambda real: np.clip(alpha * real + beta, _ZERO, _ONE)


def _hard_swish(attributes: Mapping[str, Any]) -> Pointwise:
    sixth, half = np.float32(1 / 6), np.float32(0.5)
    return lambda real: real * np.clip(sixth * real + half, _ZERO, _ONE)


def _gelu(attributes: Mapping[str, Any]) -> Pointwise:
    if attributes.get("approximate", "none") == "tanh":

        def approximate(real: Singles) -> Singles:
            x = real.astype(np.float64)
            inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
            return _single(0.5 * x * (1 + np.tanh(inner)))

        return approximate

    def exact(real: Singles) -> Singles:
        x = real.astype(np.float64)
        normal = [(1 + erf(value / 2**0.5)) / 2 for value in x.reshape(-1).tolist()]
        return _single(x * np.array(normal).reshape(x.shape))

    return exact


FUNCTIONS: dict[str, Callable[[Mapping[str, Any]], Pointwise]] = {
    "LeakyRelu": _leaky_relu,
    "Sigmoid": _sigmoid,
    "Tanh": _tanh,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "Gelu": _gelu,
}
"""From a node's attributes to its function; exponentials are computed in float64 and rounded."""


def of_channels(constant: NDArray[Any]) -> NDArray[Any]:
    """A constant that differs from channel to channel only, [channels] or [1].

    Raises:
        UnsupportedError: it differs from pixel to pixel.
    """
    channels = constant.shape[-3] if constant.ndim >= 3 else 1
    if constant.size != channels:
        raise UnsupportedError(f"a constant of shape {constant.shape}")
    return constant.reshape(channels)
