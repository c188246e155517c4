"""What each operator of a quantized TensorFlow Lite model becomes in a graph."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from quant.graph import (
    AveragePool,
    BilinearResize,
    Concatenate,
    LookupTable,
    Multiply,
    NearestResize,
    ParametricRelu,
    PixelShuffle,
    Requantization,
    Requantize,
    TensorType,
)
from quant.interchange.derivation import (
    ADDITIONS,
    rescale,
    scale_quotient,
    some_channels,
    whole_range,
    zero_point,
)
from quant.interchange.picture_ends import codes_of_pixels
from quant.interchange.tflite_activations import activation_clamp, function_table
from quant.interchange.tflite_layers import LAYERS
from quant.interchange.tflite_model import ModelOperator
from quant.interchange.tflite_parts import (
    CONVENTION,
    Read,
    one_factor,
    padding_kind,
    pair,
    refused,
    single_quotient,
    size,
)

if TYPE_CHECKING:
    from quant.interchange.tflite_reader import Reader

_TABLE_BITS = 8
"""Of the codes that functions are tabulated for."""

_POOL_SHIFT = 24  # see docs/operators/average_pool.md
_RESIZE_SHIFT = 20


def _addition(reader: "Reader", operator: ModelOperator) -> None:
    operands = [reader.operand(operator, position) for position in (0, 1)]
    output = reader.feature_map(operator.output)
    types = [tensor for _, tensor in operands]
    if types[0].channels != types[1].channels:
        raise refused("operands of the same channels", f"{types[0]} and {types[1]}")
    wide = output.integer.bits > _TABLE_BITS
    if wide and operator.number("PotScaleInt16", 1):
        raise refused("16-bit sums of any scales", "those of powers of two")
    if wide and any(zero_point(tensor) for tensor in (*types, output)):
        raise refused("16-bit codes with zero point 0", "another zero point")
    made = ADDITIONS[CONVENTION](types[0], types[1], output, reader.clamp(operator, output))
    reader.append(operator.output.name, made, [name for name, _ in operands], output)


def _multiplication(reader: "Reader", operator: ModelOperator) -> None:
    operands = [reader.operand(operator, position) for position in (0, 1)]
    if operands[0][1].channels == 1 < operands[1][1].channels:
        operands.reverse()
    (first, one), (second, other) = operands
    output = reader.feature_map(operator.output)
    scales = [np.float32(tensor.encoding.scale) for tensor in (one, other, output)]
    scaling = one_factor(float(scales[0] * scales[1] / scales[2]), output)
    low, high = reader.clamp(operator, output)
    made = Multiply((-zero_point(one), -zero_point(other)), replace(scaling, low=low, high=high))
    reader.append(operator.output.name, made, (first, second), output)


def _quantize(reader: "Reader", operator: ModelOperator) -> None:
    tensor = operator.input(0)
    if tensor is not None and tensor.name in reader.reals:
        _quantize_real(reader, operator, reader.reals[tensor.name])
        return
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    made = rescale(source, output, scale_quotient(source, output), whole_range(output))
    reader.append(operator.output.name, made, (name,), output)


def _quantize_real(reader: "Reader", operator: ModelOperator, name: str) -> None:
    """Codes of the real numbers that the image stands for."""
    output = reader.feature_map(operator.output)
    if name != reader.nodes[0].name:
        raise refused("codes, or an image of real numbers", "other real numbers")
    table = codes_of_pixels(output, reader.white)
    reader.append(operator.output.name, LookupTable(table), (name,), output)


def _dequantize(reader: "Reader", operator: ModelOperator) -> None:
    """Real numbers that codes stand for, which only the model's output may be."""
    name, _ = reader.operand(operator, 0)
    reader.reals[operator.output.name] = name


def _activation(reader: "Reader", operator: ModelOperator) -> None:
    """ReLU and its kin, alone: a change of encoding with a clamp."""
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    clamp = activation_clamp(operator.code, output)
    assert clamp is not None
    made = rescale(source, output, single_quotient(source, output), clamp)
    reader.append(operator.output.name, made, (name,), output)


def _function(reader: "Reader", operator: ModelOperator) -> None:
    """A function of the real number, tabulated for every code."""
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    if source.integer.bits > _TABLE_BITS:
        raise refused(f"codes of at most {_TABLE_BITS} bits", str(source.integer))
    table = function_table(operator.code, source, output)
    reader.append(operator.output.name, LookupTable(table), (name,), output)


