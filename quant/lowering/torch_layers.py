"""Convolutions and normalizations of torch as float operators."""

from torch import Tensor, nn

from quant.common.errors import UnsupportedError
from quant.graph.types import Padding
from quant.lowering import layers
from quant.lowering.float_operators import FloatOperator
from quant.lowering.torch_constants import pair, reals, reals_or_none


def convolution(module: nn.Conv2d) -> FloatOperator:
    """Conv2d; a 1x1 one that mixes no channels is an affine map."""
    if module.padding_mode != "zeros":
        raise UnsupportedError(f"Conv2d with padding_mode {module.padding_mode}")
    return layers.convolution(
        reals(module.weight),
        reals_or_none(module.bias),
        padding(module.padding, module.weight, pair(module.dilation)),
        pair(module.stride),
        pair(module.dilation),
        module.groups,
    )


def transposed_convolution(module: nn.ConvTranspose2d) -> FloatOperator:
    """ConvTranspose2d as a convolution over the feature map with zeros between its pixels."""
    for what, found, wanted in (
        ("dilation", pair(module.dilation), (1, 1)),
        ("groups", module.groups, 1),
    ):
        if found != wanted:
            raise UnsupportedError(f"ConvTranspose2d with {what} {found}")
    around = spread_padding(module.weight, module.padding, module.output_padding)
    bias = reals_or_none(module.bias)
    return layers.transposed_convolution(reals(module.weight), bias, pair(module.stride), around)


def normalization(module: nn.BatchNorm2d) -> FloatOperator:
    """BatchNorm2d with the statistics it has learned."""
    if module.training:
        raise UnsupportedError("BatchNorm2d in training mode (call eval() first)")
    if module.running_mean is None or module.running_var is None:
        raise UnsupportedError("BatchNorm2d without running statistics")
    gain, bias = (module.weight, module.bias) if module.affine else (None, None)
    return layers.normalization(
        reals(module.running_mean),
        reals(module.running_var),
        module.eps,
        reals_or_none(gain),
        reals_or_none(bias),
    )


def padding(given: object, weight: Tensor, dilation: tuple[int, int]) -> Padding:
    """Around the feature map of a convolution: ``valid``, ``same``, or rows and columns.

    Args:
        given: as torch takes it.
        weight: of the convolution, [..., kernel_height, kernel_width].
        dilation: rows and columns between neighbouring taps.
    """
    if given == "valid":
        return Padding()
    if given == "same":
        rows, columns = (
            step * (taps - 1) for taps, step in zip(weight.shape[2:], dilation, strict=True)
        )
        return Padding(rows // 2, rows - rows // 2, columns // 2, columns - columns // 2)
    return Padding.even(*pair(given))


def spread_padding(weight: Tensor, given: object, output_padding: object) -> Padding:
    """Around the spread feature map of a transposed convolution.

    Args:
        weight: of the convolution, [..., kernel_height, kernel_width].
        given: rows and columns that are cut off.
        output_padding: rows and columns added below and right.
    """
    (rows, columns), (below, right) = pair(given), pair(output_padding)
    top, left = weight.shape[2] - 1 - rows, weight.shape[3] - 1 - columns
    if top < 0 or left < 0:
        raise UnsupportedError(f"ConvTranspose2d with padding {given} beyond its kernel")
    return Padding(top, top + below, left, left + right)
