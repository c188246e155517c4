"""One of three graphs for each image, chosen by integers: bit-widths that the image decides.

A *selector*, a graph of its own, sums something over the image; two thresholds say which of three
*variants* of one network then runs. The variants have the same weights and differ in the widths of
their feature maps. Source: image-to-bit mapping of Hong and Lee, "AdaBM: On-the-Fly Adaptive Bit
Mapping for Image Super-Resolution", CVPR 2024.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from quant.graph.graph import Graph, GraphError, Node
from quant.graph.grids import Size
from quant.graph.operators import (
    Convolution,
    Integers,
    Normalization,
    Statistics,
    TransposedConvolution,
)
from quant.graph.types import IntegerType, TensorType
from quant.graph.verifier import verify

OFFSETS = (-1, 0, 1)
"""Bits that the image adds to every adaptive feature map, by variant."""

_MOST_FRACTION_BITS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What an image chose.

    Attributes:
        variant: place of the graph in `AdaptiveGraph.variants`.
        total: the selector's numbers, added up.
        pixels: of the image.
        complexity: ``total`` per pixel, in the method's unit.
    """

    variant: int
    total: int
    pixels: int
    complexity: float

    @property
    def offset(self) -> int:
        """Bits that the image adds."""
        return OFFSETS[self.variant]


@dataclass(frozen=True, slots=True, eq=False)
class AdaptiveGraph:
    """Three graphs of one network, and what an image decides by which of them it runs.

    Attributes:
        name: what the network calls itself.
        selector: from the image to a single pixel of sums.
        variants: the graphs for the image offsets −1, 0 and +1.
        lower: images below this threshold take the first variant.
        upper: images above this one take the last.
        fraction_bits: thresholds are for each pixel, in units of 2^-fraction_bits of the sum.
        complexity_unit: the sum for each pixel that counts as a complexity of 1.
        frequencies: how many calibration images chose each variant.
        metadata: text about where the graphs come from.
    """

    name: str
    selector: Graph
    variants: tuple[Graph, Graph, Graph]
    lower: int
    upper: int
    fraction_bits: int
    complexity_unit: int
    frequencies: tuple[int, int, int]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def select(self, sums: NDArray[np.int64], image: Size) -> Selection:
        """What the selector's numbers decide.

        In integers: the sum, shifted, is compared with the thresholds times the image's pixels,
        which the control processor multiplies once an image. An image on a threshold takes the
        variant in the middle.

        Args:
            sums: int64, what came out of the selector.
            image: size of the image it saw.
        """
        total, pixels = int(sums.sum()), image.pixels
        shifted = total << self.fraction_bits
        variant = 1 + int(shifted > self.upper * pixels) - int(shifted < self.lower * pixels)
        return Selection(variant, total, pixels, total / (pixels * self.complexity_unit))

    def threshold(self, bound: int) -> float:
        """`lower` or `upper` as a complexity."""
        return bound / (self.complexity_unit << self.fraction_bits)

    def shares(self) -> tuple[Fraction, ...]:
        """The part of the calibration images that chose each variant."""
        total = sum(self.frequencies)
        return tuple(Fraction(count, total) for count in self.frequencies)

    def scale(self) -> Fraction:
        """Output pixels per input pixel along one side, borders apart."""
        return self.variants[1].scale()

    def graphs(self) -> tuple[Graph, ...]:
        """The selector, then the variants."""
        return (self.selector, *self.variants)

    def with_graphs(self, graphs: tuple[Graph, ...]) -> "AdaptiveGraph":
        """The same with other graphs, in the order of `graphs`."""
        selector, low, middle, high = graphs
        return replace(self, selector=selector, variants=(low, middle, high))


def normalizes_at_run_time(graph: Graph | AdaptiveGraph) -> bool:
    """Whether channels are normalized by what an image's own feature maps are like."""
    parts = graph.graphs() if isinstance(graph, AdaptiveGraph) else (graph,)
    return any(isinstance(node.operator, Normalization) for part in parts for node in part.nodes)


def verify_adaptive(adaptive: AdaptiveGraph) -> AdaptiveGraph:
    """Check the four graphs and that they belong together; give them back.

    Raises:
        GraphError: the first rule broken.
    """
    for graph in adaptive.graphs():
        verify(graph)
    _verify_ends(adaptive)
    _verify_weights(adaptive)
    _verify_numbers(adaptive)
    return adaptive


def _verify_ends(adaptive: AdaptiveGraph) -> None:
    """All read the same image, variants give the same picture, the selector gives sums."""
    last = adaptive.selector.node(adaptive.selector.output).operator
    if not isinstance(last, Statistics) or last.statistic != "sum":
        raise _broken(adaptive, "a selector that ends in sums", f"'{last.kind}'")
    image, picture = _codes(adaptive.selector.input), _picture(adaptive.variants[1])
    for graph in adaptive.variants:
        if _codes(graph.input) != image:
            raise _broken(adaptive, f"the input codes {image}", f"{_codes(graph.input)}")
        if _picture(graph) != picture:
            raise _broken(adaptive, "variants of one output", f"another in '{graph.name}'")


def _codes(node: Node) -> tuple[int, IntegerType]:
    return node.output.channels, node.output.integer


def _picture(graph: Graph) -> tuple[TensorType, Fraction]:
    return graph.node(graph.output).output, graph.scale()


def _verify_weights(adaptive: AdaptiveGraph) -> None:
    weights = [_weights(graph) for graph in adaptive.variants]
    for other in weights[1:]:
        if other.keys() != weights[0].keys():
            raise _broken(adaptive, "variants of the same convolutions", "others")
        for name, weight in other.items():
            if not np.array_equal(weight, weights[0][name]):
                raise _broken(adaptive, "variants of the same weights", f"others in '{name}'")


def _verify_numbers(adaptive: AdaptiveGraph) -> None:
    if not 0 <= adaptive.lower <= adaptive.upper:
        raise _broken(
            adaptive, "thresholds from 0 on, ascending", f"{adaptive.lower}, {adaptive.upper}"
        )
    if not 0 <= adaptive.fraction_bits <= _MOST_FRACTION_BITS or adaptive.complexity_unit < 1:
        raise _broken(
            adaptive,
            f"0 to {_MOST_FRACTION_BITS} fraction bits and a positive unit",
            f"{adaptive.fraction_bits} and {adaptive.complexity_unit}",
        )
    if min(adaptive.frequencies) < 0 or not sum(adaptive.frequencies):
        raise _broken(adaptive, "images that chose a variant", str(adaptive.frequencies))


def _weights(graph: Graph) -> dict[str, Integers]:
    return {
        node.name: node.operator.weight
        for node in graph.nodes
        if isinstance(node.operator, Convolution | TransposedConvolution)
    }


def _broken(adaptive: AdaptiveGraph, wanted: str, found: str) -> GraphError:
    return GraphError(f"adaptive graph '{adaptive.name}': expected {wanted}, found {found}")
