"""Small ONNX files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"

Node = tuple[str, list[str], list[str], dict[str, Any]]
"""Operator, inputs, outputs and attributes; a domain stands before the operator, with a colon."""


def graph_proto(
    nodes: Sequence[Node],
    constants: Mapping[str, Any],
    *,
    channels: int = 3,
    element: int = TensorProto.FLOAT,
    output: str = "out",
    output_element: int = TensorProto.FLOAT,
) -> Any:
    """A graph from ``image`` to an output."""
    made = []
    for kind, inputs, outputs, attributes in nodes:
        domain, _, operator = kind.rpartition(":")
        made.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))
    return helper.make_graph(
        made,
        "small",
        [helper.make_tensor_value_info("image", element, (1, channels, None, None))],
        [helper.make_tensor_value_info(output, output_element, (1, None, None, None))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )


def model_proto(graph: Any, opset: int = 17) -> Any:
    """A model of a graph."""
    operator_sets = [
        helper.make_opsetid("", opset),
        helper.make_opsetid("com.microsoft", 1),
        helper.make_opsetid(QONNX, 1),
    ]
    return helper.make_model(graph, opset_imports=operator_sets, ir_version=8)


def write(model: Any, folder: Path) -> Path:
    """The model as a file."""
    path = folder / "small.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def codes(scale: str = "step", zero: str = "zero", source: str = "image") -> list[Node]:
    """A QuantizeLinear and a DequantizeLinear of a feature map: ``SOURCE_q`` and ``SOURCE_r``."""
    return [
        ("QuantizeLinear", [source, scale, zero], [f"{source}_q"], {}),
        ("DequantizeLinear", [f"{source}_q", scale, zero], [f"{source}_r"], {}),
    ]


def constants(**more: Any) -> dict[str, Any]:
    """What most small models need: steps of 1/255 from 0, weights and their scale."""
    return {
        "step": np.float32(1 / 255),
        "zero": np.uint8(0),
        "weight": np.arange(-27, 27, dtype=np.int8).reshape(2, 3, 3, 3),
        "weight_step": np.float32(0.01),
        "weight_zero": np.int8(0),
        **more,
    }


WEIGHT: Node = (
    "DequantizeLinear",
    ["weight", "weight_step", "weight_zero"],
    ["weight_r"],
    {},
)
