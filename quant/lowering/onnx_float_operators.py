"""What each float operator of an ONNX model means: the table `onnx_network` looks up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UnsupportedError
from quant.interchange.onnx_geometry import (
    geometry,
    limits,
    resize_factor,
    spread_padding,
    zeros_around,
)
from quant.interchange.onnx_model import ModelNode
from quant.lowering import layers
from quant.lowering.float_operators import (
    FloatAdd,
    FloatAffine,
    FloatClamp,
    FloatConcatenate,
    FloatFunction,
    FloatMultiply,
    FloatNearest,
    FloatOperator,
    FloatPad,
    FloatPixelShuffle,
    Reals,
)
from quant.lowering.network_builder import Converted

Operand = str | NDArray[Any] | None
"""A feature map by name, a constant, or what is left out."""

_SIXTH = 1 / 6


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """An operator and what it reads.

    Attributes:
        node: as the file has it.
        operands: feature maps by name, constants as arrays, None where left out.
    """

    node: ModelNode
    operands: tuple[Operand, ...]

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Of the operator."""
        return self.node.attributes

    def given(self, position: int) -> Operand:
        """What is read at a position."""
        return self.operands[position] if position < len(self.operands) else None

    def map(self, position: int = 0) -> str:
        """A feature map at a position."""
        found = self.given(position)
        if not isinstance(found, str):
            raise UnsupportedError(
                f"{self.node.operator} without a feature map as input {position}"
            )
        return found

    def constant(self, position: int) -> NDArray[Any] | None:
        """A constant at a position, or None where it is left out."""
        found = self.given(position)
        if isinstance(found, str):
            raise UnsupportedError(f"{self.node.operator} whose input {position} is no constant")
        return found

    def reals(self, position: int) -> Reals:
        """A constant at a position, float64."""
        found = self.constant(position)
        if found is None:
            raise UnsupportedError(f"{self.node.operator} without input {position}")
        return found.astype(np.float64)


def convert(call: Call) -> Converted:
    """The float operator of a node.

    Raises:
        UnsupportedError: the operator, or one of its settings, has no counterpart.
    """
    name = f"{call.node.domain}.{call.node.operator}" if call.node.domain else call.node.operator
    if name not in OPERATORS:
        reason = f" ({_REASONS[name]})" if name in _REASONS else ""
        raise UnsupportedError(f"{name}{reason}")
    return OPERATORS[name](call)


_MEAN = "a mean whose count is the image's size, which a graph does not know"
_REASONS = {
    **dict.fromkeys(("GlobalAveragePool", "ReduceMean"), _MEAN),
    **dict.fromkeys(("MaxPool", "GlobalMaxPool", "ReduceMax"), "a maximum over windows"),
    **dict.fromkeys(("If", "Loop", "Scan"), "control flow"),
    **dict.fromkeys(("Shape", "Size"), "the image's size, which a graph does not know"),
}


def _convolution(call: Call) -> Converted:
    weight = _kernel(call)
    shape = geometry(call.attributes, (weight.shape[2], weight.shape[3]))
    made = layers.convolution(
        weight, _bias(call), shape.padding, shape.stride, shape.dilation, shape.groups
    )
    return made, (call.map(),)


def _transposed_convolution(call: Call) -> Converted:
    weight = _kernel(call)
    shape = geometry(call.attributes, (weight.shape[2], weight.shape[3]))
    if shape.groups > 1:
        raise UnsupportedError("ConvTranspose of groups")
    padding = spread_padding(call.attributes, shape)
    made = layers.transposed_convolution(weight, _bias(call), shape.stride, padding)
    return made, (call.map(),)


def _kernel(call: Call) -> Reals:
    weight = call.reals(1)
    if weight.ndim != 4 or weight.size == 0:
        raise UnsupportedError(f"{call.node.operator} with weights of shape {weight.shape}")
    return weight


def _bias(call: Call) -> Reals | None:
    return None if call.constant(2) is None else call.reals(2).reshape(-1)


def _normalization(call: Call) -> Converted:
    if call.attributes.get("training_mode", 0):
        raise UnsupportedError("BatchNormalization in training mode")
    gain, bias, mean, variance = (call.reals(position).reshape(-1) for position in range(1, 5))
    epsilon = float(call.attributes.get("epsilon", 1e-5))
    return layers.normalization(mean, variance, epsilon, gain, bias), (call.map(),)


def _binary(call: Call) -> Converted:
    kind, first, second = call.node.operator, call.given(0), call.given(1)
    if isinstance(first, str) and isinstance(second, str):
        if kind not in _OF_MAPS:
            raise UnsupportedError(f"{kind} of two feature maps")
        return _OF_MAPS[kind](), (first, second)
    turned = not isinstance(first, str)
    constant = _per_channel(call.reals(0 if turned else 1))
    if (kind, turned) not in _WITH_CONSTANT:
        raise UnsupportedError(f"{kind} of a constant by a feature map")
    return _WITH_CONSTANT[kind, turned](constant), (call.map(1 if turned else 0),)


