"""Networks of signed codes between pictures of unsigned ones."""

from dataclasses import replace

import numpy as np

from quant.graph import (
    CodeKind,
    Encoding,
    Graph,
    Input,
    IntegerType,
    LookupTable,
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


def with_real_output(graph: Graph, white: float) -> Graph:
    """The graph with pixels 0 to 255 for the real numbers that its output codes stand for.

    A pixel is the nearest to real · 255 / white, halves to even, computed in float32.

    Args:
        graph: of at most 16-bit output codes.
        white: value of a white pixel.
    """
    end = graph.node(graph.output)
    integer, encoding = end.output.integer, end.output.encoding
    codes = np.arange(integer.low, integer.high + 1)
    real = (codes - encoding.zero_point[0]).astype(np.float32) * np.float32(encoding.scale)
    pixels = np.clip(np.rint(real / np.float32(white / 255)), _PIXELS.low, _PIXELS.high)
    table = pixels.astype(np.int64)[None]
    if integer == _PIXELS and (table == codes).all():
        return graph
    picture = TensorType(end.output.channels, _PIXELS, Encoding(white / 255))
    node = Node(f"{end.name}.pixels", LookupTable(table), (end.name,), picture)
    return verify(Graph.build(graph.name, [*graph.nodes, node], node.name, graph.metadata))


def _pixels(tensor: TensorType) -> TensorType:
    zeros = tuple(zero + _HALF for zero in tensor.encoding.zero_point)
    return TensorType(tensor.channels, _PIXELS, replace(tensor.encoding, zero_point=zeros))


def _moved(distance: int, integer: IntegerType) -> Requantize:
    """Every code moved by a distance, exactly."""
    unscaled = Requantization(np.array([1]), np.array([0]), 0, integer.low, integer.high)
    return Requantize(np.array([distance]), unscaled)
