"""From what ODM learned to a network with encodings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from quant.common.codes import CodeKind
from quant.common.requantization_modes import mode_named
from quant.graph import IntegerType
from quant.lowering import (
    FINE,
    Encodings,
    FloatNetwork,
    MapEncoding,
    ScaleGrid,
    Statistics,
    TensorStatistics,
    WeightEncoding,
    mid_rise_weights,
    scale_grid,
    with_whole_offsets,
)
from quant.lowering.float_operators import FloatLayer, Reals
from quant.methods.learning.learned import Tensors
from quant.methods.learning.quantizers import asymmetric, mid_rise
from quant.methods.learning.trainable_network import Places, TrainableNetwork
from quant.methods.odm.offsets import with_offsets, with_whole_additions
from quant.methods.odm.parameters import BodyLayer, body_parameters, with_constants
from quant.methods.ranges import range_encodings, whole_range
from quant.policy import BitPolicy
from quant.policy.bits import LayerBits


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A network and its encodings."""

    network: FloatNetwork
    encodings: Encodings


def encode(
    network: FloatNetwork,
    tensors: Tensors,
    policy: BitPolicy,
    pictures: Iterable[Tensor],
    rounding: str,
) -> Encoded:
    """A network with what was learned on it, in codes.

    The body has the ranges that were learned. All else has those that are seen when the network
    runs on pictures with its body quantized, as `quant.methods.ranges.MinMax` takes them.

    Args:
        network: the folded network that was learned on.
        tensors: what was learned.
        policy: bits of its layers.
        pictures: float32, batch x colours x height x width, 0…255.
        rounding: name of the requantization mode.

    Raises:
        UserError: parameters are missing, or the mode is not known.
    """
    body = body_parameters(network, tensors)
    offset = with_offsets(with_constants(network, tensors), body)
    bits = policy.resolve(network.layer_names())
    grid = scale_grid(network, mode_named(rounding).name)
    reaches = {
        name: layer.reach * offset.factors.get(name, np.ones(1)) for name, layer in body.items()
    }
    seen = observe_quantized(offset.network, body, reaches, bits, pictures)
    ranged = range_encodings(offset.network, policy, seen, whole_range, grid)
    inputs = {name: input_encoding(layer, bits[name], grid) for name, layer in body.items()}
    weights = {
        name: _weight_encoding(offset.network, name, reaches[name], bits[name], inputs[name], grid)
        for name in body
    }
    encodings = replace(
        ranged, inputs={**ranged.inputs, **inputs}, weights={**ranged.weights, **weights}
    )
    encodings = with_whole_offsets(offset.network, encodings)
    return Encoded(with_whole_additions(offset.network, encodings), encodings)


def input_encoding(layer: BodyLayer, bits: LayerBits, grid: ScaleGrid) -> MapEncoding:
    """Codes of the values evenly from low to high; taps outside the image are the number 0.

    Args:
        layer: with the range.
        bits: of the layer.
        grid: the scales there are; the fine one takes any.
    """
    integer = IntegerType(bits.activation_bits, CodeKind.UNSIGNED)
    step = (layer.high - layer.low) / integer.high
    if grid is not FINE:
        step = grid.at_least(step)
    return MapEncoding(integer, step, np.array([-layer.low / step]), pads_exactly=True)


def _weight_encoding(
    network: FloatNetwork,
    name: str,
    reach: Reals,
    bits: LayerBits,
    source: MapEncoding,
    grid: ScaleGrid,
) -> WeightEncoding:
    """Odd integers and a scale, which is one per channel where an offset was folded in."""
    operator = network.by_name()[name].operator
    assert isinstance(operator, FloatLayer)
    levels = (1 << bits.weight_bits) - 1
    if grid is not FINE:
        products = replace(grid, unit=grid.unit / source.scale)
        reach = np.array([levels * products.at_least(each / levels) for each in reach.tolist()])
    encoding = mid_rise_weights(operator.weight / reach[:, None, None, None], bits.weight_bits, 1.0)
    return replace(encoding, scale=encoding.scale * reach)


@torch.no_grad()
def observe_quantized(
    network: FloatNetwork,
    body: Mapping[str, BodyLayer],
    reaches: Mapping[str, Reals],
    bits: Mapping[str, LayerBits],
    pictures: Iterable[Tensor],
) -> Statistics:
    """Smallest and largest value of every feature map, with the body quantized and all else real.

    Args:
        network: with offsets.
        body: the layers of its body by name.
        reaches: magnitude at which their weights are clipped, [1] or [out_channels].
        bits: of every layer.
        pictures: float32, batch x colours x height x width, 0…255.
    """
    inputs, weights = {}, {}
    for name, layer in body.items():
        low, high = torch.tensor(layer.low), torch.tensor(layer.high)
        levels = (1 << bits[name].activation_bits) - 1
        inputs[name] = partial(asymmetric, low=low, high=high, levels=levels)
        reach = torch.from_numpy(reaches[name]).float()[:, None, None, None]
        weights[name] = partial(mid_rise, reach=reach, levels=(1 << bits[name].weight_bits) - 1)
    trainable = TrainableNetwork(network, Places(inputs=inputs, weights=weights))
    seen: dict[str, TensorStatistics] = {}

    def note(name: str, values: Tensor) -> None:
        low, high = float(values.min()), float(values.max())
        if name in seen:
            low, high = min(low, seen[name].low), max(high, seen[name].high)
        seen[name] = TensorStatistics(low, high, np.zeros(0, np.int64))

    for picture in pictures:
        trainable(picture, on_map=note)
    return seen
