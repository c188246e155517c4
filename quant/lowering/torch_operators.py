"""What each torch module and function means as a float operator: the tables `trace` looks up."""

import operator
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from quant.common.errors import UnsupportedError
from quant.graph.types import Padding
from quant.lowering import layers, torch_layers
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
)
from quant.lowering.network_builder import Converted
from quant.lowering.torch_constants import (
    feature_maps,
    map_and_constant,
    number,
    pair,
    reals,
    whole_factor,
)


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
            return convert(module), feature_maps(*operands)
    raise UnsupportedError(_with_reason(type(module).__name__))


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
        raise UnsupportedError(_with_reason(name))
    try:
        return convert(*operands, **keywords)
    except TypeError as error:  # arguments the converters below do not take
        raise UnsupportedError(f"{name} with unusual arguments") from error


_REASONS = {
    **dict.fromkeys(
        ("AdaptiveAvgPool2d", "adaptive_avg_pool2d", "mean"),
        "a mean whose count is the image's size, which a graph does not know",
    ),
    **dict.fromkeys(("MaxPool2d", "max_pool2d"), "a maximum over windows"),
}


def _with_reason(name: str) -> str:
    return f"{name} ({_REASONS[name]})" if name in _REASONS else name


def _prelu_operator(slope: Tensor | float) -> FloatOperator:
    slopes = reals(slope).reshape(-1) if isinstance(slope, Tensor) else np.array([float(slope)])
    return layers.prelu(slopes)


def _resize(factor: object, mode: str, size: object, align_corners: object) -> FloatOperator:
    what = f"{mode} resize"
    if size is not None or factor is None:
        raise UnsupportedError(f"{what} to a given size instead of by a factor")
    if mode == "nearest":
        return FloatNearest(whole_factor(what, factor))
    if mode != "bilinear":
        raise UnsupportedError(what)
    if align_corners:
        raise UnsupportedError(f"{what} with align_corners")
    return layers.bilinear(whole_factor(what, factor), what)


def _pool(module: nn.AvgPool2d) -> FloatOperator:
    if module.divisor_override is not None:
        raise UnsupportedError("AvgPool2d with divisor_override")
    return _average(module.kernel_size, module.stride, module.padding, module.ceil_mode)


def _average(kernel: object, stride: object, padding: object, ceil_mode: object) -> FloatOperator:
    walk = pair(kernel if stride is None or stride == [] else stride)
    has_border = pair(padding) != (0, 0) or bool(ceil_mode)
    return layers.average_pool(pair(kernel), walk, has_border=has_border)


# The parameters of the converters have the names torch gives them.


def _addition(input: object, other: object) -> Converted:
    if isinstance(input, str) and isinstance(other, str):
        return FloatAdd(), (input, other)
    name, constant = map_and_constant(input, other)
    return FloatAffine(np.ones(1), constant), (name,)


def _subtraction(input: object, other: object) -> Converted:
    if isinstance(input, str) and isinstance(other, str):
        raise UnsupportedError("a difference of two feature maps")
    name, constant = map_and_constant(input, other)
    if name == input:
        return FloatAffine(np.ones(1), -constant), (name,)
    return FloatAffine(-np.ones(1), constant), (name,)


def _multiplication(input: object, other: object) -> Converted:
    if isinstance(input, str) and isinstance(other, str):
        return FloatMultiply(), (input, other)
    name, constant = map_and_constant(input, other)
    return FloatAffine(constant, np.zeros(1)), (name,)


def _division(input: object, other: object) -> Converted:
    if isinstance(other, str):
        raise UnsupportedError("division by a feature map")
    name, constant = map_and_constant(input, other)
    return FloatAffine(1 / constant, np.zeros(1)), (name,)


def _clamp(input: object, min: object = None, max: object = None) -> Converted:
    low = -inf if min is None else number(min)
    high = inf if max is None else number(max)
    return FloatClamp((low, high)), feature_maps(input)


def _hardtanh(
    input: object, min_val: object = -1.0, max_val: object = 1.0, inplace: bool = False
) -> Converted:
    return _clamp(input, min_val, max_val)


def _leaky_relu(input: object, negative_slope: object = 0.01, inplace: bool = False) -> Converted:
    return _prelu_operator(number(negative_slope)), feature_maps(input)


def _prelu(input: object, weight: object) -> Converted:
    if not isinstance(weight, Tensor):
        raise UnsupportedError("prelu with unusual arguments")
    return _prelu_operator(weight), feature_maps(input)


def _gelu(input: object, approximate: str = "none") -> Converted:
    return FloatFunction("gelu_tanh" if approximate == "tanh" else "gelu"), feature_maps(input)


def _plain(make: Callable[[], FloatOperator]) -> Callable[..., Converted]:
    """A function of one feature map and nothing else but whether it works in place."""

    def convert(input: object, inplace: bool = False) -> Converted:
        return make(), feature_maps(input)

    return convert


