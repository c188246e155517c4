"""Between pixels and the codes at a graph's two ends: the only floats of a run."""

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.graph import Graph, TensorType

Pixels = NDArray[np.uint8]
Codes = NDArray[np.int32]

_COLOURS = 3


def encode_picture(graph: Graph, image: Pixels) -> Codes:
    """A picture as codes of the graph's input: the nearest code to each pixel's value, 0 to 255.

    Args:
        graph: its input's encoding says which real value a code stands for.
        image: uint8 [height, width, 3].

    Returns:
        int32 [height, width, 3].

    Raises:
        UserError: the graph does not take pictures of three colours.
    """
    tensor = _three_colours(graph, graph.input.output, "takes")
    scale, zero_point = tensor.encoding.scale, np.array(tensor.encoding.zero_point)
    codes: Codes = np.clip(
        np.floor(image / scale + 0.5) + zero_point, tensor.integer.low, tensor.integer.high
    ).astype(np.int32)
    return codes


def decode_picture(graph: Graph, codes: Codes) -> Pixels:
    """The picture that codes of the graph's output stand for, rounded to whole pixel values.

    Args:
        graph: its output's encoding says which real value a code stands for.
        codes: int32 [height, width, 3].

    Returns:
        uint8 [height, width, 3].

    Raises:
        UserError: the graph does not give pictures of three colours.
    """
    tensor = _three_colours(graph, graph.node(graph.output).output, "gives")
    scale, zero_point = tensor.encoding.scale, np.array(tensor.encoding.zero_point)
    values = scale * (codes.astype(np.float64) - zero_point)
    pixels: Pixels = np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)
    return pixels


def _three_colours(graph: Graph, tensor: TensorType, verb: str) -> TensorType:
    if tensor.channels != _COLOURS:
        raise UserError(
            f"graph '{graph.name}' {verb} {tensor.channels} channels, expected {_COLOURS} (red, "
            "green, blue); give a graph of a super-resolution network"
        )
    return tensor
