"""The state of writers of ONNX models with quantizers, and what all their operators share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quant.graph import (
    BilinearResize,
    Concatenate,
    Convolution,
    Graph,
    Input,
    LookupTable,
    NearestResize,
    Node,
    PixelShuffle,
    Size,
    TensorType,
)
from quant.graph.operators import Integers
from quant.graph.passes import expand_average_pools, expand_transposed_convolutions
from quant.graph.requantization_rules import broken
from quant.interchange.onnx_dialects import NEAREST, Coding, Dialect
from quant.interchange.onnx_draft import INDEX, Draft, Shape


@dataclass(frozen=True, slots=True)
class Map:
    """A feature map of the model: real numbers, unit · (code − offset).

    Attributes:
        name: of the tensor of real numbers.
        shape: of the tensor.
        tensor: the codes.
        unit: real number of one step.
        offset: the code of 0.
    """

    name: str
    shape: Shape
    tensor: TensorType
    unit: np.float32
    offset: int

    @property
    def reach(self) -> int:
        """The largest magnitude of a code less the offset."""
        integer = self.tensor.integer
        return max(abs(integer.low - self.offset), abs(integer.high - self.offset))


class MapWriter(ABC):
    """Writes a graph node by node; subclasses say what a step of a feature map is in reals."""

    def __init__(self, graph: Graph, image: Size, dialect: Dialect) -> None:
        self.graph = expand_average_pools(expand_transposed_convolutions(graph))
        self.sizes = self.graph.sizes(image)
        self.dialect = dialect
        self.draft = Draft()
        self.maps: dict[str, Map] = {}

    def model(self) -> bytes:
        """The finished model."""
        for node in self.graph.nodes:
            self._append(node)
        output = self.graph.output
        metadata = {
            **self.graph.metadata,
            "hwsim.scales": self.scales,
            "hwsim.input_offset": str(self.maps[self.graph.input.name].offset),
            "hwsim.output_offset": str(self.maps[output].offset),
        }
        ends = self.graph.input.name, output
        dialect = self.dialect
        return self.draft.model(
            self.graph.name, ends, dialect.operator_sets, dialect.ir_version, metadata
        )

    @property
    @abstractmethod
    def scales(self) -> str:
        """What the file says of its scales."""

    @abstractmethod
    def unit(self, tensor: TensorType) -> np.float32:
        """Real number of one step of a feature map."""

    @property
    @abstractmethod
    def writers(self) -> Mapping[type[Any], Callable[..., str]]:
        """(writer, node, its operator, operands) to its real result, by the operator's type."""

    def compute(self, node: Node, operands: Sequence[Map]) -> str:
        """Append an operator; gives its real result before it is quantized.

        Raises:
            GraphError: it is none that can be written.
        """
        kind = type(node.operator)
        if kind not in self.writers:
            known: tuple[type[Any], ...] = (*self.writers, Concatenate, PixelShuffle, NearestResize)
            wanted = ", ".join(each.kind for each in known)
            raise broken(node, f"one of {wanted}", node.operator.kind)
        return self.writers[kind](self, node, node.operator, *operands)

    def _append(self, node: Node) -> None:
        operands = [self.maps[source] for source in node.inputs]
        match node.operator:
            case Input():
                coding = self._coding(node, self.input_offset(node.output))
                real = self.dialect.dequantize_input(self.draft, coding)
            case Concatenate() | PixelShuffle() | NearestResize():
                coding = self._coding(node, operands[0].offset)
                real = self.dialect.quantize(self.draft, coding, self._moved(node, operands))
            case _:
                coding = self._coding(node, offset_of(node.output), self.rounding(node))
                made = self.compute(node, operands)
                real = self.dialect.quantize(self.draft, coding, made)
        self.maps[node.name] = Map(real, coding.shape, node.output, coding.unit, coding.offset)

    def input_offset(self, tensor: TensorType) -> int:
        """The code that the model takes as the number 0."""
        return offset_of(tensor)

    def rounding(self, node: Node) -> str:
        """How a quantizer rounds what an operator computes."""
        return NEAREST

    def shape(self, node: Node) -> Shape:
        """Of a node's feature map."""
        size = self.sizes[node.name]
        return 1, node.output.channels, size.height, size.width

    def shifted(self, node: Node, operand: Map, offset: int | Integers, suffix: str) -> str:
        """A feature map as unit · (code − another offset), one for all or one for each channel."""
        distance = np.atleast_1d(np.asarray(operand.offset - offset, np.float64))
        if not distance.any():
            return operand.name
        if (distance == distance[0]).all():
            distance = distance[:1]
        added = (distance * operand.unit).astype(np.float32)
        constant = self.draft.constant(
            f"{node.name}.{suffix}", added.reshape(1, -1, 1, 1) if added.size > 1 else added
        )
        name = f"{node.name}.{suffix}ed"
        return self.draft.operator("Add", [operand.name, constant], name, operand.shape)

    def centred(self, node: Node, convolution: Convolution, source: Map) -> str:
        """What a convolution reads, so that 0 around it stands for its border.

        Raises:
            GraphError: the convolution declares an accumulator, which floats are not.
        """
        if convolution.accumulator is not None:
            raise broken(node, "no accumulator of a declared width", str(convolution.accumulator))
        given = self.shifted(node, source, centre_of(convolution, source), "centr")
        padding = convolution.padding
        if convolution.border != "replicate":
            return given
        before, behind = (0, 0, padding.top, padding.left), (0, 0, padding.bottom, padding.right)
        batch, channels, rows, columns = source.shape
        shape = batch, channels, rows + padding.rows, columns + padding.columns
        pads = self.draft.constant(f"{node.name}.pads", np.array([*before, *behind], np.int64))
        return self.draft.operator("Pad", [given, pads], f"{node.name}.padded", shape, mode="edge")

    def convolve(
        self, node: Node, convolution: Convolution, source: str, weight: str, bias: str | None
    ) -> str:
        """Append a convolution of real numbers, 0 around them."""
        padding = convolution.padding
        around = [padding.top, padding.left, padding.bottom, padding.right]
        return self.draft.operator(
            "Conv",
            [source, weight, *([] if bias is None else [bias])],
            f"{node.name}.sums",
            self.shape(node),
            name=node.name,
            pads=[0] * 4 if convolution.border == "replicate" else around,
            strides=[*convolution.stride],
            dilations=[*convolution.dilation],
            group=convolution.groups,
        )

    def looked_up(self, node: Node, table: LookupTable, operand: Map) -> str:
        """Real numbers of a table's entries, by the code."""
        draft, shape = self.draft, operand.shape
        tables, entries = table.table.shape
        steps = operand.name
        if operand.unit != 1:
            unit = draft.constant(f"{node.name}.step", operand.unit)
            steps = draft.operator("Div", [steps, unit], f"{node.name}.steps", shape)
            steps = draft.operator("Round", [steps], f"{node.name}.whole", shape)
        first = operand.offset - operand.tensor.integer.low
        starts = first + entries * np.arange(tables, dtype=np.float64)
        added = draft.constant(
            f"{node.name}.starts", starts.astype(np.float32).reshape(1, -1, 1, 1)
        )
        places = draft.operator("Add", [steps, added], f"{node.name}.places", shape)
        indices = draft.operator("Cast", [places], f"{node.name}.indices", shape, INDEX, to=INDEX)
        real = self.unit(node.output) * (table.table - offset_of(node.output)).reshape(-1)
        flat = draft.constant(f"{node.name}.table", real.astype(np.float32))
        return draft.operator(
            "Gather", [flat, indices], f"{node.name}.entries", shape, name=node.name
        )

    def resized(self, node: Node, operand: Map, factor: int, **attributes: Any) -> str:
        """A feature map of more pixels."""
        scales = np.array([1, 1, factor, factor], np.float32)
        constant = self.draft.constant(f"{node.name}.factors", scales)
        return self.draft.operator(
            "Resize",
            [operand.name, "", constant],
            f"{node.name}.resized",
            self.shape(node),
            name=node.name,
            **attributes,
        )

    def interpolated(self, node: Node, resize: BilinearResize, operand: Map) -> str:
        """A bilinear resize of real numbers."""
        mode = "half_pixel" if resize.half_pixel_centers else "asymmetric"
        return self.resized(
            node, operand, resize.factor, mode="linear", coordinate_transformation_mode=mode
        )

    def _moved(self, node: Node, operands: Sequence[Map]) -> str:
        """Operators that move codes as they are."""
        draft, first = self.draft, operands[0]
        match node.operator:
            case PixelShuffle(factor=factor, order=order):
                name, mode = f"{node.name}.shuffled", order.upper()
                return draft.operator(
                    "DepthToSpace", [first.name], name, self.shape(node), name=node.name,
                    blocksize=factor, mode=mode,
                )  # fmt: skip
            case NearestResize(factor=factor):
                return self.resized(
                    node, first, factor, mode="nearest", nearest_mode="floor",
                    coordinate_transformation_mode="asymmetric",
                )  # fmt: skip
        sides = [
            self.shifted(node, operand, first.offset, f"input{position}.shift")
            for position, operand in enumerate(operands)
        ]
        return draft.operator(
            "Concat", sides, f"{node.name}.joined", self.shape(node), name=node.name, axis=1
        )

    def _coding(self, node: Node, offset: int, rounding: str = NEAREST) -> Coding:
        unit = self.unit(node.output)
        return Coding(node.name, node.output, self.shape(node), unit, offset, rounding)


