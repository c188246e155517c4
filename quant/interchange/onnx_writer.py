"""Integer graphs as ONNX models of quantized linear operators, for ONNX Runtime."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from quant.graph import (
    Add,
    Concatenate,
    Convolution,
    Graph,
    Input,
    Node,
    PixelShuffle,
    Size,
    TensorType,
)
from quant.graph.requantization_rules import broken
from quant.interchange import expressible
from quant.interchange.derivation import zero_point

CONVENTION = "onnxruntime"
OPSET = 13
IR_VERSION = 8
"""Of the models: old enough for every ONNX Runtime of the last years."""
EXTENSIONS = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""


def onnx_model(graph: Graph, image: Size) -> bytes:
    """The ONNX model of a graph for images of one size, channels first as ONNX has them.

    Args:
        graph: of 8-bit feature maps, all signed or all unsigned.
        image: height and width of the input.

    Raises:
        GraphError: ONNX Runtime would compute something else.
    """
    writer = _Writer(graph)
    for node in graph.nodes:
        writer.append(node)
    model = helper.make_model(
        helper.make_graph(
            writer.nodes,
            graph.name,
            [_information(graph.input, image)],
            [_information(graph.node(graph.output), graph.sizes(image)[graph.output])],
            [numpy_helper.from_array(values, name) for name, values in writer.constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(EXTENSIONS, 1)],
        ir_version=IR_VERSION,
    )
    content: bytes = model.SerializeToString()
    return content


def element(tensor: TensorType) -> np.dtype[Any]:
    """NumPy's type of 8-bit codes."""
    return np.dtype(np.int8 if tensor.integer.low < 0 else np.uint8)


def _information(node: Node, size: Size) -> Any:
    shape = (1, node.output.channels, size.height, size.width)
    kind = helper.np_dtype_to_tensor_dtype(element(node.output))
    return helper.make_tensor_value_info(node.name, kind, shape)


@dataclass(eq=False)
class _Writer:
    """The model so far."""

    graph: Graph
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    def append(self, node: Node) -> None:
        """Add a node's operator."""
        expressible.check_tensor(node)
        for operand in self.operands(node):
            if operand.integer != node.output.integer:
                raise broken(node, f"{operand.integer} output codes", str(node.output.integer))
        kind = type(node.operator)
        if kind not in _WRITERS:
            raise broken(node, f"one of {', '.join(known.kind for known in _WRITERS)}", kind.kind)
        _WRITERS[kind](self, node)

    def operands(self, node: Node) -> list[TensorType]:
        """Types of what a node reads."""
        return [self.graph.node(source).output for source in node.inputs]

    def encoded(self, name: str) -> list[str]:
        """Names of a feature map, of its scale and of its zero point, made constants."""
        tensor = self.graph.node(name).output
        scale, zero = f"{name}.scale", f"{name}.zero"
        self.constants[scale] = np.array(tensor.encoding.scale, np.float32)
        self.constants[zero] = np.array(zero_point(tensor), element(tensor))
        return [name, scale, zero]

    def operator(self, kind: str, inputs: list[str], node: Node, **attributes: Any) -> None:
        """Add an operator that makes a node's feature map."""
        self.nodes.append(helper.make_node(kind, inputs, [node.name], node.name, **attributes))


def _write_input(writer: _Writer, node: Node) -> None:
    """An input is a tensor without an operator."""


def _write_convolution(writer: _Writer, node: Node) -> None:
    convolution = node.operator
    assert isinstance(convolution, Convolution)
    (source,) = writer.operands(node)
    scales = expressible.engine_weight_scales(node, convolution, source, CONVENTION)
    _check_no_clamp(node, convolution)
    constants = {
        f"{node.name}.weight": convolution.weight.transpose(0, 3, 1, 2).astype(np.int8),
        f"{node.name}.weight_scale": scales,
        f"{node.name}.weight_zero": np.zeros(convolution.out_channels, np.int8),
        f"{node.name}.bias": expressible.engine_bias(node, convolution, source).astype(np.int32),
    }
    writer.constants |= constants
    weight, weight_scale, weight_zero, bias = constants
    padding = convolution.padding
    writer.operator(
        "QLinearConv",
        [
            *writer.encoded(node.inputs[0]), weight, weight_scale, weight_zero,
            *writer.encoded(node.name)[1:], bias,
        ],
        node,
        pads=[padding.top, padding.left, padding.bottom, padding.right],
        strides=[*convolution.stride],
        dilations=[*convolution.dilation],
        group=convolution.groups,
    )  # fmt: skip


def _write_add(writer: _Writer, node: Node) -> None:
    add = node.operator
    assert isinstance(add, Add)
    _check_no_clamp(node, add)
    expressible.check_addition(node, add, writer.operands(node), CONVENTION)
    first, second = (writer.encoded(source) for source in node.inputs)
    inputs = [*first, *second, *writer.encoded(node.name)[1:]]
    writer.operator("QLinearAdd", inputs, node, domain=EXTENSIONS)


def _write_pixel_shuffle(writer: _Writer, node: Node) -> None:
    shuffle = node.operator
    assert isinstance(shuffle, PixelShuffle)
    expressible.check_same_encoding(node, writer.operands(node))
    attributes = {"blocksize": shuffle.factor, "mode": shuffle.order.upper()}
    writer.operator("DepthToSpace", [*node.inputs], node, **attributes)


def _write_concatenate(writer: _Writer, node: Node) -> None:
    expressible.check_same_encoding(node, writer.operands(node))
    writer.operator("Concat", [*node.inputs], node, axis=1)


def _check_no_clamp(node: Node, operator: Convolution | Add) -> None:
    """ONNX's quantized operators clamp to their type; a ReLU is one where 0 is its least code."""
    whole = node.output.integer
    given = expressible.clamp(operator.requantization)
    if given != (whole.low, whole.high):
        raise broken(node, f"a clamp of {whole.low} to {whole.high}", f"{given[0]} to {given[1]}")


_WRITERS: dict[type[Any], Callable[[_Writer, Node], None]] = {
    Input: _write_input,
    Convolution: _write_convolution,
    Add: _write_add,
    PixelShuffle: _write_pixel_shuffle,
    Concatenate: _write_concatenate,
}
