"""TensorFlow Lite's convolutions as ours."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from quant.graph import Padding, TensorType, TransposedConvolution
from quant.graph.operators import Integers
from quant.interchange.derivation import (
    WEIGHT_TYPE,
    convolution,
    folded_bias,
    requantization,
    zero_point,
)
from quant.interchange.tflite_model import ModelOperator, ModelTensor
from quant.interchange.tflite_padding import padding, spread_padding
from quant.interchange.tflite_parts import (
    CONVENTION,
    Read,
    padding_kind,
    pair,
    refused,
    size,
)

if TYPE_CHECKING:
    from quant.interchange.tflite_reader import Reader

_WIDE_SUMS = "tflite_s64"
"""The mode of 16-bit feature maps whose biases have 64 bits, or that have none."""


def _convolution(reader: "Reader", operator: ModelOperator) -> None:
    name, around = reader.padded_operand(operator, 0)
    source, output = reader.types[name], reader.feature_map(operator.output)
    weight = _weight(reader, operator, 1, axis=0)
    assert weight.values is not None
    values, groups = weight.values, 1
    if operator.code == "DEPTHWISE_CONV_2D":
        values, groups = np.ascontiguousarray(values.transpose(3, 1, 2, 0)), source.channels
    stride, dilation = pair(operator, "Stride"), pair(operator, "Dilation", "Factor")
    bias, mode = _bias(reader, operator, 2, len(values), source)
    made = convolution(
        mode,
        source,
        output,
        values,
        bias,
        weight.scales,
        Padding(),
        reader.clamp(operator, output),
    )
    made = replace(made, stride=stride, dilation=dilation, groups=groups)
    own = padding(padding_kind(operator), size(operator.input(0)), made.window, stride)
    joined = Padding(
        own.top + around.top,
        own.bottom + around.bottom,
        own.left + around.left,
        own.right + around.right,
    )
    reader.append(operator.output.name, replace(made, padding=joined), (name,), output)


def _transposed_convolution(reader: "Reader", operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 2)
    output = reader.feature_map(operator.output)
    weight = _weight(reader, operator, 1, axis=0)
    assert weight.values is not None
    turned = np.ascontiguousarray(weight.values[:, ::-1, ::-1])
    stride = pair(operator, "Stride")
    bias, mode = _bias(reader, operator, 3, len(turned), source)
    made = TransposedConvolution(
        turned,
        WEIGHT_TYPE,
        folded_bias(turned, bias, source),
        stride,
        spread_padding(padding_kind(operator), weight.values.shape[1:3], stride),
        np.array([zero_point(source)]),
        requantization(mode, source, weight.scales, output, reader.clamp(operator, output)),
    )
    reader.append(operator.output.name, made, (name,), output)


def _weight(reader: "Reader", operator: ModelOperator, position: int, axis: int) -> ModelTensor:
    """Weights of signed 8-bit codes with zero point 0, one scale or one for each channel."""
    weight = reader.constant(operator, position)
    assert weight.values is not None
    if weight.type != "INT8" or weight.zeros.any() or weight.values.ndim != 4:
        raise refused("weights of INT8 with zero point 0 and four axes", weight.type)
    channels = weight.values.shape[3 if operator.code == "DEPTHWISE_CONV_2D" else axis]
    usable = np.isfinite(weight.scales).all() and (weight.scales > 0).all()
    if weight.scales.size not in (1, channels) or not usable:
        raise refused(f"1 or {channels} positive scales of weights", str(weight.scales.size))
    return weight


def _bias(
    reader: "Reader", operator: ModelOperator, position: int, channels: int, source: TensorType
) -> tuple[Integers, str]:
    """The bias, zeros where there is none, int64 [channels], and how its sums are rounded."""
    is_wide = source.integer.bits > WEIGHT_TYPE.bits
    if operator.input(position) is None:
        return np.zeros(channels, np.int64), _WIDE_SUMS if is_wide else CONVENTION
    bias = reader.constant(operator, position)
    assert bias.values is not None
    wanted = "INT64" if is_wide else "INT32"
    if bias.values.size != channels or bias.type != wanted:
        raise refused(f"{channels} biases of {wanted}", f"{bias.values.size} of {bias.type}")
    return bias.values.reshape(-1), _WIDE_SUMS if is_wide else CONVENTION


LAYERS: dict[str, Read] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "TRANSPOSE_CONV": _transposed_convolution,
}
