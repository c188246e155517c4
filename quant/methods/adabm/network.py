"""From what was learned to integers: three networks, of which each image chooses one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quant.graph import Graph, IntegerType, Size
from quant.graph.adaptive import OFFSETS, AdaptiveGraph, verify_adaptive
from quant.lowering import (
    Encodings,
    FloatNetwork,
    MapEncoding,
    ScaleGrid,
    mid_rise_weights,
    with_whole_offsets,
)
from quant.lowering.float_operators import FloatLayer
from quant.methods.adabm.complexity import UNIT, complexity_graph, integer_sums
from quant.methods.adabm.layer_map import LayerMap, Role
from quant.methods.learning.learned import Tensors
from quant.methods.quantized_network import QuantizedNetwork
from quant.policy import LayerBits

if TYPE_CHECKING:
    from quant.lowering.encoded_execution import EncodedExecution

FRACTION_BITS = 8
"""Of the graph's thresholds: steps of 1 / (2^8 · 255) of complexity, below `LARGEST_ERROR`."""


@dataclass(frozen=True, eq=False)
class AdaptiveNetwork:
    """A float network whose tensors have three encodings.

    Attributes:
        variants: for the image offsets −1, 0 and +1.
        thresholds: complexities, lower and upper.
        frequencies: how many patches it learned from chose each variant.
        metadata: text that goes along with its graph.
    """

    variants: tuple[QuantizedNetwork, QuantizedNetwork, QuantizedNetwork]
    thresholds: tuple[float, float]
    frequencies: tuple[int, int, int]
    metadata: Mapping[str, str]

    def graph(self) -> AdaptiveGraph:
        """The verified graphs.

        Raises:
            UserError: the mode cannot express a layer's widths or scales.
        """
        return self._graph

    def execution(self) -> "AdaptiveExecution":
        """The same networks in float64, rounded to the same codes."""
        return AdaptiveExecution(self)

    @cached_property
    def _graph(self) -> AdaptiveGraph:
        low, middle, high = (variant.graph() for variant in self.variants)
        lower, upper = (max(0, round(t * (UNIT << FRACTION_BITS))) for t in self.thresholds)
        return verify_adaptive(
            AdaptiveGraph(
                middle.name,
                complexity_graph(middle.input.output),
                (_named(low, 0), _named(middle, 1), _named(high, 2)),
                lower,
                upper,
                FRACTION_BITS,
                UNIT,
                self.frequencies,
                {**middle.metadata, **self.metadata},
            )
        )


class AdaptiveExecution:
    """Three networks in real numbers, of which each picture chooses one as the graphs do."""

    def __init__(self, network: AdaptiveNetwork) -> None:
        self._adaptive = network.graph()
        self._variants = [variant.execution() for variant in network.variants]

    def oracle(self, image: NDArray[np.uint8]) -> "EncodedExecution":
        """The network that an image runs.

        Args:
            image: uint8, height x width x colours.
        """
        size = Size(image.shape[0], image.shape[1])
        return self._variants[self._adaptive.select(integer_sums(image), size).variant]

    def codes(self, image: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """The codes of every feature map; see `EncodedExecution.codes`."""
        return self.oracle(image).codes(image)

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture that comes out; see `EncodedExecution.picture`."""
        return self.oracle(image).picture(image)


def adaptive_encodings(
    network: FloatNetwork,
    layers: LayerMap,
    bits: Mapping[str, LayerBits],
    real: Encodings,
    learned: Tensors,
    grid: ScaleGrid,
) -> tuple[Encodings, ...]:
    """The encodings of each variant.

    Args:
        network: a folded float network.
        layers: what its layers are.
        bits: of each layer.
        real: encodings of everything, from which those of streams and real layers are taken.
        learned: what `AdaBMLearner.learned` gave.
        grid: the scales there are.
    """
    nodes = network.by_name()
    weights = dict(real.weights)
    for name in layers.learned:
        layer = nodes[name].operator
        assert isinstance(layer, FloatLayer)
        reach = _number(learned, f"{name}/reach")
        weights[name] = mid_rise_weights(layer.weight, bits[name].weight_bits, reach)
    variants = []
    for image_offset in OFFSETS:
        inputs = dict(real.inputs)
        for name in layers.learned:
            if f"{name}/low" in learned:
                offset = _offset(layers.roles[name], name, learned, image_offset)
                width = bits[name].activation_bits + offset
                low, high = _number(learned, f"{name}/low"), _number(learned, f"{name}/high")
                inputs[name] = range_encoding(low, high, width, grid)
        encodings = replace(real, inputs=inputs, weights=weights)
        variants.append(with_whole_offsets(network, encodings))
    return tuple(variants)


def range_encoding(low: float, high: float, bits: int, grid: ScaleGrid) -> MapEncoding:
    """Codes 0 … 2^bits − 1 evenly from ``low`` to ``high``; taps outside the image are 0."""
    integer = IntegerType(bits)
    scale = grid.at_least((high - low) / integer.high)
    return MapEncoding(integer, scale, np.array([-low / scale]), pads_exactly=True)


def layer_offset_of(learned: Tensors, name: str) -> int:
    """The bits a layer adds: its measure, rounded to −1, 0 or 1."""
    return int(np.rint(np.clip(_number(learned, f"{name}/measure"), -1, 1)))


def _number(learned: Tensors, name: str) -> float:
    return float(learned[name].reshape(-1)[0])


def _offset(role: Role, name: str, learned: Tensors, image_offset: int) -> int:
    return layer_offset_of(learned, name) + image_offset if role is Role.ADAPTIVE else 0


def _named(graph: Graph, variant: int) -> Graph:
    offset = OFFSETS[variant]
    metadata: dict[str, Any] = {**graph.metadata, "image_bits": f"{offset:+d}"}
    return replace(graph, name=f"{graph.name} {offset:+d}", metadata=metadata)
