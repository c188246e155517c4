"""A small graph in an engine's convention, and the means to break one thing in it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from quant.graph import (
    Encoding,
    Graph,
    Input,
    IntegerType,
    Node,
    Padding,
    PixelShuffle,
    TensorType,
    verify,
)
from quant.interchange.derivation import ADDITIONS, convolution

S8 = IntegerType.parse("s8")
CLAMP = (-128, 127)


def tensor(channels: int, scale: float, zero: int) -> TensorType:
    return TensorType(channels, S8, Encoding(scale, (zero,)))


IMAGE, MAP, SUM = tensor(3, 0.02, -7), tensor(4, 0.05, 3), tensor(4, 0.04, -20)


def small_graph(convention: str) -> Graph:
    """Two convolutions, their sum, and a pixel shuffle: ``image, one, two, sum, out``."""
    random = np.random.default_rng(0)

    def conv(source: TensorType, kernel: int) -> Any:
        weight = random.integers(-127, 128, (4, kernel, kernel, source.channels))
        scales = random.uniform(1e-3, 2e-3, 4).astype(np.float32)
        bias = random.integers(-500, 500, 4)
        padding = Padding.even(kernel // 2, kernel // 2)
        return convolution(convention, source, MAP, weight, bias, scales, padding, CLAMP)

    nodes = [
        Node("image", Input(), (), IMAGE),
        Node("one", conv(IMAGE, 3), ("image",), MAP),
        Node("two", conv(MAP, 1), ("one",), MAP),
        Node("sum", ADDITIONS[convention](MAP, MAP, SUM, CLAMP), ("one", "two"), SUM),
        Node("out", PixelShuffle(2), ("sum",), replace(SUM, channels=1)),
    ]
    return verify(Graph.build("small", nodes, "out"))


def changed(graph: Graph, name: str, **changes: Any) -> Graph:
    """The graph with other fields of one node."""
    nodes = tuple(replace(node, **changes) if node.name == name else node for node in graph.nodes)
    return replace(graph, nodes=nodes)


def with_operator(graph: Graph, name: str, change: Callable[[Any], Any]) -> Graph:
    """The graph with another operator in one node."""
    return changed(graph, name, operator=change(graph.node(name).operator))