def _prelu(reader: "Reader", operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    slope = reader.constant(operator, 1)
    assert slope.values is not None
    if slope.values.size not in (1, source.channels) or slope.scales.size != 1:
        raise refused("a slope for each channel", f"{slope.shape}")
    steps = np.float32(source.encoding.scale), np.float32(output.encoding.scale)
    made = ParametricRelu(
        -zero_point(source),
        slope.values.reshape(-1) - int(slope.zeros[0]),
        one_factor(float(steps[0] / steps[1]), output),
        one_factor(float(steps[0] * slope.scales[0] / steps[1]), output),
    )
    reader.append(operator.output.name, made, (name,), output)


def _leaky_relu(reader: "Reader", operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    steps = np.float32(source.encoding.scale), np.float32(output.encoding.scale)
    alpha = np.float32(operator.number("Alpha"))
    slope = np.array([-1 if alpha < 0 else 1])
    made = ParametricRelu(
        -zero_point(source),
        slope,
        one_factor(float(steps[0] / steps[1]), output),
        one_factor(float(steps[0] * abs(alpha) / steps[1]), output),
    )
    reader.append(operator.output.name, made, (name,), output)


def _limit(reader: "Reader", operator: ModelOperator) -> None:
    """The smaller or the larger of each code and a constant of the same encoding: a clamp."""
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    constant = reader.constant(operator, 1)
    assert constant.values is not None
    encodings = {
        (float(scale), int(zero))
        for scale, zero in zip(constant.scales, constant.zeros, strict=False)
    } | {(tensor.encoding.scale, zero_point(tensor)) for tensor in (source, output)}
    if constant.values.size != 1 or len(encodings) != 1:
        raise refused("one constant of the operand's encoding", "another")
    low, high = whole_range(output)
    limit = int(constant.values.reshape(-1)[0])
    clamp = (low, min(high, limit)) if operator.code == "MINIMUM" else (max(low, limit), high)
    one, nothing = np.array([1]), np.array([0])
    made = Requantize(nothing, Requantization(one, nothing, 0, *clamp))
    reader.append(operator.output.name, made, (name,), output)


def _pixel_shuffle(reader: "Reader", operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    factor = operator.whole("BlockSize")
    if factor < 1 or source.channels % factor**2:
        raise refused("blocks that divide the channels", f"{source.channels} in {factor}")
    output = replace(source, channels=source.channels // factor**2)
    reader.append(operator.output.name, PixelShuffle(factor), (name,), output)


def _concatenation(reader: "Reader", operator: ModelOperator) -> None:
    operands = [reader.operand(operator, position) for position in range(len(operator.inputs))]
    output = reader.feature_map(operator.output)
    if operator.whole("Axis") not in (3, -1):
        raise refused("channels side by side", "another axis")
    encodings = {(tensor.integer, tensor.encoding) for _, tensor in operands}
    if encodings != {(output.integer, output.encoding)}:
        raise refused("operands of one encoding", "several")
    output = replace(output, channels=sum(tensor.channels for _, tensor in operands))
    names = [name for name, _ in operands]
    reader.append(operator.output.name, Concatenate(), names, output)


def _resize(reader: "Reader", operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    before, behind = size(operator.input(0)), size(operator.output)
    factor = behind.height // before.height
    if (before.height * factor, before.width * factor) != (behind.height, behind.width):
        raise refused("a resize by a whole factor", f"{before} to {behind}")
    if operator.number("AlignCorners"):
        raise refused("a resize whose corners are not aligned", "one with align_corners")
    centres = bool(operator.number("HalfPixelCenters"))
    output = _unchanged(reader, operator, source)
    if operator.code == "RESIZE_NEAREST_NEIGHBOR":
        reader.append(operator.output.name, NearestResize(factor), (name,), output)
        return
    scaling = Requantization(
        np.array([1]), np.array([_RESIZE_SHIFT]), 0, *whole_range(output), rounding="half_away"
    )
    made = BilinearResize(factor, centres, 0, scaling)
    reader.append(operator.output.name, made, (name,), output)


def _unchanged(reader: "Reader", operator: ModelOperator, source: TensorType) -> TensorType:
    """The result of an operator that leaves the encoding as it is."""
    output = reader.feature_map(operator.output)
    if (output.integer, output.encoding) != (source.integer, source.encoding):
        raise refused("one encoding for what it reads and makes", "two")
    return output


def _average_pool(reader: "Reader", operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    output = _unchanged(reader, operator, source)
    kernel, stride = (
        (operator.whole("FilterHeight"), operator.whole("FilterWidth")),
        pair(operator, "Stride"),
    )
    if padding_kind(operator) != "VALID" or source.integer.bits > _TABLE_BITS or min(kernel) < 1:
        raise refused("padding VALID, a window and codes of 8 bits", "others")
    multiplier = -(-(2**_POOL_SHIFT) // (kernel[0] * kernel[1]))
    low, high = reader.clamp(operator, output)
    scaling = Requantization(
        np.array([multiplier]), np.array([_POOL_SHIFT]), 0, low, high, rounding="half_away"
    )
    reader.append(operator.output.name, AveragePool(kernel, stride, 0, scaling), (name,), output)


def _pad(reader: "Reader", operator: ModelOperator) -> None:
    """Zeros around height and width, which the convolution that reads them takes over."""
    name, around = reader.padded_operand(operator, 0)
    sides = reader.constant(operator, 1).values
    assert sides is not None
    if sides.shape != (4, 2) or sides.min() < 0 or sides[[0, 3]].any():
        raise refused("padding of height and width", f"{sides.tolist()}"[:80])
    if operator.code == "PADV2":
        filled = reader.constant(operator, 2).values
        if filled is None or int(filled.reshape(-1)[0]) != zero_point(reader.types[name]):
            raise refused("padding with the zero point", "another code")
    (top, bottom), (left, right) = sides[1].tolist(), sides[2].tolist()
    joined = replace(
        around,
        top=around.top + top,
        bottom=around.bottom + bottom,
        left=around.left + left,
        right=around.right + right,
    )
    _unchanged(reader, operator, reader.types[name])
    reader.padded[operator.output.name] = name, joined


def _split(reader: "Reader", operator: ModelOperator) -> None:
    """Runs of channels of the same length; the axis is the first input."""
    axis = reader.constant(operator, 0).values
    name, source = reader.operand(operator, 1)
    parts = len(operator.outputs)
    if axis is None or int(axis.reshape(-1)[0]) not in (3, -1) or source.channels % parts:
        raise refused("channels split evenly", f"{source.channels} in {parts}")
    each = source.channels // parts
    for part, made in enumerate(operator.outputs):
        channels = np.arange(part * each, (part + 1) * each)
        output = replace(source, channels=each)
        reader.append(made.name, some_channels(channels, source), (name,), output)


def _strided_slice(reader: "Reader", operator: ModelOperator) -> None:
    """A run of channels of whole images."""
    name, source = reader.operand(operator, 0)
    begins, ends, strides = (reader.constant(operator, position).values for position in (1, 2, 3))
    assert begins is not None
    assert ends is not None
    assert strides is not None
    others = [operator.whole(f"{kind}Mask") for kind in ("Ellipsis", "NewAxis", "ShrinkAxis")]
    if not len(begins) == len(ends) == 4 or any(others) or strides.tolist() != [1] * 4:
        raise refused("a run of channels", "another slice")
    before = size(operator.input(0))
    shape = 1, before.height, before.width, source.channels
    masks = operator.whole("BeginMask"), operator.whole("EndMask")
    runs = [
        slice(
            None if masks[0] >> axis & 1 else int(begins[axis]),
            None if masks[1] >> axis & 1 else int(ends[axis]),
        ).indices(length)[:2]
        for axis, length in enumerate(shape)
    ]
    start, stop = runs.pop()
    if runs != [(0, length) for length in shape[:3]] or start >= stop:
        raise refused("a run of channels", "another slice")
    output = replace(source, channels=stop - start)
    made = some_channels(np.arange(start, stop), source)
    reader.append(operator.output.name, made, (name,), output)


READERS: dict[str, Read] = {
    **LAYERS,
    "ADD": _addition,
    "MUL": _multiplication,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
    "RELU": _activation,
    "RELU6": _activation,
    "RELU_N1_TO_1": _activation,
    "PRELU": _prelu,
    "LEAKY_RELU": _leaky_relu,
    "TANH": _function,
    "LOGISTIC": _function,
    "MINIMUM": _limit,
    "MAXIMUM": _limit,
    "DEPTH_TO_SPACE": _pixel_shuffle,
    "CONCATENATION": _concatenation,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "RESIZE_BILINEAR": _resize,
    "AVERAGE_POOL_2D": _average_pool,
    "PAD": _pad,
    "PADV2": _pad,
    "SPLIT": _split,
    "STRIDED_SLICE": _strided_slice,
}
"""(reader, operator) appends its nodes, by the operator's name in the schema."""
