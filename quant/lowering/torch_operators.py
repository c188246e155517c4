"""What each torch module and function means as a float operator: the table `trace` looks up."""

import operator
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from quant.lowering.float_network import (
    FloatAdd,
    FloatAffine,
    FloatClamp,
    FloatConvolution,
    FloatOperator,
    FloatPixelShuffle,
    Reals,
)

Converted = tuple[FloatOperator | None, tuple[str, ...]]
"""An operator and the feature maps it reads; no operator stands for "the same feature map"."""


class UnsupportedError(Exception):
    """Something the integer graph cannot express; says what."""


def convert_module(module: nn.Module, operands: Sequence[object]) -> Converted:
    """The float operator of a module.

    Args:
        module: the module.
        operands: what it is called with: `str` for a feature map, anything else is a constant.

    Raises:
        UnsupportedError: the module, or one of its settings, has no counterpart.
    """
    for kind, convert in MODULES.items():
        if isinstance(module, kind):
            return convert(module), _feature_maps(*operands)
    raise UnsupportedError(type(module).__name__)


def convert_function(
    function: object, operands: Sequence[object], keywords: Mapping[str, object]
) -> Converted:
    """The float operator of a function or tensor method.

    Args:
        function: the function, or the name of the tensor method.
        operands: positional arguments: `str` for a feature map, anything else is a constant.
        keywords: the other arguments.

    Raises:
        UnsupportedError: the function has no counterpart for these operands.
    """
    name = getattr(function, "__name__", str(function))
    convert = FUNCTIONS.get(function)
    if convert is None:
        raise UnsupportedError(name)
    try:
        return convert(*operands, **keywords)
    except TypeError as error:  # arguments the converters below do not take
        raise UnsupportedError(f"{name} with unusual arguments") from error


def _convolution(module: nn.Conv2d) -> FloatOperator:
    for what, found, wanted in (
        ("stride", module.stride, (1, 1)),
        ("dilation", module.dilation, (1, 1)),
        ("groups", module.groups, 1),
        ("padding_mode", module.padding_mode, "zeros"),
    ):
        if found != wanted:
            raise UnsupportedError(f"Conv2d with {what} {found}")
    weight = _reals(module.weight)
    bias = np.zeros(len(weight)) if module.bias is None else _reals(module.bias)
    scale = weight[:, :, 0, 0]
    padding = _padding(module)
    if (
        module.kernel_size == (1, 1)
        and padding == (0, 0)
        and np.array_equal(scale, np.diag(np.diag(scale)))
    ):
        return FloatAffine(np.diag(scale).copy(), bias)
    return FloatConvolution(np.moveaxis(weight, 1, 3).copy(), bias, padding)


def _padding(module: nn.Conv2d) -> tuple[int, int]:
    rows, columns = module.kernel_size
    if module.padding == "valid":
        return 0, 0
    if module.padding == "same":
        if rows % 2 == 0 or columns % 2 == 0:
            raise UnsupportedError(f"Conv2d with padding 'same' and kernel {module.kernel_size}")
        return rows // 2, columns // 2
    assert not isinstance(module.padding, str)
    return int(module.padding[0]), int(module.padding[1])


# The parameters of the converters have the names torch gives them.


def _addition(input: object, other: object) -> Converted:
    if isinstance(input, str) and isinstance(other, str):
        return FloatAdd(), (input, other)
    name, constant = _map_and_constant(input, other)
    return FloatAffine(np.ones(1), constant), (name,)


def _subtraction(input: object, other: object) -> Converted:
    name, constant = _map_and_constant(input, other)
    if name == input:
        return FloatAffine(np.ones(1), -constant), (name,)
    return FloatAffine(-np.ones(1), constant), (name,)


def _multiplication(input: object, other: object) -> Converted:
    name, constant = _map_and_constant(input, other)
    return FloatAffine(constant, np.zeros(1)), (name,)


def _division(input: object, other: object) -> Converted:
    name, constant = _map_and_constant(input, other)
    if name != input:
        raise UnsupportedError("division by a feature map")
    return FloatAffine(1 / constant, np.zeros(1)), (name,)


def _relu(input: object, inplace: bool = False) -> Converted:
    return FloatClamp((0.0, inf)), _feature_maps(input)


def _clamp(input: object, min: object = None, max: object = None) -> Converted:
    low = -inf if min is None else _number(min)
    high = inf if max is None else _number(max)
    return FloatClamp((low, high)), _feature_maps(input)


def _pixel_shuffle(input: object, upscale_factor: object) -> Converted:
    return FloatPixelShuffle(int(_number(upscale_factor)), "crd"), _feature_maps(input)


MODULES: dict[type[nn.Module], Callable[[Any], FloatOperator | None]] = {
    nn.Conv2d: _convolution,
    nn.ReLU: lambda module: FloatClamp((0.0, inf)),
    nn.ReLU6: lambda module: FloatClamp((0.0, 6.0)),
    nn.Hardtanh: lambda module: FloatClamp((float(module.min_val), float(module.max_val))),
    nn.PixelShuffle: lambda module: FloatPixelShuffle(module.upscale_factor, "crd"),
    nn.Identity: lambda module: None,
    nn.Dropout: lambda module: None,
    nn.Dropout2d: lambda module: None,
}

FUNCTIONS: dict[object, Callable[..., Converted]] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), _addition),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub, "sub", "sub_"), _subtraction),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul, "mul", "mul_"), _multiplication),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div, "div", "div_"), _division),
    **dict.fromkeys((functional.relu, torch.relu, "relu", "relu_"), _relu),
    **dict.fromkeys((torch.clamp, torch.clip, "clamp", "clip", "clamp_"), _clamp),
    **dict.fromkeys((functional.pixel_shuffle, torch.pixel_shuffle), _pixel_shuffle),
}
"""Functions by object, tensor methods by name."""


def _feature_maps(*operands: object) -> tuple[str]:
    """The one feature map among the operands of an operator that takes nothing else."""
    match operands:
        case (str() as name,):
            return (name,)
        case _:
            raise UnsupportedError("a call with unusual arguments")


def _map_and_constant(first: object, second: object) -> tuple[str, Reals]:
    if isinstance(first, str) and isinstance(second, str):
        raise UnsupportedError("a product, quotient or difference of two feature maps")
    name, constant = (first, second) if isinstance(first, str) else (second, first)
    if not isinstance(name, str):
        raise UnsupportedError("arithmetic on constants only")
    return name, _per_channel(constant)


def _per_channel(constant: object) -> Reals:
    """A number, or a tensor that differs from channel to channel only, as [1] or [channels]."""
    if isinstance(constant, bool) or not isinstance(constant, int | float | Tensor):
        raise UnsupportedError(f"arithmetic with {type(constant).__name__}")
    values = _reals(constant) if isinstance(constant, Tensor) else np.array(float(constant))
    channels = values.shape[-3] if values.ndim >= 3 else 1
    if values.size != channels:
        raise UnsupportedError(f"arithmetic with a constant of shape {values.shape}")
    return values.reshape(channels)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsupportedError("a call with unusual arguments")
    return float(value)


def _reals(tensor: Tensor) -> Reals:
    values: Reals = tensor.detach().cpu().double().numpy()
    return values
