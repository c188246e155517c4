"""Our operators as inference engines derive them from the scales and zero points of their tensors.

An engine's file holds real scales; the integers it multiplies and shifts by, it makes itself when
it loads the file. A *convention* is one engine's way, named as its requantization mode.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quant.common.add_rescaling import (
    TFLITE_LEFT_SHIFT,
    TFLITE_LEFT_SHIFT_WIDE,
    onnx_add,
    tflite_add,
    xnnpack_add,
)
from quant.common.requantization_modes import ONE_FLOAT32
from quant.common.rescaling import float32_bits, quantize_multiplier, rescaling
from quant.graph import (
    Add,
    CodeKind,
    Convolution,
    FusedTerms,
    IntegerType,
    Multiply,
    Padding,
    Requantization,
    Requantize,
    TensorType,
    TermRounding,
)
from quant.graph.operators import Integers

WEIGHT_TYPE = IntegerType(8, CodeKind.SIGNED)
CODE_TYPES = {
    "int4": IntegerType(4, CodeKind.SIGNED),
    "uint4": IntegerType(4),
    "int8": WEIGHT_TYPE,
    "uint8": IntegerType(8),
    "int16": IntegerType(16, CodeKind.SIGNED),
    "uint16": IntegerType(16),
    "int32": IntegerType(32, CodeKind.SIGNED),
}
"""Types of codes by NumPy's name."""

Clamp = tuple[int, int]
Singles = NDArray[np.float32]


def zero_point(tensor: TensorType) -> int:
    """The one code that stands for the real number 0.

    Raises:
        ValueError: channels have zero points of their own.
    """
    (zero,) = set(tensor.encoding.zero_point)
    return zero


def whole_range(tensor: TensorType) -> Clamp:
    """No clamp but that of the type."""
    return tensor.integer.low, tensor.integer.high


def requantization(
    mode: str, source: TensorType, weight_scales: Singles, output: TensorType, clamp: Clamp
) -> Requantization:
    """From sums of a feature map times weights to codes of another feature map.

    Args:
        mode: a requantization mode.
        source: the feature map read; its scale is taken as float32, like every scale.
        weight_scales: float32 [out_channels] or [1].
        output: the feature map written.
        clamp: least and greatest code.
    """
    found = rescaling(mode, source.encoding.scale, weight_scales, output.encoding.scale)
    return Requantization(
        found.multiplier,
        found.shift,
        zero_point(output),
        *clamp,
        rounding=mode,
        destination_scale=found.destination_scale,
    )


def folded_bias(weight: Integers, bias: Integers, source: TensorType) -> Integers:
    """The bias as our operators have it, with the input's zero point in it: int64 [out_channels].

    Args:
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels / groups].
        bias: int64 [out_channels], as engines have it.
        source: the feature map read.
    """
    folded: Integers = bias - zero_point(source) * weight.sum(axis=(1, 2, 3))
    return folded


def convolution(
    mode: str,
    source: TensorType,
    output: TensorType,
    weight: Integers,
    bias: Integers,
    weight_scales: Singles,
    padding: Padding,
    clamp: Clamp,
) -> Convolution:
    """A convolution of stride 1; `dataclasses.replace` gives it another.

    Args:
        mode: a requantization mode.
        source: the feature map read.
        output: the feature map written.
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels / groups], of 8
            signed bits, zero point 0.
        bias: int64 [out_channels], without the input's zero point.
        weight_scales: float32 [out_channels] or [1].
        padding: rows and columns of zero points around the image.
        clamp: least and greatest code.
    """
    return Convolution(
        weight,
        WEIGHT_TYPE,
        folded_bias(weight, bias, source),
        padding,
        np.array([zero_point(source)]),
        requantization(mode, source, weight_scales, output, clamp),
    )


def rescale(source: TensorType, output: TensorType, factor: float, clamp: Clamp) -> Requantize:
    """A feature map in another encoding, as TensorFlow Lite's reference kernels compute it.

    Args:
        source: the feature map read.
        output: the feature map written.
        factor: the source's scale over the output's, as the operator at hand rounds it.
        clamp: least and greatest code.
    """
    found = quantize_multiplier(np.array([factor], np.float64))
    scaling = Requantization(
        found.multiplier, found.shift, zero_point(output), *clamp, rounding="tflite_double"
    )
    return Requantize(np.array([-zero_point(source)]), scaling)


