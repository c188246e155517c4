"""How many bits a graph works on: averages, and operations weighed by both widths."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from quant.graph.graph import Graph
from quant.graph.grids import Size
from quant.graph.operators import Convolution, TransposedConvolution

COUNTED_LAYERS = "counted_layers"
"""Entry of a graph's metadata: names, between commas, of the convolutions that papers count."""


@dataclass(frozen=True, slots=True)
class LayerOperations:
    """The multiplications of one convolution for one image.

    Attributes:
        name: of its node.
        macs: multiply-accumulate operations, padded taps included.
        weight_bits: width of a weight.
        activation_bits: width of its input codes.
    """

    name: str
    macs: int
    weight_bits: int
    activation_bits: int

    @property
    def bit_operations(self) -> int:
        """``macs`` times both widths, the "BitOPs" of the literature."""
        return self.macs * self.weight_bits * self.activation_bits


def layer_operations(graph: Graph, image: Size) -> tuple[LayerOperations, ...]:
    """Every convolution of a graph, in order, with its operations for an image of a size.

    Nothing is left out: BitOPs are the sum over this list, first and last layers included.
    """
    sizes = graph.sizes(image)
    types = {node.name: node.output for node in graph.nodes}
    layers = []
    for node in graph.nodes:
        match node.operator:
            case Convolution() as convolution:
                macs = convolution.macs_per_pixel * sizes[node.name].pixels
            case TransposedConvolution(weight=weight):
                macs = int(weight.size) * sizes[node.inputs[0]].pixels
            case _:
                continue
        widths = node.operator.weight_type.bits, types[node.inputs[0]].integer.bits
        layers.append(LayerOperations(node.name, macs, *widths))
    return tuple(layers)


def counted_layers(metadata: Mapping[str, str]) -> frozenset[str] | None:
    """The convolutions that papers count for a method's average; None where none are named."""
    names = metadata.get(COUNTED_LAYERS)
    return None if names is None else frozenset(names.split(","))


def feature_average_bits(graph: Graph, counted: Collection[str] | None = None) -> float:
    """Mean width of the convolutions' input codes, every convolution counting once, in bits.

    The "feature average bit-width" (FAB) of the literature, e.g. Hong and Lee, "AdaBM", CVPR
    2024, except that papers leave out the first and last layers they keep at 8 bits; here all
    convolutions count.

    Args:
        graph: the graph.
        counted: names of the convolutions that count, as papers count; None counts all.
    """
    types = {node.name: node.output for node in graph.nodes}
    widths = [
        types[node.inputs[0]].integer.bits
        for node in graph.convolutions()
        if counted is None or node.name in counted
    ]
    return sum(widths) / len(widths) if widths else math.nan


def weight_average_bits(graph: Graph) -> float:
    """Mean width of a weight, every weight counting once, in bits."""
    convolutions = [n.operator for n in graph.nodes if isinstance(n.operator, Convolution)]
    weights = sum(convolution.weight.size for convolution in convolutions)
    bits = sum(c.weight.size * c.weight_type.bits for c in convolutions)
    return bits / weights if weights else math.nan
