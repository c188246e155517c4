"""Integer graphs as 8-bit TensorFlow Lite flatbuffers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from quant.graph import (
    Add,
    Concatenate,
    Convolution,
    Graph,
    Input,
    NearestResize,
    Node,
    PixelShuffle,
    Requantize,
    Size,
    TensorType,
)
from quant.graph.requantization_rules import broken
from quant.interchange import expressible
from quant.interchange.derivation import whole_range, zero_point
from quant.interchange.tflite_flatbuffer import Operator, Tensor, model_bytes
from quant.interchange.tflite_padding import SAME, VALID, padding

CONVENTIONS = ("tflite_double", "xnnpack")
"""The engines that read such files: LiteRT's reference kernels, and XNNPACK, its default."""

_CODES = tflite.BuiltinOperator
_LEAST_VERSIONS = {
    "convolution": 5,
    "depthwise": 3,
    "add": 2,
    "concatenate": 2,
    "nearest": 2,
    "limit": 2,
}
"""Of operators, the first that take signed 8-bit codes (convolutions: and one scale a channel)."""


def tflite_model(graph: Graph, image: Size, convention: str = "tflite_double") -> bytes:
    """The flatbuffer of a graph for images of one size.

    Args:
        graph: of signed 8-bit feature maps; its ends may be unsigned.
        image: height and width of the input.
        convention: one of `CONVENTIONS`, the engine that is to compute what the graph says.

    Raises:
        GraphError: the engine would compute something else.
    """
    writer = _Writer(graph, graph.sizes(image), convention)
    for node in graph.nodes:
        writer.append(node)
    return model_bytes(writer.tensors, writer.operators, [graph.input.name], [graph.output])


@dataclass(eq=False)
class _Writer:
    """The model so far."""

    graph: Graph
    sizes: dict[str, Size]
    convention: str
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)

    def append(self, node: Node) -> None:
        """Add a node's operator and the feature map it makes."""
        expressible.check_tensor(node)
        size, output = self.sizes[node.name], node.output
        self.tensors.append(
            Tensor(
                node.name,
                (1, size.height, size.width, output.channels),
                _dtype(output),
                np.array([output.encoding.scale], np.float32),
                zero_point(output),
            )
        )
        kind = type(node.operator)
        if kind not in _WRITERS:
            raise broken(node, f"one of {', '.join(known.kind for known in _WRITERS)}", kind.kind)
        _WRITERS[kind](self, node)

    def operands(self, node: Node) -> list[TensorType]:
        """Types of what a node reads."""
        return [self.graph.node(source).output for source in node.inputs]

    def constant(
        self, name: str, values: NDArray[Any], scales: NDArray[np.float32], axis: int = 0
    ) -> str:
        """Add a constant tensor of zero point 0."""
        self.tensors.append(Tensor(name, values.shape, values.dtype, scales, 0, values, axis))
        return name

    def operator(
        self, code: int, version: str, node: Node, *constants: str, **options: Any
    ) -> None:
        """Add an operator that makes a node's feature map; ``table`` names its options."""
        table = options.pop("table", None)
        inputs = [*node.inputs, *constants]
        self.operators.append(
            Operator(code, _LEAST_VERSIONS.get(version, 1), inputs, [node.name], table, options)
        )


def _dtype(tensor: TensorType) -> type[np.integer[Any]]:
    return np.int8 if tensor.integer.low < 0 else np.uint8


def _write_input(writer: _Writer, node: Node) -> None:
    """An input is a tensor without an operator."""


def _write_convolution(writer: _Writer, node: Node) -> None:
    convolution = node.operator
    assert isinstance(convolution, Convolution)
    (source,) = writer.operands(node)
    _check_signed(node, source, node.output)
    depthwise = convolution.groups == convolution.in_channels > 1
    if convolution.groups > 1 and not depthwise:
        raise broken(node, "one group, or one for each channel", str(convolution.groups))
    scales = expressible.engine_weight_scales(node, convolution, source, writer.convention)
    bias = expressible.engine_bias(node, convolution, source).astype(np.int32)
    weight = convolution.weight.astype(np.int8)
    if depthwise:
        weight = np.ascontiguousarray(weight.transpose(3, 1, 2, 0))
    constants = (
        writer.constant(f"{node.name}.weight", weight, scales, 3 if depthwise else 0),
        writer.constant(f"{node.name}.bias", bias, np.float32(source.encoding.scale) * scales),
    )
    options: dict[str, Any] = {
        "Padding": _padding(writer, node, convolution),
        "StrideH": convolution.stride[0],
        "StrideW": convolution.stride[1],
        "DilationHFactor": convolution.dilation[0],
        "DilationWFactor": convolution.dilation[1],
        "FusedActivationFunction": _activation(node, convolution),
    }
    if depthwise:
        options |= {
            "table": tflite.DepthwiseConv2DOptions,
            "DepthMultiplier": convolution.out_channels // convolution.in_channels,
        }
        writer.operator(_CODES.DEPTHWISE_CONV_2D, "depthwise", node, *constants, **options)
        return
    options["table"] = tflite.Conv2DOptions
    writer.operator(_CODES.CONV_2D, "convolution", node, *constants, **options)


