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
from quant.graph.operators import Integers

_HALF = 128
_BETWEEN = 16.0  # the geometric mean of 1 and 255, about
_CODES, _PIXELS = IntegerType(8, CodeKind.SIGNED), IntegerType(8)


def with_picture_ends(graph: Graph, white: float = 1.0) -> Graph:
    """The graph with pixels 0 to 255 at its ends, as uint8 codes.

    Signed 8-bit codes are pixels less 128. Wider ones stand for real numbers, of which ``white`` is
    a white pixel; they are the nearest, halves away from zero. An end that is already of unsigned
    8-bit codes stays as it is.

    Args:
        graph: of any ends.
        white: value of a white pixel.
    """
    nodes, output = list(graph.nodes), graph.output
    entering = graph.input.output.integer
    if entering != _PIXELS:
        image = graph.input
        picture = Node(f"{image.name}.pixels", Input(), (), _pixels(image.output, white))
        made = (
            _moved(-_HALF, _CODES)
            if entering == _CODES
            else LookupTable(codes_of_pixels(image.output, white))
        )
        codes = Node(image.name, made, (picture.name,), image.output)
        nodes = [picture, codes, *(node for node in nodes if node.name != image.name)]
    end = graph.node(graph.output)
    if end.output.integer == _CODES:
        output = f"{end.name}.pixels"
        pixels = _pixels(end.output, white)
        nodes.append(Node(output, _moved(_HALF, _PIXELS), (end.name,), pixels))
    made_graph = verify(Graph.build(graph.name, nodes, output, graph.metadata))
    wide = end.output.integer.bits > _PIXELS.bits
    return with_real_output(made_graph, white) if wide else made_graph


def white_of_reach(reach: float) -> float:
    """What a white pixel is: 255 or 1, which files do not say and tool chains differ in.

    Args:
        reach: largest real number that the codes of an image stand for. It is about as large as the
            numbers that the network was calibrated with.
    """
    return 255.0 if reach > _BETWEEN else 1.0


def codes_of_pixels(tensor: TensorType, white: float) -> Integers:
    """The code of every pixel value, halves away from zero, in float32: int64 [1, 256].

    Args:
        tensor: what the codes are, and mean.
        white: value of a white pixel.
    """
    real = np.arange(_PIXELS.high + 1).astype(np.float32) * np.float32(white / _PIXELS.high)
    steps = np.abs(real / np.float32(tensor.encoding.scale)) + np.float32(0.5)
    codes = np.floor(steps).astype(np.int64) + tensor.encoding.zero_point[0]
    limited: Integers = np.clip(codes, tensor.integer.low, tensor.integer.high)
    return limited[None]


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


def _pixels(tensor: TensorType, white: float) -> TensorType:
    if tensor.integer != _CODES:
        return TensorType(tensor.channels, _PIXELS, Encoding(white / _PIXELS.high))
    zeros = tuple(zero + _HALF for zero in tensor.encoding.zero_point)
    return TensorType(tensor.channels, _PIXELS, replace(tensor.encoding, zero_point=zeros))


def _moved(distance: int, integer: IntegerType) -> Requantize:
    """Every code moved by a distance, exactly."""
    unscaled = Requantization(np.array([1]), np.array([0]), 0, integer.low, integer.high)
    return Requantize(np.array([distance]), unscaled)
