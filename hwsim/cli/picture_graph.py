"""Graphs whose codes, at both ends, are the pixels of pictures."""

from quant.common.errors import UserError
from quant.graph import CodeKind, Graph, IntegerType, TensorType
from quant.graph.adaptive_file import AnyGraph

_COLOURS = 3
_PIXEL = IntegerType(8, CodeKind.UNSIGNED)


def require_picture_graph(whole: AnyGraph) -> None:
    """Make sure that a graph takes and gives pictures: three channels of 8-bit pixels.

    Raises:
        UserError: it does not.
    """
    graph = whole if isinstance(whole, Graph) else whole.variants[1]  # all have the same ends
    for verb, tensor in (
        ("takes", graph.input.output),
        ("gives", graph.node(graph.output).output),
    ):
        if (tensor.channels, tensor.integer) != (_COLOURS, _PIXEL):
            raise UserError(
                f"graph '{graph.name}' {verb} {tensor}, expected {TensorType(_COLOURS, _PIXEL)}, a "
                "picture of red, green and blue; give the graph of a super-resolution network"
            )