def scale_quotient(source: TensorType, output: TensorType) -> float:
    """The quotient of two float32 scales in float64, as QUANTIZE takes it."""
    return float(np.float32(source.encoding.scale)) / float(np.float32(output.encoding.scale))


def tflite_addition(first: TensorType, second: TensorType, output: TensorType, clamp: Clamp) -> Add:
    """ADD of TensorFlow Lite's reference kernels."""
    left_shift = tflite_left_shift(first, second, output)
    found = tflite_add(_scales(first, second), output.encoding.scale, left_shift)
    terms = TermRounding((zero_point(first), zero_point(second)), found.shifts, left_shift)
    scaling = _one_scale(
        found.sum_multiplier, found.sum_shift, zero_point(output), clamp, "tflite_double"
    )
    return Add(found.multipliers, 0, scaling, terms)


def tflite_left_shift(*tensors: TensorType) -> int:
    """Bits by which ADD widens its operands: more where nothing has above 8 bits."""
    widest = max(tensor.integer.bits for tensor in tensors)
    return TFLITE_LEFT_SHIFT if widest <= WEIGHT_TYPE.bits else TFLITE_LEFT_SHIFT_WIDE


def xnnpack_addition(
    first: TensorType, second: TensorType, output: TensorType, clamp: Clamp
) -> Add:
    """ADD of XNNPACK, which LiteRT uses unless told otherwise."""
    found = xnnpack_add(_scales(first, second), output.encoding.scale)
    zeros = zero_point(first), zero_point(second)
    bias = -sum(factor * zero for factor, zero in zip(found.multipliers, zeros, strict=True))
    return Add(
        found.multipliers, bias, _one_scale(1, found.shift, zero_point(output), clamp, "half_up")
    )


def onnx_addition(first: TensorType, second: TensorType, output: TensorType, clamp: Clamp) -> Add:
    """QLinearAdd of ONNX Runtime on x86 processors."""
    zeros = zero_point(first), zero_point(second)
    found = onnx_add(_scales(first, second), zeros, output.encoding.scale, zero_point(output))
    scaling = _one_scale(ONE_FLOAT32, 0, 0, clamp, "onnxruntime")
    return Add(found.ratios, 0, scaling, FusedTerms(found.addend))


def onnx_multiplication(
    first: TensorType, second: TensorType, output: TensorType, clamp: Clamp
) -> Multiply:
    """QLinearMul of ONNX Runtime."""
    scales = [np.float32(tensor.encoding.scale) for tensor in (first, second, output)]
    factor = int(float32_bits(scales[0] * scales[1] / scales[2])[0])
    scaling = _one_scale(factor, 0, zero_point(output), clamp, "onnxruntime")
    return Multiply(
        (-zero_point(first), -zero_point(second)), replace(scaling, zero_point_first=True)
    )


ADDITIONS: dict[str, Callable[[TensorType, TensorType, TensorType, Clamp], Add]] = {
    "tflite_double": tflite_addition,
    "xnnpack": xnnpack_addition,
    "onnxruntime": onnx_addition,
}
"""By convention: (first, second, output, clamp) to the addition as that engine computes it."""


def some_channels(channels: Integers, source: TensorType) -> Convolution:
    """Some channels of a feature map, in an order: a 1×1 convolution of zeros and ones, exact."""
    weight = np.zeros((len(channels), 1, 1, source.channels), np.int64)
    weight[np.arange(len(channels)), 0, 0, channels] = 1
    low, high = whole_range(source)
    return Convolution(
        weight,
        IntegerType(2, CodeKind.SIGNED),
        np.zeros(len(channels), np.int64),
        Padding(),
        np.array([low]),
        Requantization(np.ones(1, np.int64), np.zeros(1, np.int64), 0, low, high),
    )


def _scales(first: TensorType, second: TensorType) -> tuple[float, float]:
    return first.encoding.scale, second.encoding.scale


def _one_scale(multiplier: int, shift: int, zero: int, clamp: Clamp, mode: str) -> Requantization:
    return Requantization(np.array([multiplier]), np.array([shift]), zero, *clamp, rounding=mode)
