"""FQSR's learned intervals as encodings of a network's tensors.

With N = 2^bits − 1 and an interval α, a signed grid α·(2·k − N)/N has the codes k where sums are
rounded to it, and the odd integers 2·k − N where a lookup table writes it for a convolution; an
unsigned one α·k/L has the codes k. Source: specification 1.5 (c), 4.1 and 4.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quant.common.codes import CodeKind
from quant.graph import IntegerType
from quant.lowering import (
    FINE,
    Encodings,
    FloatNetwork,
    MapEncoding,
    ScaleGrid,
    WeightEncoding,
    image_encoding,
    mid_rise_weights,
    signed_encoding,
    smallest_weight_scales,
)
from quant.lowering.encodings import IMAGE_BITS, with_consecutive_codes
from quant.lowering.float_network import FloatNode
from quant.lowering.float_operators import FloatInput, FloatLayer
from quant.lowering.plan import NARROW_BITS
from quant.lowering.storage import REARRANGING, Storage, Store, storages
from quant.methods.fqsr.fake_quantized import Grids


@dataclass(frozen=True, slots=True)
class Intervals:
    """Everything the encodings follow from.

    Attributes:
        grids: what is quantized.
        reaches: intervals by name, as `FakeQuantized.reaches` gives them.
        scale_grid: the scales there are.
    """

    grids: Grids
    reaches: Mapping[str, float]
    scale_grid: ScaleGrid = FINE

    def signed(self, name: str, bits: int) -> MapEncoding:
        """Odd codes of a mid-rise grid."""
        return self._encoding(name, IntegerType(bits, CodeKind.ODD))

    def unsigned(self, name: str, bits: int) -> MapEncoding:
        """Codes of a grid from 0 up."""
        return self._encoding(name, IntegerType(bits, CodeKind.UNSIGNED))

    def rounded(self, name: str) -> MapEncoding:
        """Consecutive codes of a mid-rise grid, which sums are rounded to."""
        return with_consecutive_codes(self.signed(name, self.grids.output_bits))

    def _encoding(self, name: str, integer: IntegerType) -> MapEncoding:
        scale = on_grid(self.scale_grid, self.reaches[name] / integer.high)
        return MapEncoding(integer, scale, np.zeros(1))


def on_grid(grid: ScaleGrid, scale: float) -> float:
    """A learned scale as it is, or the next power of two where there is nothing else."""
    return scale if grid is FINE else grid.at_least(scale)


def fixed_encodings(network: FloatNetwork, intervals: Intervals) -> Encodings:
    """The encodings of all that has an interval; streams are not among it.

    Args:
        network: a float network with PReLUs and concatenations of its own for each reader.
        intervals: of its tensors.
    """
    layer_map = intervals.grids.layer_map
    inputs = _inputs(network, intervals)
    operands = {name: intervals.rounded(f"add/{name}") for name in layer_map.additions}
    outputs = {name: intervals.rounded(f"ot/{name}") for name in layer_map.outputs}
    outputs |= {name: sum_encoding(operand) for name, operand in operands.items()}
    outputs = _passed_on(network, outputs, operands)
    return Encodings(inputs, _weights(network, inputs, intervals), {}, outputs, operands)


def missing_streams(network: FloatNetwork, encodings: Encodings) -> tuple[str, ...]:
    """The feature maps that stay real in training and whose range decides how they are stored."""
    stored = storages(network)
    names = {
        stored[node.name].name
        for node in network.nodes
        if stored[node.name].store is Store.STREAM and node.name not in encodings.outputs
    }
    return tuple(node.name for node in network.nodes if node.name in names)


def with_streams(
    encodings: Encodings, magnitudes: Mapping[str, float], bits: int, grid: ScaleGrid = FINE
) -> Encodings:
    """The encodings with signed codes for what stays real in training.

    Args:
        encodings: of everything else.
        magnitudes: the largest magnitude of each stream.
        bits: width of their codes.
        grid: the scales there are.
    """
    streams = {name: signed_encoding(m, bits, grid) for name, m in magnitudes.items()}
    return replace(encodings, streams=streams)


def sum_encoding(operand: MapEncoding) -> MapEncoding:
    """Codes k₁ + k₂ − N of the sum of two maps on one mid-rise grid, one bit wider and signed.

    Both are (2·k − N)·α/N, so the sum is 2·(k₁ + k₂ − N)·α/N: always even in α/N.
    """
    integer = IntegerType(operand.integer.bits + 1, CodeKind.SIGNED)
    return MapEncoding(integer, operand.scale, np.zeros(1))


def _inputs(network: FloatNetwork, intervals: Intervals) -> dict[str, MapEncoding]:
    """What each layer reads: the picture itself, odd codes, or unsigned ones.

    Only tables write odd codes, and none reads more than 9 bits; wider grids keep consecutive
    ones.
    """
    image = network.nodes[0].operator
    assert isinstance(image, FloatInput)
    layer_map = intervals.grids.layer_map
    picture = image_encoding(image, IMAGE_BITS, intervals.scale_grid)
    inputs = dict.fromkeys(network.layer_names(), picture)
    for names, of in (
        (layer_map.signed_inputs, intervals.signed),
        (layer_map.unsigned_inputs, intervals.unsigned),
    ):
        for name in names:
            bits = intervals.grids.bits[name].activation_bits
            encoding = of(f"fm/{name}", bits)
            inputs[name] = encoding if bits <= NARROW_BITS else with_consecutive_codes(encoding)
    return inputs


def _weights(
    network: FloatNetwork, inputs: Mapping[str, MapEncoding], intervals: Intervals
) -> dict[str, WeightEncoding]:
    weights: dict[str, WeightEncoding] = {}
    for node in network.nodes:
        if isinstance(node.operator, FloatLayer):
            source, bits = inputs[node.name], intervals.grids.bits[node.name].weight_bits
            grid = intervals.scale_grid
            if grid is not FINE:
                grid = replace(grid, unit=grid.unit / source.scale)
            steps = (1 << bits) - 1
            least = float(smallest_weight_scales(node.operator, source).max())
            scale = on_grid(grid, max(intervals.reaches[f"wt/{node.name}"] / steps, least))
            weights[node.name] = mid_rise_weights(node.operator.weight, bits, scale * steps)
    return weights


def _passed_on(
    network: FloatNetwork,
    outputs: Mapping[str, MapEncoding],
    operands: Mapping[str, MapEncoding],
) -> dict[str, MapEncoding]:
    """Outputs, also of nodes that can write or keep the codes of a neighbour.

    What only a quantized addition reads is written in its operands' codes; what only rearranges a
    feature map, and is read in several ways, keeps the codes it has.
    """
    found, stored, readers = dict(outputs), storages(network), network.readers()
    for node in network.nodes:
        reading = readers[node.name]
        if node.name in found or stored[node.name].store is not Store.STREAM:
            continue
        if isinstance(node.operator, REARRANGING):
            found |= _kept(node, found, stored)
        elif len(reading) == 1 and reading[0].name in operands:
            found[node.name] = operands[reading[0].name]
    return found


def _kept(
    node: FloatNode, found: Mapping[str, MapEncoding], stored: Mapping[str, Storage]
) -> dict[str, MapEncoding]:
    sources = [found.get(source) for source in node.inputs]
    first = sources[0]
    if first is None or any(other is None or other.key != first.key for other in sources):
        return {}
    return {node.name: first}
