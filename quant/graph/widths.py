"""A graph's layers at other widths, for what depends on widths and not on values."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from quant.common.codes import CodeKind
from quant.graph.graph import Graph, GraphError, Node
from quant.graph.operators import (
    Concatenate,
    Convolution,
    Input,
    LookupTable,
    NearestResize,
    PixelShuffle,
)
from quant.graph.types import IntegerType


def with_layer_bits(graph: Graph, bits: Mapping[str, tuple[int, int]]) -> dict[str, Node]:
    """The nodes that differ when convolutions have weights and input codes of other widths.

    Weights and constants that a narrower type lacks are clipped to it, so the graph with these
    nodes is valid; but nothing is quantized anew, and its pictures mean nothing. It costs what any
    graph of these widths costs.

    Args:
        graph: a verified graph.
        bits: (weight bits, activation bits), each 1 to 16, by convolution.

    Raises:
        GraphError: a name is no convolution, its input is the image, or codes of its weights or
            input are no plain integers.
    """
    changed: dict[str, Node] = {}
    by_name = {node.name: node for node in graph.nodes}
    for name, (_, activation_bits) in bits.items():
        convolution = by_name.get(name) or graph.node(name)
        if not isinstance(convolution.operator, Convolution):
            raise GraphError(
                f"node '{name}': expected a convolution, found {convolution.operator.kind}; "
                "give names of convolutions"
            )
        for source in _same_codes(by_name, convolution.inputs[0]):
            if source.output.integer.bits != activation_bits:
                changed[source.name] = _with_codes(source, activation_bits)
    for name, (weight_bits, activation_bits) in bits.items():
        node = changed.get(name, by_name[name])
        changed[name] = _with_weights(node, weight_bits, activation_bits, by_name[node.inputs[0]])
    return changed


def _same_codes(by_name: Mapping[str, Node], name: str) -> Iterator[Node]:
    """A node, and before it those whose codes it passes on."""
    node = by_name[name]
    yield node
    if isinstance(node.operator, PixelShuffle | NearestResize | Concatenate):
        for source in node.inputs:
            yield from _same_codes(by_name, source)


def _of_width(integer: IntegerType, bits: int, what: str) -> IntegerType:
    if integer.kind not in (CodeKind.SIGNED, CodeKind.UNSIGNED):
        raise GraphError(
            f"{what}: expected plain integers, found {integer}; only those have other widths"
        )
    return replace(integer, bits=bits)


def _with_codes(node: Node, bits: int) -> Node:
    """A node that writes codes of another width."""
    integer = _of_width(node.output.integer, bits, f"node '{node.name}'")
    operator = node.operator
    if isinstance(operator, Input):
        raise GraphError(
            f"node '{node.name}': the image keeps its codes; leave out the layer that reads it"
        )
    if isinstance(operator, LookupTable):
        operator = replace(operator, table=operator.table.clip(integer.low, integer.high))
    elif (requantization := getattr(operator, "requantization", None)) is not None:
        low = max(min(requantization.low, integer.high), integer.low)
        high = max(min(requantization.high, integer.high), integer.low)
        clamped = replace(requantization, low=low, high=high)
        operator = replace(operator, requantization=clamped)
    return replace(node, operator=operator, output=replace(node.output, integer=integer))


def _with_weights(node: Node, bits: int, activation_bits: int, source: Node) -> Node:
    """A convolution with weights of another width, that reads codes of another width."""
    operator = node.operator
    assert isinstance(operator, Convolution)
    kind = _of_width(operator.weight_type, bits, f"weights of '{node.name}'")
    codes = replace(source.output.integer, bits=activation_bits)
    changed = replace(
        operator,
        weight=operator.weight.clip(kind.low, kind.high),
        weight_type=kind,
        pad_code=operator.pad_code.clip(codes.low, codes.high),
    )
    return replace(node, operator=changed)
