"""Graphs with signed 8-bit codes in place of unsigned ones, every feature map otherwise the same.

Codes move by 128; biases, zero points and clamps move with them, so that no sum and no rounding
changes.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from quant.graph import (
    Add,
    BilinearResize,
    CodeKind,
    Concatenate,
    Convolution,
    FusedTerms,
    Graph,
    Input,
    IntegerType,
    LookupTable,
    Multiply,
    NearestResize,
    Node,
    ParametricRelu,
    PixelShuffle,
    Requantization,
    Requantize,
    TensorType,
    verify,
)
from quant.graph.operators import RESIZE_FRACTION_BITS
from quant.graph.passes import expand_average_pools, expand_transposed_convolutions
from quant.graph.requantization_rules import broken

_UNSIGNED, _SIGNED = IntegerType(8), IntegerType(8, CodeKind.SIGNED)
_HALF = 128


def with_signed_codes(graph: Graph) -> Graph:
    """The graph with every u8 feature map as s8, its codes less 128.

    The input and the output are among them: pixels p become p − 128. A change of encoding that has
    nothing left to do is left out.

    Raises:
        GraphError: an operator depends on the codes in another way.
    """
    graph = expand_average_pools(expand_transposed_convolutions(graph))
    distances = {node.name: _distance(node.output) for node in graph.nodes}
    same: dict[str, str] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        moved = replace(
            node,
            operator=_moved(node, [distances[name] for name in node.inputs]),
            inputs=tuple(same.get(name, name) for name in node.inputs),
            output=_signed(node.output),
        )
        if _does_nothing(moved, nodes):
            same[node.name] = moved.inputs[0]
        else:
            nodes.append(moved)
    output = same.get(graph.output, graph.output)
    return verify(Graph.build(graph.name, nodes, output, graph.metadata))


def _distance(tensor: TensorType) -> int:
    return _HALF if tensor.integer == _UNSIGNED else 0


def _signed(tensor: TensorType) -> TensorType:
    if tensor.integer != _UNSIGNED:
        return tensor
    zeros = tuple(zero - _HALF for zero in tensor.encoding.zero_point)
    return TensorType(tensor.channels, _SIGNED, replace(tensor.encoding, zero_point=zeros))


def _moved(node: Node, operands: list[int]) -> Any:
    """A node's operator for operands and a result whose codes moved."""
    result = _distance(node.output)
    if not result and not any(operands):
        return node.operator
    if isinstance(node.operator, _MOVERS):
        return node.operator
    if type(node.operator) not in _MOVES:
        raise broken(node, "an operator of 8-bit codes", node.operator.kind)
    return _MOVES[type(node.operator)](node, node.operator, operands, result)


def _convolution(node: Node, operator: Convolution, operands: list[int], result: int) -> Any:
    moved = operands[0] * operator.weight.sum(axis=(1, 2, 3))
    return replace(
        operator,
        bias=operator.bias + moved,
        pad_code=operator.pad_code - operands[0],
        requantization=_requantization(node, operator.requantization, result),
    )


def _add(node: Node, operator: Add, operands: list[int], result: int) -> Any:
    terms = operator.term_rounding
    requantization = _requantization(node, operator.requantization, result)
    if isinstance(terms, FusedTerms):
        raise broken(node, "an addition of integers", "one in float32, ONNX Runtime's")
    if terms is None:
        moved = sum(m * d for m, d in zip(operator.multipliers, operands, strict=True))
        return replace(operator, bias=operator.bias + moved, requantization=requantization)
    first, second = (z - d for z, d in zip(terms.zero_points, operands, strict=True))
    terms = replace(terms, zero_points=(first, second))
    return replace(operator, term_rounding=terms, requantization=requantization)


def _multiply(node: Node, operator: Multiply, operands: list[int], result: int) -> Any:
    first, second = (b + d for b, d in zip(operator.biases, operands, strict=True))
    requantization = _requantization(node, operator.requantization, result)
    return replace(operator, biases=(first, second), requantization=requantization)


def _change(node: Node, operator: Requantize, operands: list[int], result: int) -> Any:
    requantization = _requantization(node, operator.requantization, result)
    return replace(operator, bias=operator.bias + operands[0], requantization=requantization)


def _prelu(node: Node, operator: ParametricRelu, operands: list[int], result: int) -> Any:
    return replace(
        operator,
        bias=operator.bias + operands[0],
        positive=_requantization(node, operator.positive, result),
        negative=_requantization(node, operator.negative, result),
    )


def _table(node: Node, operator: LookupTable, operands: list[int], result: int) -> Any:
    return replace(operator, table=operator.table - result)


def _bilinear(node: Node, operator: BilinearResize, operands: list[int], result: int) -> Any:
    requantization = _requantization(node, operator.requantization, result)
    moved = operands[0] << 2 * RESIZE_FRACTION_BITS
    return replace(operator, bias=operator.bias + moved, requantization=requantization)


def _requantization(node: Node, given: Requantization, result: int) -> Requantization:
    if result and given.zero_point_first:
        raise broken(node, "a zero point that is added behind the rounding", "one before it")
    return replace(
        given,
        zero_point=given.zero_point - result,
        low=given.low - result,
        high=given.high - result,
    )


def _does_nothing(node: Node, before: list[Node]) -> bool:
    """Whether a change of encoding hands on codes as they are."""
    operator = node.operator
    if not isinstance(operator, Requantize):
        return False
    given = operator.requantization
    source = next(each for each in before if each.name == node.inputs[0])
    unchanged = (
        (given.multiplier == np.left_shift(1, given.shift)).all()
        and not (operator.bias + given.zero_point).any()
        and (given.low, given.high) == (node.output.integer.low, node.output.integer.high)
    )
    return bool(unchanged) and source.output == node.output


_MOVES: dict[type[Any], Callable[[Node, Any, list[int], int], Any]] = {
    Convolution: _convolution,
    Add: _add,
    Multiply: _multiply,
    Requantize: _change,
    ParametricRelu: _prelu,
    LookupTable: _table,
    BilinearResize: _bilinear,
}
"""By the type of operator."""
_MOVERS = (Input, Concatenate, NearestResize, PixelShuffle)
"""Operators that hand codes on as they are."""
