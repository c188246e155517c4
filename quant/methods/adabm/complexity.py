"""How much detail an image has, as a real number and as a sum of integers.

With S_x and S_y the Sobel derivatives of the grey image (0..255, the nearest pixel outside the
image), an image of H x W pixels has the complexity

    c = 1000 · mean(|S_x|, |S_y|) / (8 · 255) = Σ (|S_x| + |S_y|) / (4.08 · H · W)

which is kornia's ``spatial_gradient`` of the grey image in 0..1, as AdaBM uses it (CVPR 2024,
section 3; released code). The integer graph has derivatives in thousandths of a grey level, where
the grey coefficients are whole numbers, and rounds each once, to `STEP` of them. So c is the
integers' sum over `UNIT` · H · W, and never further than `LARGEST_ERROR` from it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.common.codes import CodeKind
from quant.common.requantization import Requantization
from quant.graph import (
    Convolution,
    Graph,
    Input,
    IntegerType,
    Node,
    Padding,
    Statistics,
    TensorType,
    verify,
)
from quant.graph.types import SUM_BITS

GREY = (299, 587, 114)
"""Thousandths of red, green and blue in a grey level (BT.601, as kornia's ``rgb_to_grayscale``)."""

SOBEL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
"""Across; its transpose is the one down."""

_SHIFT = 4
STEP = 1 << _SHIFT
"""Thousandths of a grey level in a unit of the codes: |S| of at most 4 · 255 takes 16 bits."""

UNIT = 255
"""Sum of codes per pixel of an image of complexity 1: 4.08 · 1000 / `STEP`, exactly."""

LARGEST_ERROR = STEP / 1000 / 4.08
"""Of the integers' c: two codes a pixel, each rounded by at most half a unit."""

_CODES = IntegerType(16)
_WEIGHTS = IntegerType(12, CodeKind.SIGNED)
_SUMS = IntegerType(SUM_BITS, CodeKind.SIGNED)


def complexity(image: NDArray[Any]) -> float:
    """The complexity of an image, in float64.

    Args:
        image: [height, width, 3], red, green and blue in 0..255.
    """
    total = sum(np.abs(derivative).sum() for derivative in _derivatives(image)) / 1000
    return float(total / (4.08 * image.shape[0] * image.shape[1]))


def integer_sums(image: NDArray[Any]) -> NDArray[np.int64]:
    """The sums that `complexity_graph` gives, by NumPy: int64 [4].

    Args:
        image: integers [height, width, 3], red, green and blue in 0..255.
    """
    across, down = _derivatives(image.astype(np.int64))
    parts = np.maximum(0, np.stack([across, -across, down, -down]))
    sums: NDArray[np.int64] = ((parts + STEP // 2) >> _SHIFT).sum(axis=(1, 2))
    return sums


def _derivatives(image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """S_x and S_y in thousandths of a grey level, each [height, width]."""
    grey = image @ np.array(GREY)
    padded = np.pad(grey, 1, mode="edge")
    height, width = grey.shape
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    for row, weights in enumerate(SOBEL):
        for column, weight in enumerate(weights):
            across = across + weight * padded[row : row + height, column : column + width]
            down = down + weight * padded[column : column + height, row : row + width]
    return across, down


def complexity_graph(image: TensorType) -> Graph:
    """The graph from an image to four sums, of the positive and negative parts of S_x and S_y.

    One convolution computes grey and derivatives at once: 4 channels of 3 x 3 taps of 3 colours,
    clamped at 0, so that two of them are the magnitudes' parts. `UNIT` and `STEP` say what their
    sum means.

    Args:
        image: the input's type, 8-bit codes of red, green and blue.

    Raises:
        GraphError: the input is no such picture.
    """
    across = np.array(SOBEL, np.int64)
    derivatives = np.stack([across, -across, across.T, -across.T])
    weight = derivatives[..., np.newaxis] * np.array(GREY, np.int64)
    scaling = Requantization(np.array([1]), np.array([_SHIFT]), 0, _CODES.low, _CODES.high)
    convolution = Convolution(
        weight,
        _WEIGHTS,
        np.zeros(len(weight), np.int64),
        Padding.even(1, 1),
        np.zeros(1, np.int64),
        scaling,
        border="replicate",
    )
    channels = len(weight)
    nodes = (
        Node("image", Input(), (), image),
        Node("derivatives", convolution, ("image",), TensorType(channels, _CODES)),
        Node("sums", Statistics("sum"), ("derivatives",), TensorType(channels, _SUMS)),
    )
    return verify(Graph.build("complexity", nodes, "sums"))