def _pixel_shuffle(input: object, upscale_factor: object) -> Converted:
    return FloatPixelShuffle(whole_factor("pixel shuffle", upscale_factor), "crd"), feature_maps(
        input
    )


def _interpolate(
    input: object,
    size: object = None,
    scale_factor: object = None,
    mode: str = "nearest",
    align_corners: object = None,
    recompute_scale_factor: object = None,  # of no consequence for whole factors
    antialias: bool = False,
) -> Converted:
    if antialias:
        raise UnsupportedError(f"{mode} resize with antialias")
    return _resize(scale_factor, mode, size, align_corners), feature_maps(input)


def _concatenation(tensors: object, dim: object = 0) -> Converted:
    maps = tuple(tensors) if isinstance(tensors, list | tuple) else ()
    if not maps or not all(isinstance(name, str) for name in maps):
        raise UnsupportedError("cat with unusual arguments")
    if dim not in (1, -3):
        raise UnsupportedError(f"cat along dimension {dim}")
    return (None, maps) if len(maps) == 1 else (FloatConcatenate(), maps)


def _average_pool(
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    ceil_mode: object = False,
) -> Converted:
    return _average(kernel_size, stride, padding, ceil_mode), feature_maps(input)


def _pad(input: object, pad: object, mode: str = "constant", value: object = None) -> Converted:
    match pad:
        case [int(), int(), int(), int()] if mode == "constant" and not value:
            left, right, top, bottom = pad
            return FloatPad(Padding(top, bottom, left, right)), feature_maps(input)
        case _:
            raise UnsupportedError(f"pad other than with zeros, or of other sides (mode {mode})")


MODULES: dict[type[nn.Module], Callable[[Any], FloatOperator | None]] = {
    nn.Conv2d: torch_layers.convolution,
    nn.ConvTranspose2d: torch_layers.transposed_convolution,
    nn.BatchNorm2d: torch_layers.normalization,
    nn.ReLU: lambda module: FloatClamp((0.0, inf)),
    nn.ReLU6: lambda module: FloatClamp((0.0, 6.0)),
    nn.Hardtanh: lambda module: FloatClamp((float(module.min_val), float(module.max_val))),
    nn.LeakyReLU: lambda module: _prelu_operator(module.negative_slope),
    nn.PReLU: lambda module: _prelu_operator(module.weight),
    nn.Sigmoid: lambda module: FloatFunction("sigmoid"),
    nn.Tanh: lambda module: FloatFunction("tanh"),
    nn.GELU: lambda module: _gelu("", module.approximate)[0],
    nn.SiLU: lambda module: FloatFunction("silu"),
    nn.Hardsigmoid: lambda module: FloatFunction("hardsigmoid"),
    nn.Hardswish: lambda module: FloatFunction("hardswish"),
    nn.PixelShuffle: lambda module: FloatPixelShuffle(
        whole_factor("pixel shuffle", module.upscale_factor), "crd"
    ),
    nn.Upsample: lambda module: _resize(
        module.scale_factor, module.mode, module.size, module.align_corners
    ),
    nn.AvgPool2d: _pool,
    nn.ZeroPad2d: lambda module: _pad("", list(module.padding))[0],
    nn.Identity: lambda module: None,
    nn.Dropout: lambda module: None,
    nn.Dropout2d: lambda module: None,
}

FUNCTIONS: dict[object, Callable[..., Converted]] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), _addition),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub, "sub", "sub_"), _subtraction),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul, "mul", "mul_"), _multiplication),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div, "div", "div_"), _division),
    **dict.fromkeys(
        (functional.relu, torch.relu, "relu", "relu_"), _plain(lambda: FloatClamp((0.0, inf)))
    ),
    functional.relu6: _plain(lambda: FloatClamp((0.0, 6.0))),
    functional.hardtanh: _hardtanh,
    **dict.fromkeys((torch.clamp, torch.clip, "clamp", "clip", "clamp_"), _clamp),
    functional.leaky_relu: _leaky_relu,
    **dict.fromkeys((functional.prelu, torch.prelu), _prelu),
    **dict.fromkeys(
        (torch.sigmoid, functional.sigmoid, "sigmoid"), _plain(lambda: FloatFunction("sigmoid"))
    ),
    **dict.fromkeys((torch.tanh, functional.tanh, "tanh"), _plain(lambda: FloatFunction("tanh"))),
    functional.gelu: _gelu,
    functional.silu: _plain(lambda: FloatFunction("silu")),
    functional.hardsigmoid: _plain(lambda: FloatFunction("hardsigmoid")),
    functional.hardswish: _plain(lambda: FloatFunction("hardswish")),
    **dict.fromkeys((functional.pixel_shuffle, torch.pixel_shuffle), _pixel_shuffle),
    functional.interpolate: _interpolate,
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _concatenation),
    **dict.fromkeys((functional.avg_pool2d, torch.nn.functional.avg_pool2d), _average_pool),
    functional.pad: _pad,
}
"""Functions by object, tensor methods by name."""
