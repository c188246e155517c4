"""Quantized ONNX models as integer graphs.

Three ways of saying how a network is quantized are read: operators on codes (QLinearConv and its
kin), QuantizeLinear and DequantizeLinear around float operators (QDQ), and QONNX's Quant, of any
width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from quant.common.errors import UnsupportedError, UserError
from quant.graph import (
    CodeKind,
    Encoding,
    Graph,
    Input,
    IntegerType,
    Node,
    PixelShuffle,
    TensorType,
    verify,
)
from quant.graph.operators import Operator
from quant.graph.types import MAXIMUM_BITS
from quant.interchange.limits import LARGEST_CHANNELS, Budget
from quant.interchange.onnx_emission import CONVENTION, emit
from quant.interchange.onnx_model import ModelNode, OnnxModel, load_model
from quant.interchange.onnx_operators import READERS
from quant.interchange.onnx_values import (
    Codes,
    FeatureMap,
    Pending,
    Quantizer,
    Real,
    Value,
)
from quant.interchange.picture_ends import white_of_reach, with_picture_ends, with_real_output

QUANTIZING = frozenset(
    name for name in READERS if "Quant" in name or "QLinear" in name or name.endswith("Quantize")
)
"""Operators whose presence makes a model a quantized one."""

DEFAULT_WHITE = 1.0
"""Value of a white pixel where a model takes and gives real numbers."""

_PIXELS = IntegerType(8)
_INTEGER_INPUTS = {"uint8": _PIXELS, "int8": IntegerType(8, CodeKind.SIGNED)}
_IMAGE_AXES = 4
_PASSING = ("Transpose", "Identity")


def is_quantized(model: OnnxModel) -> bool:
    """Whether a model says how it is quantized."""
    return any(operator_key(node) in QUANTIZING for node in model.nodes)


def operator_key(node: ModelNode) -> str:
    """An operator's name, with its domain where it is none of ONNX's own."""
    return f"{node.domain}.{node.operator}" if node.domain else node.operator


def read_onnx(path: Path, white: float | None = None) -> Graph:
    """The integer graph of a quantized model, from picture to picture.

    What takes and gives real numbers gets 8-bit pixels at its ends, ``white`` / 255 a step.

    Args:
        path: a ``.onnx`` file with one input and one output.
        white: value of a white pixel, where the model takes or gives real numbers; None: 255 or 1,
            by what the codes of the image reach.

    Raises:
        UserError: the file is damaged, or holds what the graph has no operator for; every such
            operator is named.
    """
    return picture_graph_of(load_model(path), white)


def picture_graph_of(model: OnnxModel, white: float | None = None) -> Graph:
    """The integer graph of a model that has been read, from picture to picture.

    Raises:
        UserError: as `read_onnx`.
    """
    white = _white_of(model) if white is None else white
    graph = graph_of(model, white)
    if model.output.type == "float32":
        graph = with_real_output(graph, white)
    return with_picture_ends(graph)


def graph_of(model: OnnxModel, white: float = DEFAULT_WHITE) -> Graph:
    """The integer graph of a model that has been read, up to the codes of its output.

    Raises:
        UserError: as `read_onnx`.
    """
    reader = Reader(model, white)
    output = reader.read()
    metadata = {"source": model.path.name, "convention": CONVENTION}
    if reader.floats:
        metadata["exact_instead_of_float32"] = " ".join(reader.floats)
    nodes = _leading_to(reader.nodes, output)
    return verify(Graph.build(model.path.stem, nodes, output, metadata))


def _white_of(model: OnnxModel) -> float:
    """Value of a white pixel by the first quantizer that reads the image, else the default."""
    images = {model.input.name}
    for node in model.nodes:
        if not node.inputs or node.inputs[0] not in images:
            continue
        if node.operator in _PASSING:
            images.update(node.outputs)
        elif "Quant" in node.operator:
            scale, bits = (_number(model, node, position) for position in (1, 3))
            return white_of_reach((2.0 ** min(bits or 8, MAXIMUM_BITS) - 1) * (scale or 0))
    return DEFAULT_WHITE


def _number(model: OnnxModel, node: ModelNode, position: int) -> float | None:
    """The largest of a constant that an operator reads."""
    name = node.inputs[position] if position < len(node.inputs) else ""
    found = model.constants.get(name)
    return None if found is None or not found.size else float(found.max())


@dataclass(eq=False)
class Reader:
    """The graph so far.

    Attributes:
        model: what is read.
        white: value of a white pixel.
        nodes: of the graph.
        values: what each tensor of the model is; those that a problem keeps from being known
            are missing.
        floats: operators that ONNX Runtime computes in float32, and the graph exactly.
        problems: what the graph has no operators for.
    """

    model: OnnxModel
    white: float
    nodes: list[Node] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    floats: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    budget: Budget = field(default_factory=Budget)

    def read(self) -> str:
        """Read every operator; gives the name of the node that makes the output."""
        self.values |= self.model.constants
        self.values[self.model.input.name] = self._image()
        for node in self.model.nodes:
            self._read(node)
        output = self.values.get(self.model.output.name)
        if isinstance(output, Pending) and not self.problems:
            output = self._picture(output)
        if self.problems or not isinstance(output, Codes | Real):
            found = "; ".join(self.problems) or "an output that is no feature map"
            raise UserError(
                f"{self.model.path}: expected quantized operators that the integer graph has, "
                f"found {found}; replace them, or give the float model and quantize it here "
                "(--method, --bits)"
            )
        return output.node

    def _picture(self, output: Pending) -> Codes | None:
        """A result that is not quantized, as pixels."""
        step, zero = np.array([self.white / 255], np.float32), np.zeros(1, np.int64)
        pixels = Quantizer(_PIXELS, step, zero, _PIXELS.low, _PIXELS.high)
        try:
            with np.errstate(all="ignore"):
                return emit(self, output, pixels, output.source.name)
        except UnsupportedError as problem:
            self.problems.append(f"{output.source} ({problem})")
            return None

    def _read(self, node: ModelNode) -> None:
        """Read one operator, unless its operands are not known for a problem before it."""
        if any(name and name not in self.values for name in node.inputs):
            return
        key = operator_key(node)
        try:
            if key not in READERS:
                raise UnsupportedError("not known")
            with np.errstate(all="ignore"):  # what is not finite is refused
                made = READERS[key](self, node)
        except UnsupportedError as problem:
            self.problems.append(f"{node} ({problem})")
            return
        results = made if isinstance(made, tuple) else (made,)
        for name, value in zip(node.outputs, results, strict=False):
            if name:
                self.values[name] = value

    def append(
        self, name: str, operator: Operator, inputs: Sequence[FeatureMap], output: TensorType
    ) -> Codes:
        """Append a node; its name gets a number if it is taken."""
        self.budget.spend(operator, output)
        wanted = name.strip("/") or operator.kind
        unique, count = wanted, 1
        while unique in self.names:
            count += 1
            unique = f"{wanted}_{count}"
        self.names.add(unique)
        self.nodes.append(Node(unique, operator, tuple(i.node for i in inputs), output))
        return Codes(unique, output)

    def moved(self, name: str, move: Operator, codes: FeatureMap) -> Codes:
        """Append an operator that only moves codes."""
        channels = codes.tensor.channels
        if isinstance(move, PixelShuffle):
            if channels % move.factor**2:
                raise UnsupportedError(f"{channels} channels in blocks of {move.factor}")
            channels //= move.factor**2
        return self.append(name, move, (codes,), replace(codes.tensor, channels=channels))

    def quantized(self, value: Value, target: Quantizer, node: ModelNode) -> Codes:
        """The codes of a feature map of real numbers.

        Raises:
            UnsupportedError: it is none.
        """
        if isinstance(value, Real):
            value = Pending("Copy", node, (value,), value.tensor.channels)
        if not isinstance(value, Pending):
            raise UnsupportedError("quantized, but no feature map of real numbers")
        return emit(self, value, target, value.source.name)

    def note_float(self, node: ModelNode) -> None:
        """Remember an operator that the engine computes in float32."""
        self.floats.append(node.name.strip("/").replace(" ", "_"))

    def _image(self) -> Codes | Real:
        """The input: codes as they are, or pixels of a picture for real numbers."""
        end = self.model.input
        shape = end.shape
        last = len(shape) == _IMAGE_AXES and shape[3] in (1, 3) and shape[1] not in (1, 3)
        channels = shape[3 if last else 1] if len(shape) == _IMAGE_AXES else None
        if channels is None or channels > LARGEST_CHANNELS:
            wanted = f"four axes, up to {LARGEST_CHANNELS} channels declared"
            raise self._refused_input(wanted, str(shape))
        if end.type == "float32":
            tensor = TensorType(channels, _PIXELS, Encoding(self.white / 255))
            codes = self.append(end.name, Input(), (), tensor)
            return Real(codes.node, tensor, channels_last=last)
        if end.type not in _INTEGER_INPUTS:
            raise self._refused_input("float32, uint8 or int8", end.type)
        tensor = TensorType(channels, _INTEGER_INPUTS[end.type])
        return replace(self.append(end.name, Input(), (), tensor), channels_last=last)

    def _refused_input(self, wanted: str, found: str) -> UserError:
        return UserError(
            f"{self.model.path}: input '{self.model.input.name[:80]}': expected {wanted}, found "
            f"{found}; export the network with such an input"
        )


def _leading_to(nodes: Sequence[Node], output: str) -> list[Node]:
    """The nodes that a result depends on."""
    needed = {output}
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return [node for node in nodes if node.name in needed]
