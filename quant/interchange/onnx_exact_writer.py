"""Integer graphs as ONNX models whose numbers between quantizers are the codes themselves.

Every scale is 1, sums are integers in float32, and what brings them to codes is written out in
float64 (`quant.interchange.onnx_rescaling`). Any engine that computes in IEEE 754 gives the
graph's integers; where floats cannot hold them, the node is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from quant.graph import (
    Add,
    BilinearResize,
    Convolution,
    LookupTable,
    Multiply,
    Node,
    ParametricRelu,
    Requantization,
    Requantize,
    TensorType,
    TermRounding,
)
from quant.graph.operators import RESIZE_FRACTION_BITS, Integers
from quant.graph.requantization_rules import broken
from quant.interchange.onnx_draft import DOUBLE, TRUTH
from quant.interchange.onnx_exact_convolution import exact_sums
from quant.interchange.onnx_maps import Map, MapWriter, offset_of
from quant.interchange.onnx_rescaling import DOUBLE_LIMIT, InexactError, Sums, codes

_SMALLEST_FRACTION = 4
"""Bits of the fractions of a bilinear resize that are exact in float32 beside any code."""


class ExactWriter(MapWriter):
    """Writes numbers that are codes."""

    scales = "unit"

    def unit(self, tensor: TensorType) -> np.float32:
        """A step is 1."""
        return np.float32(1)

    def input_offset(self, tensor: TensorType) -> int:
        """0, so that the model takes codes as they are."""
        return 0 if tensor.integer.low <= 0 <= tensor.integer.high else tensor.integer.low

    @property
    def writers(self) -> Mapping[type[Any], Callable[..., str]]:
        """Those of codes."""
        return _WRITERS

    def compute(self, node: Node, operands: Sequence[Map]) -> str:
        """Append an operator on integers.

        Raises:
            GraphError: it is none that can be written, or floats do not hold what it computes.
        """
        try:
            return super().compute(node, operands)
        except InexactError as error:
            raise broken(node, error.wanted, error.found) from error

    def codes(self, node: Node, sums: Sums, given: Requantization, suffix: str = "code") -> str:
        """Sums as codes less the offset."""
        integer = node.output.integer
        clips = (given.low, given.high) != (integer.low, integer.high)
        name, offset = f"{node.name}.{suffix}", offset_of(node.output)
        return codes(self.draft, name, sums, given, offset, clips=clips)

    def wide(self, node: Node, operand: Map, position: int) -> str:
        """A feature map in float64."""
        name = f"{node.name}.wide{position}"
        return self.draft.operator("Cast", [operand.name], name, operand.shape, DOUBLE, to=DOUBLE)

    def affine(
        self, node: Node, name: str, tensor: str, factor: int, addend: int | Integers, operand: Map
    ) -> str:
        """A float64 tensor times a factor, plus an integer for all or one for each channel."""
        draft, shape = self.draft, operand.shape
        if factor != 1:
            constant = draft.constant(f"{name}.factor", np.float64(factor))
            tensor = draft.operator("Mul", [tensor, constant], f"{name}.times", shape, DOUBLE)
        added = np.atleast_1d(np.asarray(addend, np.float64))
        if added.any():
            constant = draft.constant(
                f"{name}.addend", added.reshape(1, -1, 1, 1) if added.size > 1 else added
            )
            tensor = draft.operator("Add", [tensor, constant], f"{name}.plus", shape, DOUBLE)
        return tensor

    def doubles(self, node: Node, name: str, bound: int) -> Sums:
        """A float64 tensor of a node's shape, as integers that it holds."""
        if bound > DOUBLE_LIMIT:
            raise InexactError(f"sums up to {DOUBLE_LIMIT}, which float64 holds", f"up to {bound}")
        return Sums(name, self.shape(node), DOUBLE, bound)


def _convolution(writer: ExactWriter, node: Node, convolution: Convolution, source: Map) -> str:
    sums = exact_sums(writer, node, convolution, source)
    return writer.codes(node, sums, convolution.requantization)


def _addition(writer: ExactWriter, node: Node, add: Add, first: Map, second: Map) -> str:
    terms = add.term_rounding
    if terms is not None and not isinstance(terms, TermRounding):
        raise broken(node, "an addition of integers", "one in float32, ONNX Runtime's")
    made, bound = [], 0
    for position, operand in enumerate((first, second)):
        wide = writer.wide(node, operand, position)
        name = f"{node.name}.term{position}"
        if terms is None:
            factor = add.multipliers[position]
            made.append(writer.affine(node, name, wide, factor, 0, operand))
            bound += operand.reach * abs(factor)
        else:
            made.append(_rounded_term(writer, node, add, terms, position, wide, operand))
            bound += operand.reach << terms.left_shift
    offsets = first.offset * add.multipliers[0] + second.offset * add.multipliers[1]
    bias = add.bias + (offsets if terms is None else 0)
    total = writer.draft.operator(
        "Add", made, f"{node.name}.sum", writer.shape(node), DOUBLE, name=node.name
    )
    total = writer.affine(node, f"{node.name}.bias", total, 1, bias, first)
    return writer.codes(node, writer.doubles(node, total, bound + abs(bias)), add.requantization)


