"""ODM's distribution offsets in a network: part of what is there already, or affine maps.

What is in front of a layer takes its offset in where that changes nothing but constants:

* a convolution that only this layer reads adds a shift to its bias, unless it is clamped;
* it multiplies by a scale, which is above 0, also if it is clamped at 0: its weights keep their
  integers, and their scale becomes one per channel;
* else the offset is an affine map of its own. In front of a layer that reads a stream, that map
  takes the place of the copy into the layer's codes, which would be there anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from quant.lowering import Encodings, MapEncoding
from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import UNCLAMPED, FloatAffine, FloatConvolution, Reals
from quant.lowering.plan import plan
from quant.methods.odm.parameters import BodyLayer

_POSITIVE = (UNCLAMPED, (0.0, inf))
"""Clamps that a factor above 0 may go past."""


@dataclass(frozen=True, slots=True, eq=False)
class Offset:
    """A network with offsets in it.

    Attributes:
        network: the network.
        factors: of layers whose weights were multiplied, by what [out_channels].
    """

    network: FloatNetwork
    factors: Mapping[str, Reals]


def with_offsets(network: FloatNetwork, body: Mapping[str, BodyLayer]) -> Offset:
    """Put the offsets of layers into a network.

    Args:
        network: a folded network, with the weights that were learned.
        body: the layers of its body by name.
    """
    factors: dict[str, Reals] = {}
    for name, layer in body.items():
        if layer.shift is None and layer.scale is None:
            continue
        by_name = network.by_name()
        reader = by_name[name]
        source = by_name[reader.inputs[0]]
        alone = len(network.readers()[source.name]) == 1
        folded = _folded(source, layer) if alone else None
        if folded is not None:
            network = network.rewritten([folded])
            if layer.scale is not None:
                factors[source.name] = layer.scale
            continue
        affine = FloatNode(f"{name}.offset", _affine(layer), (source.name,))
        network = network.rewritten([affine, replace(reader, inputs=(affine.name,))])
    return Offset(network, factors)


def _affine(layer: BodyLayer) -> FloatAffine:
    one, zero = np.ones(1), np.zeros(1)
    return FloatAffine(
        one if layer.scale is None else layer.scale, zero if layer.shift is None else layer.shift
    )


def _folded(source: FloatNode, layer: BodyLayer) -> FloatNode | None:
    """A convolution that computes what was shifted or scaled, if its clamp allows it."""
    convolution = source.operator
    if not isinstance(convolution, FloatConvolution):
        return None
    if layer.shift is not None and convolution.clamp == UNCLAMPED:
        return replace(source, operator=replace(convolution, bias=convolution.bias + layer.shift))
    if layer.scale is not None and convolution.clamp in _POSITIVE:
        scaled = replace(
            convolution,
            weight=convolution.weight * layer.scale[:, None, None, None],
            bias=convolution.bias * layer.scale,
        )
        return replace(source, operator=scaled)
    return None


def with_whole_additions(network: FloatNetwork, encodings: Encodings) -> FloatNetwork:
    """The network with what its affine maps add moved to whole codes of what they read.

    Arithmetic is exact then: whole codes are added, and the sum is multiplied and rounded once.

    Args:
        network: a folded network.
        encodings: how its tensors are encoded.
    """
    changed = [
        replace(node, operator=_whole(node.operator, step.sources[0], step.target))
        for step in plan(network, encodings)
        if isinstance(step.operator, FloatAffine)
        for node in [network.by_name()[step.node]]
        if isinstance(node.operator, FloatAffine)
    ]
    return network.rewritten(changed)


def _whole(affine: FloatAffine, source: MapEncoding, target: MapEncoding) -> FloatAffine:
    step = affine.scale * source.scale
    added = np.rint((affine.offset + target.offset) / step - source.zero)
    return replace(affine, offset=(added + source.zero) * step - target.offset)
