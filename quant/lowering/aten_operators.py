"""What each operator of an exported torch program means: the table `exported_network` looks up.

The parameters of the converters have the names torch gives them.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from math import inf, prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from quant.common.errors import UnsupportedError
from quant.lowering import layers
from quant.lowering.float_operators import FloatAffine, FloatClamp
from quant.lowering.network_builder import Converted
from quant.lowering.torch_constants import count, feature_maps, number, pair, reals, reals_or_none
from quant.lowering.torch_layers import padding as padding_around
from quant.lowering.torch_layers import spread_padding
from quant.lowering.torch_operators import FUNCTIONS

_PREFIX = "torch.ops.aten."


def operator_name(target: str) -> str:
    """An operator's name without its overload; those that work in place are no others."""
    name = target.removeprefix(_PREFIX).partition(".")[0]
    return name.removesuffix("_") if not name.endswith("__") else name


def convert_aten(target: str, arguments: Mapping[str, object]) -> Converted:
    """The float operator of a call.

    Args:
        target: such as ``torch.ops.aten.relu.default``.
        arguments: by name: `str` for a feature map, anything else is a constant.

    Raises:
        UnsupportedError: the operator has no counterpart for these arguments.
    """
    name = operator_name(target)
    if not target.startswith(_PREFIX) or name not in OPERATORS:
        reason = f" ({_REASONS[name]})" if name in _REASONS else ""
        raise UnsupportedError(f"{target.removeprefix('torch.ops.')}{reason}")
    try:
        return OPERATORS[name](**arguments)
    except (TypeError, RuntimeError) as error:  # arguments of other names, tensors for numbers
        raise UnsupportedError(f"{name} with unusual arguments") from error


_MEAN = "a mean whose count is the image's size, which a graph does not know"
_REASONS = {
    **dict.fromkeys(("mean", "adaptive_avg_pool2d"), _MEAN),
    **dict.fromkeys(("max_pool2d", "adaptive_max_pool2d", "amax"), "a maximum over windows"),
    **dict.fromkeys(("sym_size", "size"), "the image's size, which a graph does not know"),
}


def _tensor(value: object) -> Tensor:
    if not isinstance(value, Tensor):
        raise UnsupportedError("weights that are no constants")
    return value


def _kernel(value: object) -> Tensor:
    weight = _tensor(value)
    if weight.dim() != 4 or not weight.numel():
        raise UnsupportedError(f"weights of shape {tuple(weight.shape)}")
    return weight


def _optional(value: object) -> Tensor | None:
    return None if value is None else _tensor(value)


def _convolution(
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: int = 1,
) -> Converted:
    kernel, steps = _kernel(weight), pair(_single(dilation))
    made = layers.convolution(
        reals(kernel),
        reals_or_none(_optional(bias)),
        padding_around(_single(padding), kernel, steps),
        pair(_single(stride)),
        steps,
        count(groups),
    )
    return made, feature_maps(input)


