"""Networks of signed codes between pictures of unsigned ones."""

from dataclasses import replace

import numpy as np

from quant.graph import (
    CodeKind,
    Graph,
    Input,
    IntegerType,
    Node,
    Requantization,
    Requantize,
    TensorType,
    verify,
)

_HALF = 128
_CODES, _PIXELS = IntegerType(8, CodeKind.SIGNED), IntegerType(8)


def with_picture_ends(graph: Graph) -> Graph:
    """The graph with pixels 0 to 255 where its ends are signed 8-bit codes, pixels less 128.

    An end that is already unsigned stays as it is.
    """
    nodes, output = list(graph.nodes), graph.output
    if graph.input.output.integer == _CODES:
        image = graph.input
        picture = Node(f"{image.name}.pixels", Input(), (), _pixels(image.output))
        codes = Node(image.name, _moved(-_HALF, _CODES), (picture.name,), image.output)
        nodes = [picture, codes, *(node for node in nodes if node.name != image.name)]
    end = graph.node(graph.output)
    if end.output.integer == _CODES:
        output = f"{end.name}.pixels"
        nodes.append(Node(output, _moved(_HALF, _PIXELS), (end.name,), _pixels(end.output)))
    return verify(Graph.build(graph.name, nodes, output, graph.metadata))


def _pixels(tensor: TensorType) -> TensorType:
    zeros = tuple(zero + _HALF for zero in tensor.encoding.zero_point)
    return TensorType(tensor.channels, _PIXELS, replace(tensor.encoding, zero_point=zeros))


def _moved(distance: int, integer: IntegerType) -> Requantize:
    """Every code moved by a distance, exactly."""
    unscaled = Requantization(np.array([1]), np.array([0]), 0, integer.low, integer.high)
    return Requantize(np.array([distance]), unscaled)
