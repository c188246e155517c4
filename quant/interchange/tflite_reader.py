"""Quantized TensorFlow Lite models as integer graphs, in the arithmetic of its reference kernels.

Feature maps are of 8 bits or, with 8-bit weights, of 16.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from quant.common.errors import UnsupportedError, UserError
from quant.graph import Encoding, Graph, Input, Node, Padding, TensorType, verify
from quant.graph.operators import Operator
from quant.interchange.derivation import CODE_TYPES, Clamp
from quant.interchange.limits import LARGEST_CHANNELS, Budget
from quant.interchange.picture_ends import white_of_reach, with_picture_ends, with_real_output
from quant.interchange.tflite_activations import activation_clamp
from quant.interchange.tflite_model import Model, ModelOperator, ModelTensor, load_model
from quant.interchange.tflite_operators import READERS
from quant.interchange.tflite_parts import CONVENTION, refused

_REACHES = {"INT8": 255, "UINT8": 255, "INT16": 32767}
"""Types of feature maps, and how many steps lie between black and the whitest code."""
_FEATURE_MAP_AXES = 4
REAL = "FLOAT32"


def read_tflite(path: Path, white: float | None = None) -> Graph:
    """The integer graph of a model of 8-bit or 16-bit codes.

    It computes what LiteRT's reference kernels do; its nodes have the names of the tensors. What
    takes real numbers gets 8-bit pixels instead.

    Args:
        path: a ``.tflite`` file with one input and one output.
        white: value of a white pixel, where the model takes real numbers; None: 255 or 1, by what
            the codes of the image reach.

    Raises:
        UserError: the file is damaged, or holds what the graph has no operator for; every such
            operator is named.
    """
    model = load_model(path)
    return graph_of(model, path, _white_of(model) if white is None else white)


def read_pictures_tflite(path: Path, white: float | None = None) -> Graph:
    """As `read_tflite`, from picture to picture.

    Args:
        path: a ``.tflite`` file with one input and one output.
        white: value of a white pixel, where the model takes or gives real numbers; None: as there.

    Raises:
        UserError: as `read_tflite`.
    """
    model = load_model(path)
    white = _white_of(model) if white is None else white
    graph = graph_of(model, path, white)
    if model.output.type == REAL:
        graph = with_real_output(graph, white)
    return with_picture_ends(graph, white)


def graph_of(model: Model, path: Path, white: float = 1.0) -> Graph:
    """The integer graph of a model that has been read; the path is for messages and the name.

    Raises:
        UserError: it holds what the graph has no operator for.
    """
    reader = Reader(path, white)
    reader.read_all(model)
    metadata = {"source": path.name, "convention": CONVENTION}
    output = reader.reals.get(model.output.name, model.output.name)
    nodes = _leading_to(reader.nodes, output)
    return verify(Graph.build(path.stem, nodes, output, metadata))


def _white_of(model: Model) -> float:
    """Value of a white pixel by the codes of the image, or those it is quantized to; else 1."""
    quantized = (o.output for o in model.operators if o.input(0) is model.input)
    tensor = model.input if model.input.scales.size else next(quantized, None)
    if tensor is None or not tensor.scales.size or tensor.type not in _REACHES:
        return white_of_reach(0)
    return white_of_reach(_REACHES[tensor.type] * float(tensor.scales.max()))


@dataclass(eq=False)
class Reader:
    """The graph so far, and what it has no operators for.

    Attributes:
        path: the file.
        white: value of a white pixel, where the model takes real numbers.
        nodes: of the graph.
        types: of the feature maps that are known.
        padded: feature maps that are others with zeros around them: those, and how many.
        reals: feature maps of the real numbers that codes of others stand for.
        problems: by tensor.
    """

    path: Path
    white: float = 1.0
    nodes: list[Node] = field(default_factory=list)
    types: dict[str, TensorType] = field(default_factory=dict)
    padded: dict[str, tuple[str, Padding]] = field(default_factory=dict)
    reals: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)
    unknown: set[str] = field(default_factory=set)

    def read_all(self, model: Model) -> None:
        """Append the nodes of a model.

        Raises:
            UserError: there were problems, all of which are named.
        """
        try:
            self.append(model.input.name, Input(), (), self._image(model.input))
        except UnsupportedError as problem:
            self._note(model.input, problem)
        for operator in model.operators:
            self._read(operator)
        made = model.output.name in self.types or model.output.name in self.reals
        if not made and not self.problems:
            wanted = UnsupportedError("expected an output that an operator makes, found none")
            self._note(model.output, wanted)
        if self.problems:
            raise UserError(
                f"{self.path}: {'; '.join(self.problems)}; convert the network with full integer "
                "quantization, or without such operators"
            )

    def _read(self, operator: ModelOperator) -> None:
        """Append the node of an operator, unless what it reads is not known for a problem."""
        read = {tensor.name for tensor in operator.inputs if tensor is not None}
        if read & self.unknown:
            self.unknown.update(output.name for output in operator.outputs)
            return
        try:
            if operator.code not in READERS:
                known = ", ".join(READERS)
                raise UnsupportedError(f"expected one of {known}, found {operator.code}")
            READERS[operator.code](self, operator)
        except UnsupportedError as problem:
            self._note(operator.output, problem)
            self.unknown.update(output.name for output in operator.outputs)

    def _image(self, tensor: ModelTensor) -> TensorType:
        """Type of the input: its own codes, or pixels where it takes real numbers."""
        if tensor.type != REAL:
            return self.feature_map(tensor)
        if len(tensor.shape) != _FEATURE_MAP_AXES or not 1 <= tensor.shape[3] <= LARGEST_CHANNELS:
            raise refused("a shape 1×height×width×channels", str(tensor.shape))
        self.reals[tensor.name] = tensor.name
        return TensorType(tensor.shape[3], CODE_TYPES["uint8"], Encoding(self.white / 255))

    def _note(self, tensor: ModelTensor, problem: UnsupportedError) -> None:
        self.problems.append(f"tensor '{tensor.name[:80]}': {problem}")
        self.unknown.add(tensor.name)

    def append(
        self, name: str, operator: Operator, inputs: Sequence[str], output: TensorType
    ) -> None:
        """Append a node."""
        self.budget.spend(operator, output)
        self.nodes.append(Node(name, operator, tuple(inputs), output))
        self.types[name] = output

    def feature_map(self, tensor: ModelTensor) -> TensorType:
        """Type of a feature map [1, height, width, channels]."""
        if tensor.type not in _REACHES:
            raise refused(f"codes of {', '.join(_REACHES)}", tensor.type)
        integer = CODE_TYPES[tensor.type.lower()]
        if len(tensor.scales) != 1 or len(tensor.zeros) != 1:
            raise refused("one scale", str(len(tensor.scales)))
        if not (np.isfinite(tensor.scales[0]) and tensor.scales[0] > 0):
            raise refused("a positive finite scale", str(tensor.scales[0]))
        if not integer.low <= int(tensor.zeros[0]) <= integer.high:
            raise refused(f"a zero point of {integer}", str(tensor.zeros[0]))
        if len(tensor.shape) != _FEATURE_MAP_AXES or tensor.shape[0] != 1:
            raise refused("a shape 1×height×width×channels", str(tensor.shape))
        if not 1 <= tensor.shape[3] <= LARGEST_CHANNELS:
            raise refused(f"1 to {LARGEST_CHANNELS} channels", str(tensor.shape[3]))
        encoding = Encoding(float(tensor.scales[0]), (int(tensor.zeros[0]),))
        return TensorType(tensor.shape[3], integer, encoding)

    def operand(self, operator: ModelOperator, position: int) -> tuple[str, TensorType]:
        """Name and type of a feature map that an operator reads."""
        tensor = operator.input(position)
        if tensor is None or tensor.name not in self.types or tensor.name in self.reals:
            raise refused("a feature map of codes to read", "something else")
        return tensor.name, self.types[tensor.name]

    def padded_operand(self, operator: ModelOperator, position: int) -> tuple[str, Padding]:
        """Name of a feature map that a convolution reads, and the zeros around it."""
        tensor = operator.input(position)
        if tensor is not None and tensor.name in self.padded:
            return self.padded[tensor.name]
        return self.operand(operator, position)[0], Padding()

    def constant(self, operator: ModelOperator, position: int) -> ModelTensor:
        """A constant that an operator reads, its values as int64."""
        tensor = operator.input(position)
        if tensor is None or tensor.values is None or not tensor.values.size:
            raise refused(f"a constant as input {position}", "none")
        if tensor.values.dtype.kind not in "iu":
            raise refused(f"whole numbers as input {position}", tensor.values.dtype.name)
        return replace(tensor, values=tensor.values.astype(np.int64))

    def clamp(self, operator: ModelOperator, output: TensorType) -> Clamp:
        """The range of codes behind an operator's own activation."""
        clamp = activation_clamp(operator.whole("FusedActivationFunction"), output)
        if clamp is None:
            raise refused("a ReLU or no activation", "another activation")
        return clamp


def _leading_to(nodes: Sequence[Node], output: str) -> list[Node]:
    """The nodes that a result depends on."""
    needed = {output}
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return [node for node in nodes if node.name in needed]
