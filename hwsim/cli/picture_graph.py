"""Graphs whose codes, at both ends, are the pixels of pictures."""

from quant.common.errors import UserError
from quant.graph import CodeKind, Graph, IntegerType, TensorType

_COLOURS = 3
_PIXEL = IntegerType(8, CodeKind.UNSIGNED)


def require_picture_graph(graph: Graph) -> None:
    """Make sure that a graph takes and gives pictures: three channels of 8-bit pixels.

    Raises:
        UserError: it does not.
    """
    for verb, tensor in (
        ("takes", graph.input.output),
        ("gives", graph.node(graph.output).output),
    ):
        if (tensor.channels, tensor.integer) != (_COLOURS, _PIXEL):
            raise UserError(
                f"graph '{graph.name}' {verb} {tensor}, expected {TensorType(_COLOURS, _PIXEL)}, a "
                "picture of red, green and blue; give the graph of a super-resolution network"
            )
