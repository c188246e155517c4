"""Rules that move pixel shuffles and slices of channels to where they cost nothing; see `fold`."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quant.graph.types import Padding
from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import (
    FloatAffine,
    FloatConvolution,
    FloatLayer,
    FloatPixelShuffle,
    FloatPointwise,
    FloatPRelu,
    FloatSlice,
)

Permutation = NDArray[np.int64]


def before_shuffle(network: FloatNetwork) -> FloatNetwork | None:
    """What acts on each value alone changes places with the pixel shuffle before it."""
    readers = network.readers()
    for source in network.nodes:
        shuffle = source.operator
        if not isinstance(shuffle, FloatPixelShuffle) or len(readers[source.name]) != 1:
            continue
        (node,) = readers[source.name]
        pointwise = node.operator
        if not isinstance(pointwise, FloatPointwise):
            continue
        return network.rewritten(
            [
                FloatNode(node.name, _of_shuffled(pointwise, shuffle), source.inputs),
                FloatNode(source.name, shuffle, (node.name,)),
            ],
            {node.name: source.name},
        )
    return None


def _of_shuffled(pointwise: FloatPointwise, shuffle: FloatPixelShuffle) -> FloatPointwise:
    """A pointwise operator behind a shuffle as one in front of it."""
    match pointwise:
        case FloatAffine(scale=scale, offset=offset):
            return FloatAffine(shuffle.repeated(scale), shuffle.repeated(offset))
        case FloatPRelu(slope=slope):
            return FloatPRelu(shuffle.repeated(slope))
        case _:
            return pointwise


def shuffle_as_dcr(network: FloatNetwork) -> FloatNetwork | None:
    """The layer before a CRD shuffle computes its channels in the order of a DCR shuffle.

    Pointwise operators may stand between. A shuffle that no such layer leads to stays as it is.
    """
    channels = network.channels()
    for node in network.nodes:
        shuffle = node.operator
        if not isinstance(shuffle, FloatPixelShuffle) or shuffle.order == "dcr":
            continue
        chain = _chain_to_layer(network, node.inputs[0])
        if chain is None:
            continue
        count = channels[node.inputs[0]]
        order = np.arange(count).reshape(-1, shuffle.factor**2).T.reshape(-1)
        dcr = replace(node, operator=FloatPixelShuffle(shuffle.factor, "dcr"))
        return network.rewritten([*(_permuted(member, order) for member in chain), dcr])
    return None


def _chain_to_layer(network: FloatNetwork, name: str) -> list[FloatNode] | None:
    """From a node back to the layer it comes from, if nothing else reads any of them."""
    by_name, readers = network.by_name(), network.readers()
    chain: list[FloatNode] = []
    while True:
        node = by_name[name]
        if len(readers[name]) > 1:
            return None
        chain.append(node)
        if isinstance(node.operator, FloatLayer):
            return chain if node.operator.groups == 1 else None
        if not isinstance(node.operator, FloatPointwise):
            return None
        (name,) = node.inputs


def _permuted(node: FloatNode, order: Permutation) -> FloatNode:
    assert isinstance(node.operator, FloatLayer | FloatPointwise)
    return replace(node, operator=node.operator.with_outputs(order))


def slice_through_pointwise(network: FloatNetwork) -> FloatNetwork | None:
    """A slice changes places with what acts on each value alone before it."""
    for source, node, part in _slices(network):
        pointwise = source.operator
        if isinstance(pointwise, FloatPointwise):
            before = FloatNode(_part_name(source.inputs[0], part), part, source.inputs)
            after = FloatNode(
                _part_name(source.name, part),
                pointwise.with_outputs(slice(part.start, part.stop)),
                (before.name,),
            )
            return network.rewritten([before, after], {node.name: after.name})
    return None


def slice_into_layer(network: FloatNetwork) -> FloatNetwork | None:
    """A slice of a layer's channels is the layer that computes only those."""
    for source, node, part in _slices(network):
        layer = source.operator
        if isinstance(layer, FloatLayer) and layer.groups == 1:
            channels = slice(part.start, part.stop)
            fewer = FloatNode(
                _part_name(source.name, part), layer.with_outputs(channels), source.inputs
            )
            return network.rewritten([fewer], {node.name: fewer.name})
    return None


def slice_as_convolution(network: FloatNetwork) -> FloatNetwork | None:
    """A slice of anything else is a 1x1 convolution whose weights are 0 and 1."""
    channels = network.channels()
    for source, node, part in _slices(network):
        weight = np.eye(channels[source.name])[part.start : part.stop, None, None, :]
        convolution = FloatConvolution(weight, np.zeros(len(weight)), Padding())
        return network.rewritten([replace(node, operator=convolution)])
    return None


def _slices(network: FloatNetwork) -> list[tuple[FloatNode, FloatNode, FloatSlice]]:
    """Every slice: what it is of, its node, and itself."""
    by_name = network.by_name()
    return [
        (by_name[node.inputs[0]], node, node.operator)
        for node in network.nodes
        if isinstance(node.operator, FloatSlice)
    ]


def _part_name(name: str, part: FloatSlice) -> str:
    """Below the whole's name, so that a bit policy for the whole speaks of its parts too."""
    return f"{name}.{part.start}_{part.stop}"
