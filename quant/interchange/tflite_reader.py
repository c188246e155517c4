"""8-bit TensorFlow Lite models as integer graphs, in the arithmetic of its reference kernels."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from quant.common.errors import UserError
from quant.common.rescaling import quantize_multiplier
from quant.graph import (
    CodeKind,
    Concatenate,
    Encoding,
    Graph,
    Input,
    IntegerType,
    LookupTable,
    Node,
    ParametricRelu,
    PixelShuffle,
    Requantization,
    Requantize,
    Size,
    TensorType,
    TransposedConvolution,
    verify,
)
from quant.graph.operators import Operator
from quant.interchange.derivation import (
    ADDITIONS,
    WEIGHT_TYPE,
    Clamp,
    convolution,
    folded_bias,
    requantization,
    rescale,
    scale_quotient,
    whole_range,
    zero_point,
)
from quant.interchange.tflite_activations import activation_clamp, function_table
from quant.interchange.tflite_model import Model, ModelOperator, ModelTensor, load_model
from quant.interchange.tflite_padding import padding, spread_padding

CONVENTION = "tflite_double"
_CODE_TYPES = {"INT8": IntegerType(8, CodeKind.SIGNED), "UINT8": IntegerType(8)}
_PADDINGS = ("SAME", "VALID")
_FEATURE_MAP_AXES = 4


def read_tflite(path: Path) -> Graph:
    """The integer graph of a model of 8-bit codes.

    It computes what LiteRT's reference kernels do; its nodes have the names of the tensors.

    Args:
        path: a ``.tflite`` file with one input and one output.

    Raises:
        UserError: the file is damaged, or holds something the graph has no operator for.
    """
    return graph_of(load_model(path), path)


def graph_of(model: Model, path: Path) -> Graph:
    """The integer graph of a model that has been read; the path is for messages and the name.

    Raises:
        UserError: it holds something the graph has no operator for.
    """
    reader = _Reader(path)
    reader.append(model.input.name, Input(), (), reader.feature_map(model.input))
    for operator in model.operators:
        reader.read(operator)
    if model.output.name not in reader.types:
        raise reader.refused(model.output, "an output that an operator makes", "none")
    metadata = {"source": path.name, "convention": CONVENTION}
    return verify(Graph.build(path.stem, reader.nodes, model.output.name, metadata))


@dataclass(eq=False)
class _Reader:
    """The graph so far."""

    path: Path
    nodes: list[Node] = field(default_factory=list)
    types: dict[str, TensorType] = field(default_factory=dict)

    def read(self, operator: ModelOperator) -> None:
        """Append the node of an operator."""
        if operator.code not in _READERS:
            raise self.refused(operator.output, f"one of {', '.join(_READERS)}", operator.code)
        _READERS[operator.code](self, operator)

    def append(
        self, name: str, operator: Operator, inputs: tuple[str, ...], output: TensorType
    ) -> None:
        """Append a node."""
        self.nodes.append(Node(name, operator, inputs, output))
        self.types[name] = output

    def feature_map(self, tensor: ModelTensor) -> TensorType:
        """Type of a feature map [1, height, width, channels]."""
        if tensor.type not in _CODE_TYPES:
            raise self.refused(tensor, "8-bit codes", tensor.type)
        if len(tensor.scales) != 1:
            raise self.refused(tensor, "one scale", str(len(tensor.scales)))
        if len(tensor.shape) != _FEATURE_MAP_AXES or tensor.shape[0] != 1:
            raise self.refused(tensor, "a shape 1×height×width×channels", str(tensor.shape))
        encoding = Encoding(float(tensor.scales[0]), (int(tensor.zeros[0]),))
        return TensorType(tensor.shape[3], _CODE_TYPES[tensor.type], encoding)

    def operand(self, operator: ModelOperator, position: int) -> tuple[str, TensorType]:
        """Name and type of a feature map that an operator reads."""
        tensor = operator.inputs[position]
        if tensor is None or tensor.name not in self.types:
            raise self.refused(operator.output, "a feature map to read", "a constant")
        return tensor.name, self.types[tensor.name]

    def constant(self, operator: ModelOperator, position: int) -> ModelTensor:
        """A constant that an operator reads, its values as int64."""
        tensor = operator.inputs[position]
        if tensor is None or tensor.values is None:
            raise self.refused(operator.output, f"a constant as input {position}", "none")
        return replace(tensor, values=tensor.values.astype(np.int64))

    def clamp(self, operator: ModelOperator, output: TensorType) -> Clamp:
        """The range of codes behind an operator's own activation."""
        clamp = activation_clamp(operator.options.get("FusedActivationFunction", 0), output)
        if clamp is None:
            raise self.refused(operator.output, "a ReLU or no activation", "another activation")
        return clamp

    def refused(self, tensor: ModelTensor, wanted: str, found: str) -> UserError:
        """The error of a model that no graph can be made of."""
        return UserError(
            f"{self.path}: tensor '{tensor.name}': expected {wanted}, found {found}; "
            "convert the network with full integer quantization, or without that operator"
        )


