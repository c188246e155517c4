"""Rewrites a float network until only convolutions, additions, clamps and DCR shuffles are left.

Each rule looks for one place where it applies and returns the smaller network, or None when there
is no such place; `fold` applies the rules until none does. Every rule keeps the function of the
network (up to float rounding, and up to the border where the image's mean is folded away, see
``docs/lowering.md``).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from quant.common.errors import UserError
from quant.lowering.float_network import (
    UNCLAMPED,
    FloatAdd,
    FloatAffine,
    FloatClamp,
    FloatConvolution,
    FloatInput,
    FloatNetwork,
    FloatNode,
    FloatOperator,
    FloatPixelShuffle,
)

Rule = Callable[[FloatNetwork], FloatNetwork | None]


def fold(network: FloatNetwork) -> FloatNetwork:
    """The same network without affine maps and with all pixel shuffles in DCR order.

    Raises:
        UserError: a pixel shuffle does not follow a convolution of its own.
    """
    network = network.rewritten([])  # without what leads nowhere
    for rules in (_SIMPLIFYING, _COMPLETING):
        network = _exhausted(network, rules)
    return network


def _exhausted(network: FloatNetwork, rules: tuple[Rule, ...]) -> FloatNetwork:
    while True:
        results = (rule(network) for rule in rules)
        smaller = next((result for result in results if result is not None), None)
        if smaller is None:
            return network
        network = smaller


def _affine_into_producer(network: FloatNetwork) -> FloatNetwork | None:
    """An affine map behind an unclamped convolution, or behind another affine map, joins it."""
    for source, node in _only_readers(network, FloatAffine):
        affine = node.operator
        assert isinstance(affine, FloatAffine)
        match source.operator:
            case FloatConvolution(weight=weight, bias=bias, clamp=clamp) if clamp == UNCLAMPED:
                scale = np.broadcast_to(affine.scale, bias.shape)
                joined = replace(
                    source.operator,
                    weight=weight * scale[:, None, None, None],
                    bias=bias * scale + affine.offset,
                )
                return network.rewritten(
                    [replace(source, operator=joined)], {node.name: source.name}
                )
            case FloatAffine(scale=scale, offset=offset):
                both = FloatAffine(scale * affine.scale, offset * affine.scale + affine.offset)
                return network.rewritten([replace(source, operator=both)], {node.name: source.name})
    return None


def _clamp_into_producer(network: FloatNetwork) -> FloatNetwork | None:
    """A clamp behind a convolution, an addition or another clamp joins it."""
    for source, node in _only_readers(network, FloatClamp):
        clamp = node.operator
        assert isinstance(clamp, FloatClamp)
        if isinstance(source.operator, FloatConvolution | FloatAdd | FloatClamp):
            low, high = np.clip(source.operator.clamp, *clamp.clamp)
            joined = replace(source.operator, clamp=(float(low), float(high)))
            return network.rewritten([replace(source, operator=joined)], {node.name: source.name})
    return None


def _before_shuffle(network: FloatNetwork) -> FloatNetwork | None:
    """What acts on each value alone changes places with the pixel shuffle before it."""
    for source, node in _only_readers(network, FloatAffine, FloatClamp):
        shuffle, pointwise = source.operator, node.operator
        if not isinstance(shuffle, FloatPixelShuffle):
            continue
        if isinstance(pointwise, FloatAffine):
            pointwise = FloatAffine(
                shuffle.repeated(pointwise.scale), shuffle.repeated(pointwise.offset)
            )
        return network.rewritten(
            [
                FloatNode(node.name, pointwise, source.inputs),
                FloatNode(source.name, shuffle, (node.name,)),
            ],
            {node.name: source.name},
        )
    return None


def _affine_of_image(network: FloatNetwork) -> FloatNetwork | None:
    """Scaling and shifting the image changes what its codes mean, if only convolutions see it."""
    readers = network.readers()
    for image, node in _only_readers(network, FloatAffine):
        affine, codes = node.operator, image.operator
        if not isinstance(codes, FloatInput) or not isinstance(affine, FloatAffine):
            continue
        seen = [reader.operator for reader in readers[node.name]]
        if not all(isinstance(operator, FloatConvolution) for operator in seen):
            continue
        if np.ptp(affine.scale) == 0 and affine.scale[0] > 0 and network.output != node.name:
            scale = float(affine.scale[0])
            meaning = FloatInput(
                codes.channels, codes.scale * scale, codes.offset * scale + affine.offset
            )
            return network.rewritten([replace(image, operator=meaning)], {node.name: image.name})
    return None


def _affine_as_convolution(network: FloatNetwork) -> FloatNetwork | None:
    """An affine map that nothing could take in is a 1x1 convolution with a diagonal weight."""
    channels = network.channels()
    for node in network.nodes:
        if isinstance(node.operator, FloatAffine):
            count = channels[node.name]
            scale = np.broadcast_to(node.operator.scale, count)
            offset = np.broadcast_to(node.operator.offset, count).copy()
            convolution = FloatConvolution(np.diag(scale)[:, None, None, :], offset, (0, 0))
            return network.rewritten([replace(node, operator=convolution)])
    return None


def _shuffle_as_dcr(network: FloatNetwork) -> FloatNetwork | None:
    """The convolution before a CRD shuffle computes its channels in the order of a DCR shuffle."""
    by_name, readers = network.by_name(), network.readers()
    for node in network.nodes:
        shuffle = node.operator
        if not isinstance(shuffle, FloatPixelShuffle) or shuffle.order == "dcr":
            continue
        source = by_name[node.inputs[0]]
        convolution = source.operator
        if not isinstance(convolution, FloatConvolution) or len(readers[source.name]) > 1:
            raise UserError(
                f"network: pixel shuffle '{node.name}': expected a convolution before it that "
                f"nothing else reads, found '{source.name}'; insert a convolution"
            )
        blocks = shuffle.factor**2
        order = np.arange(len(convolution.bias)).reshape(-1, blocks).T.reshape(-1)
        permuted = replace(
            convolution, weight=convolution.weight[order], bias=convolution.bias[order]
        )
        return network.rewritten(
            [
                replace(source, operator=permuted),
                replace(node, operator=FloatPixelShuffle(shuffle.factor, "dcr")),
            ]
        )
    return None


_SIMPLIFYING: tuple[Rule, ...] = (
    _affine_into_producer,
    _clamp_into_producer,
    _before_shuffle,
    _affine_of_image,
)
_COMPLETING: tuple[Rule, ...] = (_affine_as_convolution, _clamp_into_producer, _shuffle_as_dcr)


def _only_readers(
    network: FloatNetwork, *kinds: type[FloatOperator]
) -> list[tuple[FloatNode, FloatNode]]:
    """Pairs of a node and the one node that reads it, where that is of one of some kinds."""
    readers = network.readers()
    return [
        (node, readers[node.name][0])
        for node in network.nodes
        if len(readers[node.name]) == 1 and isinstance(readers[node.name][0].operator, kinds)
    ]
