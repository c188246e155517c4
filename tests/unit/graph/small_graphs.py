"""Hand-made graphs of two or three operators, and the means to break one thing in them."""

from dataclasses import replace
from typing import Any

import numpy as np

from quant.common.requantization_modes import ONE_FLOAT32
from quant.graph import (
    Add,
    Convolution,
    FusedTerms,
    Graph,
    Input,
    IntegerType,
    Node,
    Padding,
    PixelShuffle,
    Requantization,
    Requantize,
    TensorType,
)
from quant.graph.operators import Integers

U8, S8, S4 = (IntegerType.parse(text) for text in ("u8", "s8", "s4"))


def integers(*values: int) -> Integers:
    return np.array(values, dtype=np.int64)


def requantization(**changes: Any) -> Requantization:
    plain = Requantization(integers(1), integers(4), zero_point=0, low=-128, high=127)
    return replace(plain, **changes)


def convolution(**changes: Any) -> Convolution:
    """3x3 from 2 to 4 channels, s4 weights, padding 1."""
    weight = np.arange(4 * 3 * 3 * 2, dtype=np.int64).reshape(4, 3, 3, 2) % 15 - 7
    plain = Convolution(
        weight, S4, integers(1, 2, 3, 4), Padding.even(1, 1), integers(0), requantization()
    )
    return replace(plain, **changes)


def add(**changes: Any) -> Add:
    return replace(Add((1, 2), 0, requantization()), **changes)


def requantize(**changes: Any) -> Requantize:
    return replace(Requantize(np.zeros(1, np.int64), requantization()), **changes)


def image(channels: int = 2) -> Node:
    return Node("image", Input(), (), TensorType(channels, U8))


def convolution_graph(output: TensorType | None = None, **changes: Any) -> Graph:
    node = Node("conv", convolution(**changes), ("image",), output or TensorType(4, S8))
    return Graph("small", (image(), node), "conv")


def add_graph(output: TensorType | None = None, **changes: Any) -> Graph:
    nodes = (
        image(),
        Node("copy", requantize(), ("image",), TensorType(2, S8)),
        Node("sum", add(**changes), ("image", "copy"), output or TensorType(2, S8)),
    )
    return Graph("small", nodes, "sum")


def fused_graph(**changes: Any) -> Graph:
    """An addition in float32."""
    scaling = requantization(
        multiplier=integers(ONE_FLOAT32), shift=integers(0), rounding="onnxruntime"
    )
    return add_graph(**{"requantization": scaling, "term_rounding": FusedTerms(0)} | changes)


def requantize_graph(output: TensorType | None = None, **changes: Any) -> Graph:
    node = Node("copy", requantize(**changes), ("image",), output or TensorType(2, S8))
    return Graph("small", (image(), node), "copy")


def shuffle_graph(factor: int = 2, output: TensorType | None = None) -> Graph:
    node = Node("shuffle", PixelShuffle(factor), ("image",), output or TensorType(2, U8))
    return Graph("small", (image(8), node), "shuffle")
