"""Convolutions and normalizations of torch as float operators."""

import numpy as np
from torch import nn

from quant.graph.types import Padding
from quant.lowering.float_operators import (
    FloatAffine,
    FloatConvolution,
    FloatOperator,
    FloatTransposedConvolution,
    Reals,
)
from quant.lowering.torch_constants import UnsupportedError, pair, reals


def convolution(module: nn.Conv2d) -> FloatOperator:
    """Conv2d; a 1x1 one that mixes no channels is an affine map."""
    if module.padding_mode != "zeros":
        raise UnsupportedError(f"Conv2d with padding_mode {module.padding_mode}")
    weight = reals(module.weight)
    bias = np.zeros(len(weight)) if module.bias is None else reals(module.bias)
    padding, stride = _padding(module), pair(module.stride)
    factors = _factors_of_channels(weight, module)
    if factors is not None and padding == Padding() and stride == (1, 1):
        return FloatAffine(factors, bias)
    return FloatConvolution(
        np.moveaxis(weight, 1, 3).copy(),
        bias,
        padding,
        stride=stride,
        dilation=pair(module.dilation),
        groups=module.groups,
    )


def transposed_convolution(module: nn.ConvTranspose2d) -> FloatOperator:
    """ConvTranspose2d as a convolution over the feature map with zeros between its pixels."""
    for what, found, wanted in (
        ("dilation", pair(module.dilation), (1, 1)),
        ("groups", module.groups, 1),
    ):
        if found != wanted:
            raise UnsupportedError(f"ConvTranspose2d with {what} {found}")
    weight = reals(module.weight)  # [in_channels, out_channels, kernel_height, kernel_width]
    turned = np.transpose(weight[:, :, ::-1, ::-1], (1, 2, 3, 0)).copy()
    bias = np.zeros(len(turned)) if module.bias is None else reals(module.bias)
    assert not isinstance(module.padding, str)
    (rows, columns), (below, right) = pair(module.padding), pair(module.output_padding)
    top, left = turned.shape[1] - 1 - rows, turned.shape[2] - 1 - columns
    if top < 0 or left < 0:
        raise UnsupportedError(f"ConvTranspose2d with padding {module.padding} beyond its kernel")
    padding = Padding(top, top + below, left, left + right)
    return FloatTransposedConvolution(turned, bias, pair(module.stride), padding)


def normalization(module: nn.BatchNorm2d) -> FloatOperator:
    """BatchNorm2d with the statistics it has learned (Ioffe and Szegedy, arXiv 1502.03167)."""
    if module.training:
        raise UnsupportedError("BatchNorm2d in training mode (call eval() first)")
    if module.running_mean is None or module.running_var is None:
        raise UnsupportedError("BatchNorm2d without running statistics")
    scale = 1 / np.sqrt(reals(module.running_var) + module.eps)
    offset = -reals(module.running_mean) * scale
    if module.affine:
        scale, offset = scale * reals(module.weight), offset * reals(module.weight)
        offset = offset + reals(module.bias)
    return FloatAffine(scale, offset)


def _factors_of_channels(weight: Reals, module: nn.Conv2d) -> Reals | None:
    """What a 1x1 convolution multiplies each channel by, if it mixes none."""
    outputs, inputs, *kernel = weight.shape
    if kernel != [1, 1] or outputs != inputs * module.groups:
        return None
    matrix = weight[:, :, 0, 0]
    if module.groups == outputs:
        return matrix[:, 0].copy()
    diagonal: Reals = np.diag(matrix).copy()
    return diagonal if module.groups == 1 and np.array_equal(matrix, np.diag(diagonal)) else None


def _padding(module: nn.Conv2d) -> Padding:
    if module.padding == "valid":
        return Padding()
    if module.padding == "same":
        reach = [
            dilation * (taps - 1)
            for taps, dilation in zip(module.kernel_size, pair(module.dilation), strict=True)
        ]
        rows, columns = reach
        return Padding(rows // 2, rows - rows // 2, columns // 2, columns - columns // 2)
    assert not isinstance(module.padding, str)
    return Padding.even(*pair(module.padding))