_OF_MAPS: dict[str, Callable[[], FloatOperator]] = {"Add": FloatAdd, "Mul": FloatMultiply}
_ONE, _NOTHING = np.ones(1), np.zeros(1)
_WITH_CONSTANT: dict[tuple[str, bool], Callable[[Reals], FloatOperator]] = {
    ("Add", False): lambda constant: FloatAffine(_ONE, constant),
    ("Add", True): lambda constant: FloatAffine(_ONE, constant),
    ("Sub", False): lambda constant: FloatAffine(_ONE, -constant),
    ("Sub", True): lambda constant: FloatAffine(-_ONE, constant),
    ("Mul", False): lambda constant: FloatAffine(constant, _NOTHING),
    ("Mul", True): lambda constant: FloatAffine(constant, _NOTHING),
    ("Div", False): lambda constant: FloatAffine(1 / constant, _NOTHING),
}
"""By operator, and whether the constant comes first."""


def _per_channel(values: Reals) -> Reals:
    """A constant that differs from channel to channel only, as [1] or [channels]."""
    channels = values.shape[-3] if values.ndim >= 3 else 1
    if values.size != channels:
        raise UnsupportedError(f"arithmetic with a constant of shape {values.shape}")
    return values.reshape(channels)


def _clip(call: Call) -> Converted:
    bounds = [call.constant(position) for position in (1, 2)]
    return FloatClamp(limits(bounds)), (call.map(),)


def _limit(call: Call) -> Converted:
    """Min or Max of a feature map and one number."""
    turned = not isinstance(call.given(0), str)
    values = call.reals(0 if turned else 1)
    if values.size != 1 or len(call.operands) != 2:
        raise UnsupportedError(f"{call.node.operator} of other than a feature map and a number")
    number = float(values.reshape(-1)[0])
    clamp = (-inf, number) if call.node.operator == "Min" else (number, inf)
    return FloatClamp(clamp), (call.map(1 if turned else 0),)


def _prelu(call: Call) -> Converted:
    return layers.prelu(_per_channel(call.reals(1))), (call.map(),)


def _leaky_relu(call: Call) -> Converted:
    return layers.prelu(np.array([float(call.attributes.get("alpha", 0.01))])), (call.map(),)


def _hard_sigmoid(call: Call) -> Converted:
    alpha, beta = call.attributes.get("alpha", 0.2), call.attributes.get("beta", 0.5)
    if abs(alpha - _SIXTH) > 1e-6 or beta != 0.5:
        raise UnsupportedError(f"HardSigmoid with alpha {alpha:g} and beta {beta:g}")
    return FloatFunction("hardsigmoid"), (call.map(),)


def _gelu(call: Call) -> Converted:
    approximate = call.attributes.get("approximate", "none") == "tanh"
    return FloatFunction("gelu_tanh" if approximate else "gelu"), (call.map(),)


def _plain(make: Callable[[], FloatOperator | None]) -> Callable[[Call], Converted]:
    return lambda call: (make(), (call.map(),))


def _concatenation(call: Call) -> Converted:
    if call.attributes.get("axis") not in (1, -3):
        raise UnsupportedError(f"Concat along axis {call.attributes.get('axis')}")
    maps = tuple(call.map(position) for position in range(len(call.operands)))
    return (None, maps) if len(maps) == 1 else (FloatConcatenate(), maps)


def _pixel_shuffle(call: Call) -> Converted:
    factor, order = call.attributes.get("blocksize"), call.attributes.get("mode", "DCR")
    if not isinstance(factor, int) or factor < 1 or order not in ("DCR", "CRD"):
        raise UnsupportedError(f"DepthToSpace in blocks of {factor} in the order {order}")
    return FloatPixelShuffle(factor, "dcr" if order == "DCR" else "crd"), (call.map(),)


def _resize(call: Call) -> Converted:
    position = 1 if call.node.operator == "Upsample" else 2
    mode, factor = resize_factor(call.attributes, call.constant(position))
    made = FloatNearest(factor) if mode == "nearest" else layers.bilinear(factor)
    return made, (call.map(),)


def _pad(call: Call) -> Converted:
    behind = [call.constant(position) for position in range(1, len(call.operands))]
    return FloatPad(zeros_around(call.attributes, behind)), (call.map(),)


def _average_pool(call: Call) -> Converted:
    shape = geometry(call.attributes)
    around = shape.padding.rows or shape.padding.columns or call.attributes.get("ceil_mode", 0)
    if shape.dilation != (1, 1):
        raise UnsupportedError("AveragePool with dilations")
    made = layers.average_pool(shape.kernel, shape.stride, has_border=bool(around))
    return made, (call.map(),)


OPERATORS: dict[str, Callable[[Call], Converted]] = {
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "BatchNormalization": _normalization,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _binary),
    "Neg": _plain(lambda: FloatAffine(-_ONE, _NOTHING)),
    "Relu": _plain(lambda: FloatClamp((0.0, inf))),
    "Clip": _clip,
    "Min": _limit,
    "Max": _limit,
    "PRelu": _prelu,
    "LeakyRelu": _leaky_relu,
    "Sigmoid": _plain(lambda: FloatFunction("sigmoid")),
    "Tanh": _plain(lambda: FloatFunction("tanh")),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _plain(lambda: FloatFunction("hardswish")),
    "Gelu": _gelu,
    "com.microsoft.Gelu": _gelu,
    "Concat": _concatenation,
    "DepthToSpace": _pixel_shuffle,
    "Resize": _resize,
    "Upsample": _resize,
    "Pad": _pad,
    "AveragePool": _average_pool,
    **dict.fromkeys(("Identity", "Dropout", "Cast"), _plain(lambda: None)),
}
"""By the operator's name, with its domain where it has one."""