def _any_convolution(
    input: object,
    weight: object,
    bias: object,
    stride: object,
    padding: object,
    dilation: object,
    transposed: object,
    output_padding: object,
    groups: int,
) -> Converted:
    if transposed:
        return _transposed(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return _convolution(input, weight, bias, stride, padding, dilation, groups)


def _transposed(
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    output_padding: object = 0,
    groups: int = 1,
    dilation: object = 1,
) -> Converted:
    if groups != 1 or pair(_single(dilation)) != (1, 1):
        raise UnsupportedError("conv_transpose2d with groups or dilation")
    kernel = _kernel(weight)
    around = spread_padding(kernel, _single(padding), _single(output_padding))
    bias_reals = reals_or_none(_optional(bias))
    made = layers.transposed_convolution(reals(kernel), bias_reals, pair(_single(stride)), around)
    return made, feature_maps(input)


def _single(value: object) -> object:
    """A list of one number is that number for both directions."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _normalization(
    input: object,
    weight: object,
    bias: object,
    running_mean: object,
    running_var: object,
    training: object = False,
    momentum: object = 0.1,
    eps: object = 1e-5,
    cudnn_enabled: object = False,
) -> Converted:
    if training:
        raise UnsupportedError("batch_norm in training mode (call eval() before the export)")
    made = layers.normalization(
        reals(_tensor(running_mean)),
        reals(_tensor(running_var)),
        number(eps),
        reals_or_none(_optional(weight)),
        reals_or_none(_optional(bias)),
    )
    return made, feature_maps(input)


def _plain(function: object) -> Callable[..., Converted]:
    """A function of torch by the arguments that its operator has."""
    return lambda self, **others: FUNCTIONS[function](self, **others)


def _binary(function: object) -> Callable[..., Converted]:
    def convert(self: object, other: object, alpha: object = 1) -> Converted:
        if alpha != 1:
            raise UnsupportedError(f"alpha {alpha}")
        return FUNCTIONS[function](self, other)

    return convert


def _limit(is_least: bool) -> Callable[..., Converted]:
    def convert(self: object, min: object = None, max: object = None) -> Converted:
        limit = number(min if is_least else max)
        clamp = (limit, inf) if is_least else (-inf, limit)
        return FloatClamp(clamp), feature_maps(self)

    return convert


def _resize(mode: str) -> Callable[..., Converted]:
    def convert(
        input: object,
        output_size: object = None,
        scale_factors: object = None,
        align_corners: object = None,
    ) -> Converted:
        return FUNCTIONS[functional.interpolate](
            input, output_size, scale_factors, mode, align_corners
        )

    return convert


def _average_pool(
    self: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    ceil_mode: object = False,
    count_include_pad: object = True,
    divisor_override: object = None,
) -> Converted:
    if divisor_override is not None:
        raise UnsupportedError("avg_pool2d with divisor_override")
    walk = None if stride in (None, []) else _single(stride)
    return FUNCTIONS[functional.avg_pool2d](
        self, _single(kernel_size), walk, _single(padding), ceil_mode
    )


def _pad(self: object, pad: object, mode: str = "constant", value: object = None) -> Converted:
    return FUNCTIONS[functional.pad](self, pad, mode, value)


def _same(self: object, *_: object, **__: object) -> Converted:
    return None, feature_maps(self)


def _dropout(input: object, p: object = 0.5, train: object = False) -> Converted:
    if train:
        raise UnsupportedError("dropout in training mode (call eval() before the export)")
    return None, feature_maps(input)


def _negated(self: object) -> Converted:
    return FloatAffine(-np.ones(1), np.zeros(1)), feature_maps(self)


OPERATORS: dict[str, Callable[..., Converted]] = {
    "conv2d": _convolution,
    "convolution": _any_convolution,
    "conv_transpose2d": _transposed,
    "batch_norm": _normalization,
    "_native_batch_norm_legit_no_training": _normalization,
    "relu": _plain(functional.relu),
    "relu6": _plain(functional.relu6),
    "hardtanh": _plain(functional.hardtanh),
    "clamp": _plain(torch.clamp),
    "clamp_min": _limit(is_least=True),
    "clamp_max": _limit(is_least=False),
    "leaky_relu": lambda self, negative_slope=0.01: FUNCTIONS[functional.leaky_relu](
        self, negative_slope
    ),
    "prelu": _plain(functional.prelu),
    "sigmoid": _plain(torch.sigmoid),
    "tanh": _plain(torch.tanh),
    "gelu": _plain(functional.gelu),
    "silu": _plain(functional.silu),
    "hardsigmoid": _plain(functional.hardsigmoid),
    "hardswish": _plain(functional.hardswish),
    "add": _binary(operator.add),
    "sub": _binary(operator.sub),
    "mul": _binary(operator.mul),
    "div": _binary(operator.truediv),
    "neg": _negated,
    "cat": lambda tensors, dim=0: FUNCTIONS[torch.cat](tensors, dim),
    "pixel_shuffle": _plain(torch.pixel_shuffle),
    "upsample_nearest2d": _resize("nearest"),
    "upsample_bilinear2d": _resize("bilinear"),
    "avg_pool2d": _average_pool,
    "pad": _pad,
    "constant_pad_nd": _pad,
    "dropout": _dropout,
    **dict.fromkeys(("alias", "clone", "contiguous", "detach", "lift_fresh_copy", "to"), _same),
}
"""By the operator's name."""

ON_CONSTANTS: dict[str, Callable[..., Tensor]] = {
    "view": lambda self, size: self.reshape(size),
    "reshape": lambda self, shape: self.reshape(shape),
    "unsqueeze": lambda self, dim: self.unsqueeze(dim),
    "squeeze": lambda self, dim=None: self.squeeze() if dim is None else self.squeeze(dim),
    "add": lambda self, other: self + other,
    "sub": lambda self, other: self - other,
    "mul": lambda self, other: self * other,
    "div": lambda self, other: self / other,
    "neg": lambda self: -self,
    "sqrt": lambda self: self.sqrt(),
    "reciprocal": lambda self: self.reciprocal(),
    **dict.fromkeys(
        ("alias", "clone", "contiguous", "detach", "lift_fresh_copy"),
        lambda self, **_: self,
    ),
}
"""Operators that are computed where they read constants alone; each makes a few values of few."""

_LARGEST_CONSTANT = 1 << 26


def on_constants(target: str, arguments: Mapping[str, object]) -> Tensor | None:
    """The result of an operator that reads constants alone, or None where it is none such."""
    tensors = [value for value in arguments.values() if isinstance(value, Tensor)]
    name = operator_name(target)
    plain = all(_is_plain(value) for value in arguments.values())
    if name not in ON_CONSTANTS or not tensors or not plain:
        return None
    try:
        shape = np.broadcast_shapes(*(tuple(tensor.shape) for tensor in tensors))
        if prod(shape) > _LARGEST_CONSTANT:
            return None
        return ON_CONSTANTS[name](**arguments)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return None


def _is_plain(value: object) -> bool:
    """Whether it is no feature map, nor a list with one."""
    parts: Sequence[Any] = value if isinstance(value, list) else [value]
    return not any(isinstance(part, str) for part in parts)