def _write_add(writer: _Writer, node: Node) -> None:
    add = node.operator
    assert isinstance(add, Add)
    operands = writer.operands(node)
    _check_signed(node, *operands, node.output)
    activation = _activation(node, add)
    expressible.check_addition(node, add, operands, writer.convention)
    writer.operator(
        _CODES.ADD, "add", node, table=tflite.AddOptions, FusedActivationFunction=activation
    )


def _write_requantize(writer: _Writer, node: Node) -> None:
    requantize = node.operator
    assert isinstance(requantize, Requantize)
    (source,) = writer.operands(node)
    if expressible.only_clamps(requantize, source, node.output):
        _write_limits(writer, node, requantize)
        return
    if writer.convention != "tflite_double":
        raise broken(node, f"no change of encoding for {writer.convention}", "one")
    expressible.check_rescale(node, requantize, source)
    writer.operator(_CODES.QUANTIZE, "quantize", node)


def _write_limits(writer: _Writer, node: Node, requantize: Requantize) -> None:
    """A clamp of codes that stay as they are: MAXIMUM with its low end, MINIMUM with its high."""
    output, given = node.output, requantize.requantization
    whole = whole_range(output)
    limits = [
        (code, limit)
        for code, limit, own in (
            (_CODES.MAXIMUM, given.low, whole[0]),
            (_CODES.MINIMUM, given.high, whole[1]),
        )
        if limit != own
    ]
    if len(limits) != 1:
        raise broken(node, "a clamp at one end", f"one to {given.low} to {given.high}")
    ((code, limit),) = limits
    scale = np.array([output.encoding.scale], np.float32)
    values = np.full((1,), limit, _dtype(output))
    name = f"{node.name}.limit"
    constant = Tensor(name, values.shape, values.dtype, scale, zero_point(output), values)
    writer.tensors.append(constant)
    writer.operator(code, "limit", node, name, table=tflite.MaximumMinimumOptions)


def _write_pixel_shuffle(writer: _Writer, node: Node) -> None:
    shuffle = node.operator
    assert isinstance(shuffle, PixelShuffle)
    if shuffle.order != "dcr":
        raise broken(node, "the order dcr", shuffle.order)
    expressible.check_same_encoding(node, writer.operands(node))
    options = {"table": tflite.DepthToSpaceOptions, "BlockSize": shuffle.factor}
    writer.operator(_CODES.DEPTH_TO_SPACE, "shuffle", node, **options)


def _write_nearest_resize(writer: _Writer, node: Node) -> None:
    expressible.check_same_encoding(node, writer.operands(node))
    size = writer.sizes[node.name]
    name = f"{node.name}.size"
    values = np.array([size.height, size.width], np.int32)
    writer.tensors.append(Tensor(name, values.shape, values.dtype, values=values))
    options = {"table": tflite.ResizeNearestNeighborOptions}
    writer.operator(_CODES.RESIZE_NEAREST_NEIGHBOR, "nearest", node, name, **options)


def _write_concatenate(writer: _Writer, node: Node) -> None:
    expressible.check_same_encoding(node, writer.operands(node))
    options = {"table": tflite.ConcatenationOptions, "Axis": 3}
    writer.operator(_CODES.CONCATENATION, "concatenate", node, **options)


def _activation(node: Node, operator: Convolution | Add) -> int:
    kinds = tflite.ActivationFunctionType
    requantization = operator.requantization
    activation: int = kinds.RELU if expressible.has_relu(node, requantization) else kinds.NONE
    return activation


def _padding(writer: _Writer, node: Node, convolution: Convolution) -> int:
    """The kind of padding that comes to this convolution's for its image."""
    size = writer.sizes[node.inputs[0]]
    for kind, name in ((tflite.Padding.SAME, SAME), (tflite.Padding.VALID, VALID)):
        if padding(name, size, convolution.window, convolution.stride) == convolution.padding:
            return int(kind)
    raise broken(node, "no padding, or one that keeps the size", str(convolution.padding))


def _check_signed(node: Node, *tensors: TensorType) -> None:
    for tensor in tensors:
        if tensor.integer.low == 0:
            raise broken(node, "s8 codes, TensorFlow Lite's", str(tensor.integer))


_WRITERS: dict[type[Any], Callable[[_Writer, Node], None]] = {
    Input: _write_input,
    Convolution: _write_convolution,
    Add: _write_add,
    Requantize: _write_requantize,
    PixelShuffle: _write_pixel_shuffle,
    NearestResize: _write_nearest_resize,
    Concatenate: _write_concatenate,
}
