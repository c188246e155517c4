"""Checks that a graph means what it says: wiring, tensor types, sizes, operators' rules."""

from math import isfinite, lcm, prod

from quant.graph.graph import Graph, GraphError, Node
from quant.graph.grids import ONE_PIXEL, Size
from quant.graph.operators import (
    ANY_NUMBER,
    AveragePool,
    Convolution,
    Encode,
    Multiply,
    Normalization,
    ScaledConvolution,
    Statistics,
)
from quant.graph.requantization_rules import broken
from quant.graph.rules import RULES
from quant.graph.types import MAXIMUM_BITS

_WIDE = Statistics | Normalization
"""Operators whose results are wider than codes."""
_BY_PIXEL = Encode | ScaledConvolution
"""Operators whose second operand is the single pixel of a normalization."""

LARGE_IMAGE = 4096
"""Sides of the images on which sizes are compared: larger than any kernel."""

_MOST_SIZES = 1 << 18
"""Of feature maps, compared on all those images: what takes some seconds."""


def verify(graph: Graph) -> Graph:
    """Check every node of a graph and give the graph back.

    Raises:
        GraphError: the first rule broken: the node, what was wanted, what was found.
    """
    _verify_wiring(graph)
    outputs = {node.name: node.output for node in graph.nodes}
    for node in graph.nodes:
        _verify_type(node)
        RULES[type(node.operator)](node, [outputs[source] for source in node.inputs])
    _verify_sizes(graph)
    return graph


def _verify_wiring(graph: Graph) -> None:
    """Names are used once, producers come first, and everything leads to the output."""
    _ = graph.input
    seen: set[str] = set()
    for node in graph.nodes:
        if not node.name or node.name in seen:
            raise broken(node, "a name of its own", f"'{node.name}' again" if node.name else "none")
        wanted = node.operator.operands
        if wanted == ANY_NUMBER and len(node.inputs) < 2:
            raise broken(node, "two or more inputs", str(len(node.inputs)))
        if wanted != ANY_NUMBER and len(node.inputs) != wanted:
            raise broken(node, f"{wanted} inputs", str(len(node.inputs)))
        for source in node.inputs:
            if source not in seen:
                raise broken(node, "its inputs to come before it", f"'{source}' not yet computed")
        seen.add(node.name)
    if graph.output not in seen:
        raise GraphError(
            f"graph '{graph.name}': expected the output to be a node, found '{graph.output}'"
        )
    read = {source for node in graph.nodes for source in node.inputs} | {graph.output}
    for node in graph.nodes:
        if node.name not in read:
            raise broken(node, "a reader, or to be the output", "neither")


def _verify_type(node: Node) -> None:
    output = node.output
    if output.channels < 1:
        raise broken(node, "at least one channel", str(output.channels))
    if output.integer.bits > MAXIMUM_BITS and not isinstance(node.operator, _WIDE):
        raise broken(node, f"output codes of at most {MAXIMUM_BITS} bits", str(output.integer))
    if len(output.encoding.zero_point) not in (1, output.channels):
        raise broken(
            node, f"1 or {output.channels} zero points", str(len(output.encoding.zero_point))
        )
    if not (isfinite(output.encoding.scale) and output.encoding.scale > 0):
        raise broken(node, "a positive finite scale", str(output.encoding.scale))


def _verify_sizes(graph: Graph) -> None:
    """Operands fit together on every image: heights and widths are equal, or a factor's is 1×1.

    Sides grow evenly with the image's, heights in steps that repeat after the product of all
    strides down and widths after that of those across; so one such stretch of sizes, and one as
    large again beyond it, speak for all.
    """
    strides = [
        node.operator.stride
        for node in graph.nodes
        if isinstance(node.operator, Convolution | AveragePool)
    ]
    period = min(lcm(*(prod(sides) for sides in zip(*strides, strict=True))), LARGE_IMAGE)
    if period * len(graph.nodes) > _MOST_SIZES:
        raise GraphError(
            f"graph '{graph.name}': expected strides under which sizes repeat after few pixels, "
            f"found {len(graph.nodes)} nodes and {period} pixels; take strides of powers of two"
        )
    for offset in range(2 * period):
        image = Size(LARGE_IMAGE + offset, LARGE_IMAGE + offset + 1)
        sizes = graph.sizes(image)
        for node in graph.nodes:
            _verify_operand_sizes(node, [sizes[source] for source in node.inputs], image)


def _verify_operand_sizes(node: Node, operands: list[Size], image: Size) -> None:
    if isinstance(node.operator, Multiply | _BY_PIXEL) and operands[1] == ONE_PIXEL:
        return
    if len(set(operands)) > 1:
        found = " and ".join(str(size) for size in operands)
        raise broken(node, "operands of one height and width", f"{found} for an image of {image}")