def _read_convolution(reader: _Reader, operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    weight = _weight(reader, operator, 1)
    assert weight.values is not None
    values, groups = weight.values, 1
    if operator.code == "DEPTHWISE_CONV_2D":
        values, groups = np.ascontiguousarray(values.transpose(3, 1, 2, 0)), source.channels
    stride, dilation = _pair(operator, "Stride", ""), _pair(operator, "Dilation", "Factor")
    made = convolution(
        CONVENTION,
        source,
        output,
        values,
        _bias(reader, operator, 2, len(values)),
        weight.scales,
        padding(_PADDINGS[0], _size(operator.inputs[0]), (1, 1), (1, 1)),
        reader.clamp(operator, output),
    )
    made = replace(made, stride=stride, dilation=dilation, groups=groups)
    kind = _PADDINGS[operator.options["Padding"]]
    made = replace(made, padding=padding(kind, _size(operator.inputs[0]), made.window, stride))
    reader.append(operator.output.name, made, (name,), output)


def _read_transposed_convolution(reader: _Reader, operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 2)
    output = reader.feature_map(operator.output)
    weight = _weight(reader, operator, 1)
    assert weight.values is not None
    turned = np.ascontiguousarray(weight.values[:, ::-1, ::-1])
    stride = _pair(operator, "Stride", "")
    made = TransposedConvolution(
        turned,
        WEIGHT_TYPE,
        folded_bias(turned, _bias(reader, operator, 3, len(turned)), source),
        stride,
        spread_padding(_PADDINGS[operator.options["Padding"]], weight.values.shape[1:3], stride),
        np.array([zero_point(source)]),
        requantization(CONVENTION, source, weight.scales, output, reader.clamp(operator, output)),
    )
    reader.append(operator.output.name, made, (name,), output)


def _read_addition(reader: _Reader, operator: ModelOperator) -> None:
    operands = [reader.operand(operator, position) for position in (0, 1)]
    output = reader.feature_map(operator.output)
    types = [tensor for _, tensor in operands]
    made = ADDITIONS[CONVENTION](types[0], types[1], output, reader.clamp(operator, output))
    reader.append(operator.output.name, made, tuple(name for name, _ in operands), output)


def _read_quantize(reader: _Reader, operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    made = rescale(source, output, scale_quotient(source, output), whole_range(output))
    reader.append(operator.output.name, made, (name,), output)


def _read_activation(reader: _Reader, operator: ModelOperator) -> None:
    """ReLU and its kin, alone: a change of encoding with a clamp."""
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    clamp = activation_clamp(operator.code, output)
    assert clamp is not None
    made = rescale(source, output, _single_quotient(source, output), clamp)
    reader.append(operator.output.name, made, (name,), output)


def _read_function(reader: _Reader, operator: ModelOperator) -> None:
    """A function of the real number, tabulated for every code."""
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    table = function_table(operator.code, source, output)
    reader.append(operator.output.name, LookupTable(table), (name,), output)


def _read_prelu(reader: _Reader, operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    slope = reader.constant(operator, 1)
    assert slope.values is not None
    if slope.values.size not in (1, source.channels):
        raise reader.refused(operator.output, "a slope for each channel", f"{slope.shape}")
    steps = np.float32(source.encoding.scale), np.float32(output.encoding.scale)
    made = ParametricRelu(
        -zero_point(source),
        slope.values.reshape(-1) - int(slope.zeros[0]),
        _one_factor(float(steps[0] / steps[1]), output),
        _one_factor(float(steps[0] * slope.scales[0] / steps[1]), output),
    )
    reader.append(operator.output.name, made, (name,), output)


def _read_limit(reader: _Reader, operator: ModelOperator) -> None:
    """The smaller or the larger of each code and a constant of the same encoding: a clamp."""
    name, source = reader.operand(operator, 0)
    output = reader.feature_map(operator.output)
    constant = reader.constant(operator, 1)
    assert constant.values is not None
    encodings = {
        (float(scale), int(zero))
        for scale, zero in zip(constant.scales, constant.zeros, strict=True)
    } | {(tensor.encoding.scale, zero_point(tensor)) for tensor in (source, output)}
    if constant.values.size != 1 or len(encodings) != 1:
        raise reader.refused(operator.output, "one constant of the operand's encoding", "another")
    low, high = whole_range(output)
    limit = int(constant.values.reshape(-1)[0])
    clamp = (low, min(high, limit)) if operator.code == "MINIMUM" else (max(low, limit), high)
    one, nothing = np.array([1]), np.array([0])
    made = Requantize(nothing, Requantization(one, nothing, 0, *clamp))
    reader.append(operator.output.name, made, (name,), output)


def _read_pixel_shuffle(reader: _Reader, operator: ModelOperator) -> None:
    name, source = reader.operand(operator, 0)
    factor = operator.options["BlockSize"]
    output = replace(source, channels=source.channels // factor**2)
    reader.append(operator.output.name, PixelShuffle(factor), (name,), output)


def _read_concatenation(reader: _Reader, operator: ModelOperator) -> None:
    operands = [reader.operand(operator, position) for position in range(len(operator.inputs))]
    output = reader.feature_map(operator.output)
    if operator.options["Axis"] not in (3, -1):
        raise reader.refused(operator.output, "channels side by side", "another axis")
    encodings = {(tensor.integer, tensor.encoding) for _, tensor in operands}
    if encodings != {(output.integer, output.encoding)}:
        raise reader.refused(operator.output, "operands of one encoding", "several")
    output = replace(output, channels=sum(tensor.channels for _, tensor in operands))
    names = tuple(name for name, _ in operands)
    reader.append(operator.output.name, Concatenate(), names, output)


def _weight(reader: _Reader, operator: ModelOperator, position: int) -> ModelTensor:
    """Weights of signed 8-bit codes with zero point 0."""
    weight = reader.constant(operator, position)
    if weight.type != "INT8" or weight.zeros.any() or not len(weight.scales):
        raise reader.refused(weight, "weights of INT8 with zero point 0", weight.type)
    return weight


def _bias(
    reader: _Reader, operator: ModelOperator, position: int, channels: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The bias, zeros where there is none: int64 [channels]."""
    if len(operator.inputs) <= position or operator.inputs[position] is None:
        return np.zeros(channels, np.int64)
    values = reader.constant(operator, position).values
    assert values is not None
    return values.reshape(-1)


def _size(tensor: ModelTensor | None) -> Size:
    assert tensor is not None
    return Size(*tensor.shape[1:3])


def _pair(operator: ModelOperator, before: str, behind: str) -> tuple[int, int]:
    """An option for rows and the same for columns."""
    return operator.options[f"{before}H{behind}"], operator.options[f"{before}W{behind}"]


def _single_quotient(source: TensorType, output: TensorType) -> float:
    """The quotient of two float32 scales in float32, as activations take it."""
    return float(np.float32(source.encoding.scale) / np.float32(output.encoding.scale))


def _one_factor(factor: float, output: TensorType) -> Requantization:
    found = quantize_multiplier(np.array([factor], np.float64))
    return Requantization(
        found.multiplier,
        found.shift,
        zero_point(output),
        *whole_range(output),
        rounding=CONVENTION,
    )


_READERS: dict[str, Callable[[_Reader, ModelOperator], None]] = {
    "CONV_2D": _read_convolution,
    "DEPTHWISE_CONV_2D": _read_convolution,
    "TRANSPOSE_CONV": _read_transposed_convolution,
    "ADD": _read_addition,
    "QUANTIZE": _read_quantize,
    "RELU": _read_activation,
    "RELU6": _read_activation,
    "RELU_N1_TO_1": _read_activation,
    "PRELU": _read_prelu,
    "TANH": _read_function,
    "LOGISTIC": _read_function,
    "MINIMUM": _read_limit,
    "MAXIMUM": _read_limit,
    "DEPTH_TO_SPACE": _read_pixel_shuffle,
    "CONCATENATION": _read_concatenation,
}
