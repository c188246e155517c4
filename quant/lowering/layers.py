"""Layers as float operators, from their weights, wherever those come from."""

from math import inf

import numpy as np

from quant.common.errors import UnsupportedError
from quant.graph.operators import RESIZE_FRACTION_BITS
from quant.graph.types import Padding
from quant.lowering.float_operators import (
    FloatAffine,
    FloatAveragePool,
    FloatBilinear,
    FloatClamp,
    FloatConvolution,
    FloatOperator,
    FloatPRelu,
    FloatTransposedConvolution,
    Reals,
)

Pair = tuple[int, int]

_GRID = 1 << RESIZE_FRACTION_BITS
"""Positions in a pixel that a bilinear resize of the graph knows."""


def convolution(
    weight: Reals,
    bias: Reals | None,
    padding: Padding,
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> FloatOperator:
    """A convolution; a 1×1 one that mixes no channels is an affine map.

    Args:
        weight: [out_channels, in_channels / groups, kernel_height, kernel_width].
        bias: [out_channels]; None: zeros.
        padding: rows and columns of zeros around the feature map.
        stride: rows and columns between neighbouring windows.
        dilation: rows and columns between neighbouring taps.
        groups: of channels.
    """
    offset = np.zeros(len(weight)) if bias is None else bias
    factors = _factors_of_channels(weight, groups)
    if factors is not None and padding == Padding() and stride == (1, 1):
        return FloatAffine(factors, offset)
    return FloatConvolution(
        np.moveaxis(weight, 1, 3).copy(), offset, padding, (-inf, inf), stride, dilation, groups
    )


def transposed_convolution(
    weight: Reals, bias: Reals | None, stride: Pair, padding: Padding
) -> FloatOperator:
    """A convolution over the feature map with zeros between its pixels.

    Args:
        weight: [in_channels, out_channels, kernel_height, kernel_width].
        bias: [out_channels]; None: zeros.
        stride: output pixels per input pixel, down and across.
        padding: rows and columns of zeros around the spread feature map.
    """
    turned = np.transpose(weight[:, :, ::-1, ::-1], (1, 2, 3, 0)).copy()
    offset = np.zeros(len(turned)) if bias is None else bias
    return FloatTransposedConvolution(turned, offset, stride, padding)


def normalization(
    mean: Reals, variance: Reals, epsilon: float, gain: Reals | None, bias: Reals | None
) -> FloatOperator:
    """Batch normalization with what was learned (Ioffe and Szegedy, arXiv 1502.03167)."""
    given = [numbers.size for numbers in (mean, variance, gain, bias) if numbers is not None]
    if len(set(given)) > 1:
        raise UnsupportedError(f"a normalization by {given} numbers")
    scale = 1 / np.sqrt(variance + epsilon)
    scale = scale if gain is None else scale * gain
    offset = -mean * scale
    return FloatAffine(scale, offset if bias is None else offset + bias)


def prelu(slope: Reals) -> FloatOperator:
    """Negative values times a slope, [channels] or [1]; a ReLU where all slopes are 0."""
    return FloatPRelu(slope) if slope.any() else FloatClamp((0.0, inf))


def average_pool(kernel: Pair, stride: Pair, *, has_border: bool) -> FloatOperator:
    """A mean over windows.

    Args:
        kernel: rows and columns of a window.
        stride: rows and columns between neighbouring windows.
        has_border: whether windows may reach beyond the feature map.
    """
    if has_border:
        raise UnsupportedError("an average pool with padding or ceil_mode")
    return FloatAveragePool(kernel, stride)


def bilinear(factor: int, what: str = "bilinear resize") -> FloatOperator:
    """An interpolation between pixels with centres, by a factor that the graph's grid divides."""
    if _GRID % factor:
        raise UnsupportedError(f"{what} by {factor}, whose positions no grid of 2^-10 has")
    return FloatBilinear(factor)


def _factors_of_channels(weight: Reals, groups: int) -> Reals | None:
    """What a 1×1 convolution multiplies each channel by, if it mixes none."""
    outputs, inputs, *kernel = weight.shape
    if kernel != [1, 1] or outputs != inputs * groups:
        return None
    matrix = weight[:, :, 0, 0]
    if groups == outputs:
        return matrix[:, 0].copy()
    diagonal: Reals = np.diag(matrix).copy()
    return diagonal if groups == 1 and np.array_equal(matrix, np.diag(diagonal)) else None
