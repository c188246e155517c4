"""ONNX files as plain lists of constants and operators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto

from quant.common.errors import UserError
from quant.common.files import read_bytes
from quant.interchange.onnx_tensors import array_of, type_name
from quant.interchange.wire_format import WireError, check_fields

SUFFIX = ".onnx"
LARGEST_BYTES = 1 << 30
LEAST_OPSET = 11

Attribute = int | float | str | list[int] | list[float] | list[str] | NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class ModelEnd:
    """The input or output of a model.

    Attributes:
        name: its own in the model.
        type: NumPy's name, such as ``float32``.
        shape: as declared; None where it is left open.
    """

    name: str
    type: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ModelNode:
    """An operator as the file has it.

    Attributes:
        name: its own or, where it has none, its first output's.
        operator: such as ``Conv``.
        domain: empty for ONNX's own operators.
        inputs: names; empty where an optional one is left out.
        outputs: names.
        attributes: by name.
    """

    name: str
    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    def __str__(self) -> str:
        domain = f"{self.domain}." if self.domain else ""
        return f"{domain}{self.operator} '{self.name[:80]}'"


@dataclass(frozen=True, slots=True, eq=False)
class OnnxModel:
    """A model with one input and one output.

    Attributes:
        path: the file.
        input: the image.
        output: the picture.
        constants: arrays by name.
        nodes: operators, producers before consumers; constants among them are in ``constants``.
        opset: version of ONNX's own operators.
    """

    path: Path
    input: ModelEnd
    output: ModelEnd
    constants: Mapping[str, NDArray[Any]]
    nodes: tuple[ModelNode, ...]
    opset: int


def load_model(path: Path) -> OnnxModel:
    """Read a file.

    Raises:
        UserError: it is missing or damaged, is no such file, has control flow, several inputs or
            outputs, operators in no possible order, or constants in places they must not be in.
    """
    return parse_model(read_bytes(path, "ONNX", LARGEST_BYTES), path)


def parse_model(content: bytes, path: Path) -> OnnxModel:
    """The model of a file's content; the path is for messages and for files beside it.

    Raises:
        UserError: as `load_model`.
    """
    try:
        check_fields(content, ModelProto.DESCRIPTOR)
        model = ModelProto.FromString(content)
    except (WireError, DecodeError) as error:
        reason = f" ({error})" if isinstance(error, WireError) else ""
        raise UserError(
            f"{path}: expected an ONNX file ({SUFFIX}), found something else or a damaged one"
            f"{reason}; export the network again"
        ) from error
    if not model.HasField("graph") or not model.graph.output:
        raise UserError(
            f"{path}: expected an ONNX file ({SUFFIX}), found one without a graph; export the "
            "network again"
        )
    return _Reader(path).model(model)


@dataclass(eq=False)
class _Reader:
    """The model so far."""

    path: Path
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    nodes: list[ModelNode] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def model(self, model: Any) -> OnnxModel:
        opset = self._opset(model)
        graph = model.graph
        if model.functions:
            raise self._refused(
                "no functions of its own",
                _name(model.functions[0].name)[:80],
                "inline them (onnx.inliner)",
            )
        if graph.sparse_initializer:
            raise self._refused("dense constants", "sparse ones", "export it without them")
        for tensor in graph.initializer:
            self._constant(_name(tensor.name), tensor)
        inputs = [entry for entry in graph.input if _name(entry.name) not in self.constants]
        if (len(inputs), len(graph.output)) != (1, 1):
            raise self._refused(
                "one input and one output",
                f"{len(inputs)} and {len(graph.output)}",
                "give a network from an image to an image",
            )
        image, picture = self._end(inputs[0]), self._end(graph.output[0])
        self._define(image.name)
        for node in graph.node:
            self._node(node)
        if picture.name not in self.known or picture.name in self.constants:
            raise self._refused(
                f"an operator that makes '{picture.name[:80]}'", "none", "export it again"
            )
        return OnnxModel(self.path, image, picture, self.constants, tuple(self.nodes), opset)

    def _opset(self, model: Any) -> int:
        versions = [entry.version for entry in model.opset_import if entry.domain in _ONNX]
        opset = max(versions, default=0)
        if opset < LEAST_OPSET:
            raise self._refused(
                f"operators of ONNX's opset {LEAST_OPSET} or later",
                f"opset {opset}",
                "convert it (onnx.version_converter) or export it again",
            )
        return int(opset)

    def _end(self, entry: Any) -> ModelEnd:
        declared = entry.type.tensor_type
        try:
            kind = type_name(declared.elem_type)
        except KeyError:
            raise self._refused(
                f"'{_name(entry.name)[:80]}' to be a tensor", "another type", "export it again"
            ) from None
        shape = tuple(
            int(axis.dim_value) if axis.HasField("dim_value") and axis.dim_value > 0 else None
            for axis in declared.shape.dim
        )
        return ModelEnd(_name(entry.name), kind, shape)

    def _node(self, node: Any) -> None:
        inputs, outputs = (tuple(map(_name, names)) for names in (node.input, node.output))
        operator, domain = _name(node.op_type)[:80], _name(node.domain)[:80]
        name = _name(node.name) or next(filter(None, outputs), operator)
        for source in inputs:
            if source and source not in self.known:
                raise self._refused(
                    f"'{source[:80]}', which '{name[:80]}' reads, to be made before it",
                    "it not made yet",
                    "export it again",
                )
        for made in filter(None, outputs):
            self._define(made)
        if not any(outputs):
            return  # of no consequence
        if operator == "Constant" and domain in _ONNX and len(outputs) == 1:
            self.constants[outputs[0]] = self._constant_node(node, name)
            return
        attributes = {_name(e.name): self._attribute(e, name) for e in node.attribute}
        domain = "" if domain in _ONNX else domain
        self.nodes.append(ModelNode(name, operator, domain, inputs, outputs, attributes))

    def _constant_node(self, node: Any, name: str) -> NDArray[Any]:
        values = [self._attribute(entry, name) for entry in node.attribute]
        if len(values) != 1 or not isinstance(values[0], np.ndarray | int | float | list):
            raise self._refused(
                f"'{name[:80]}' to be a number or an array", "neither", "correct it"
            )
        dtype = None
        if not isinstance(values[0], np.ndarray):
            flat = values[0] if isinstance(values[0], list) else [values[0]]
            dtype = np.float32 if any(isinstance(value, float) for value in flat) else np.int64
        try:
            return np.asarray(values[0], dtype)
        except (ValueError, OverflowError) as error:
            raise self._refused(f"'{name[:80]}' to be numbers", "texts", "correct it") from error

    def _constant(self, name: str, tensor: Any) -> None:
        self._define(name)
        self.constants[name] = array_of(tensor, name, self.path)

    def _define(self, name: str) -> None:
        if name in self.known:
            raise self._refused(f"'{name[:80]}' to be made once", "twice", "export it again")
        self.known.add(name)

    def _attribute(self, entry: Any, node: str) -> Attribute:
        if entry.type not in _ATTRIBUTES:
            raise self._refused(
                f"'{node[:80]}' to be without control flow",
                f"the attribute '{_name(entry.name)[:80]}'",
                "give a network without loops and conditions",
            )
        wanted = _KINDS.get(_name(entry.name), entry.type)
        if entry.type != wanted:
            kinds = AttributeProto.AttributeType
            raise self._refused(
                f"the attribute '{_name(entry.name)}' of '{node[:80]}' to be {kinds.Name(wanted)}",
                kinds.Name(entry.type),
                "correct it",
            )
        if entry.type == AttributeProto.TENSOR:
            return array_of(entry.t, f"{node}.{_name(entry.name)}", self.path)
        found: Attribute = _ATTRIBUTES[entry.type](entry)
        return found

    def _refused(self, wanted: str, found: str, advice: str) -> UserError:
        return UserError(f"{self.path}: expected {wanted}, found {found}; {advice}")


_ONNX = ("", "ai.onnx")
"""How files call the domain of ONNX's own operators."""


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _name(name: str | bytes) -> str:
    """A name, which protobuf leaves as bytes where it is no UTF-8."""
    return name if isinstance(name, str) else _text(name)


_ATTRIBUTES: dict[int, Any] = {
    AttributeProto.FLOAT: lambda entry: float(entry.f),
    AttributeProto.INT: lambda entry: int(entry.i),
    AttributeProto.STRING: lambda entry: _text(entry.s),
    AttributeProto.FLOATS: lambda entry: [float(value) for value in entry.floats],
    AttributeProto.INTS: lambda entry: [int(value) for value in entry.ints],
    AttributeProto.STRINGS: lambda entry: [_text(value) for value in entry.strings],
    AttributeProto.TENSOR: None,
}
"""What makes values of attributes, by their type."""

_KINDS = {
    name: kind
    for kind, names in (
        (AttributeProto.FLOAT, "alpha beta epsilon"),
        (
            AttributeProto.INT,
            "antialias axis block_size blocksize ceil_mode channels_last group narrow signed to "
            "training_mode",
        ),
        (
            AttributeProto.INTS,
            "axes dilations kernel_shape output_padding output_shape pads perm split strides",
        ),
        (
            AttributeProto.STRING,
            "approximate auto_pad coordinate_transformation_mode mode nearest_mode rounding_mode",
        ),
    )
    for name in names.split()
}
"""Types of the attributes that readers ask for, which are the same in all operators."""