def offset_of(tensor: TensorType) -> int:
    """The code that is written as the number 0: that of the real number 0, if there is one."""
    zeros, integer = set(tensor.encoding.zero_point), tensor.integer
    if len(zeros) == 1 and integer.low <= min(zeros) <= integer.high:
        return min(zeros)
    return 0 if integer.low <= 0 <= integer.high else integer.low


def centre_of(convolution: Convolution, source: Map) -> Integers:
    """The code, of all channels or of each, that a convolution reads as 0: int64.

    It is the pad code, where that takes part.
    """
    padded = convolution.padding.rows or convolution.padding.columns
    if padded and convolution.border == "code":
        return convolution.pad_code
    return np.array([source.offset], np.int64)


def centred_bias(convolution: Convolution, centre: Integers) -> Integers:
    """The bias of a convolution of codes less a centre: int64 [out_channels].

    Args:
        convolution: of the codes as they are.
        centre: int64 [in_channels] or [1].
    """
    groups = convolution.groups
    inputs = convolution.weight.shape[3]
    of_channel = np.broadcast_to(centre, inputs * groups).reshape(groups, 1, 1, 1, inputs)
    by_group = convolution.weight.reshape(groups, -1, *convolution.weight.shape[1:])
    folded = (by_group * of_channel).sum(axis=(2, 3, 4)).reshape(-1)
    bias: Integers = convolution.bias + folded
    return bias