def _rounded_term(
    writer: ExactWriter,
    node: Node,
    add: Add,
    terms: TermRounding,
    position: int,
    wide: str,
    operand: Map,
) -> str:
    """A term of an addition that is rounded before the sum, in float64."""
    name, left = f"{node.name}.term{position}", 1 << terms.left_shift
    distance = operand.offset - terms.zero_points[position]
    shifted = writer.affine(node, name, wide, left, left * distance, operand)
    reach = (operand.reach + abs(distance)) * left
    sums = Sums(shifted, operand.shape, DOUBLE, reach, terms.left_shift)
    unclamped = Requantization(
        np.array([add.multipliers[position]]),
        np.array([terms.shifts[position]]),
        0,
        -reach - 1,
        reach + 1,
        "tflite_double",
    )
    name = f"{name}.rounded"
    return codes(writer.draft, name, sums, unclamped, 0, clips=False, element=DOUBLE)


def _multiplication(
    writer: ExactWriter, node: Node, multiply: Multiply, first: Map, second: Map
) -> str:
    made, bound = [], 1
    for position, (operand, bias) in enumerate(zip((first, second), multiply.biases, strict=True)):
        wide = writer.wide(node, operand, position)
        addend = operand.offset + bias
        name = f"{node.name}.factor{position}"
        made.append(writer.affine(node, name, wide, 1, addend, operand))
        bound *= operand.reach + abs(addend)
    product = writer.draft.operator(
        "Mul", made, f"{node.name}.product", writer.shape(node), DOUBLE, name=node.name
    )
    return writer.codes(node, writer.doubles(node, product, bound), multiply.requantization)


def _requantization(writer: ExactWriter, node: Node, requantize: Requantize, source: Map) -> str:
    addend = source.offset + requantize.bias
    wide = writer.wide(node, source, 0)
    moved = writer.affine(node, f"{node.name}.bias", wide, 1, addend, source)
    bound = source.reach + int(np.abs(addend).max())
    return writer.codes(node, writer.doubles(node, moved, bound), requantize.requantization)


def _prelu(writer: ExactWriter, node: Node, prelu: ParametricRelu, source: Map) -> str:
    draft, shape = writer.draft, writer.shape(node)
    addend = source.offset + prelu.bias
    wide = writer.affine(node, f"{node.name}.bias", writer.wide(node, source, 0), 1, addend, source)
    bound = source.reach + abs(addend)
    steep = bound * int(np.abs(prelu.slope).max())
    slope = draft.constant(
        f"{node.name}.slope", prelu.slope.astype(np.float64).reshape(1, -1, 1, 1)
    )
    sloped = draft.operator("Mul", [wide, slope], f"{node.name}.sloped", shape, DOUBLE)
    above = writer.codes(node, writer.doubles(node, wide, bound), prelu.positive, "above")
    below = writer.codes(node, writer.doubles(node, sloped, steep), prelu.negative, "below")
    nothing = draft.constant(f"{node.name}.nothing", np.float64(0))
    is_below = draft.operator("Less", [wide, nothing], f"{node.name}.is_below", shape, TRUTH)
    return draft.operator(
        "Where", [is_below, below, above], f"{node.name}.either", shape, name=node.name
    )


def _table(writer: ExactWriter, node: Node, table: LookupTable, source: Map) -> str:
    return writer.looked_up(node, table, source)


def _bilinear(writer: ExactWriter, node: Node, resize: BilinearResize, source: Map) -> str:
    factor = resize.factor
    if factor & (factor - 1) or factor >= 1 << _SMALLEST_FRACTION:
        raise broken(node, "a factor of 2, 4 or 8, whose fractions are exact", str(factor))
    bits = 2 * RESIZE_FRACTION_BITS
    between = writer.interpolated(node, resize, source)
    wide = Map(between, writer.shape(node), source.tensor, source.unit, source.offset)
    addend = resize.bias + (source.offset << bits)
    name = f"{node.name}.bias"
    sums = writer.affine(node, name, writer.wide(node, wide, 0), 1 << bits, addend, wide)
    bound = (source.reach << bits) + abs(addend)
    return writer.codes(node, writer.doubles(node, sums, bound), resize.requantization)


_WRITERS: dict[type[Any], Callable[..., str]] = {
    Convolution: _convolution,
    Add: _addition,
    Multiply: _multiplication,
    Requantize: _requantization,
    ParametricRelu: _prelu,
    LookupTable: _table,
    BilinearResize: _bilinear,
}
