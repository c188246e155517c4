"""Rewrites a float network until only what the integer graph has is left.

Each rule looks for one place where it applies and returns the smaller network, or None when there
is no such place; `fold` applies the rules until none does. Every rule keeps the function of the
network (up to float rounding, and up to the border where the image's mean is folded away, see
``docs/lowering.md``).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from quant.common.errors import UserError
from quant.graph.types import Padding
from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import (
    UNCLAMPED,
    FloatAdd,
    FloatAffine,
    FloatClamp,
    FloatConvolution,
    FloatFunction,
    FloatInput,
    FloatLayer,
    FloatMultiply,
    FloatOperator,
    FloatPad,
    FloatTransposedConvolution,
)
from quant.lowering.fold_channels import (
    before_shuffle,
    shuffle_as_dcr,
    slice_as_convolution,
    slice_into_layer,
    slice_through_pointwise,
)

Rule = Callable[[FloatNetwork], FloatNetwork | None]


def fold(network: FloatNetwork) -> FloatNetwork:
    """The same network with as few operators as can be, all of which can be lowered.

    Raises:
        UserError: a zero padding is followed by something else than convolutions.
    """
    network = network.rewritten([])  # without what leads nowhere
    for rules in (_SIMPLIFYING, _COMPLETING):
        network = _exhausted(network, rules)
    _require_no_padding(network)
    return network


def only_readers(
    network: FloatNetwork, *kinds: type[FloatOperator]
) -> list[tuple[FloatNode, FloatNode]]:
    """Pairs of a node and the one node that reads it, where that is of one of some kinds."""
    readers = network.readers()
    return [
        (node, readers[node.name][0])
        for node in network.nodes
        if len(readers[node.name]) == 1 and isinstance(readers[node.name][0].operator, kinds)
    ]


def _exhausted(network: FloatNetwork, rules: tuple[Rule, ...]) -> FloatNetwork:
    while True:
        results = (rule(network) for rule in rules)
        smaller = next((result for result in results if result is not None), None)
        if smaller is None:
            return network
        network = smaller


def _pad_into_reader(network: FloatNetwork) -> FloatNetwork | None:
    """Zeros around a feature map are padding of the convolution that reads it."""
    by_name = network.by_name()
    for node in network.nodes:
        source = by_name[node.inputs[0]] if node.inputs else node
        reader, outer = node.operator, source.operator
        if isinstance(outer, FloatPad) and isinstance(reader, FloatConvolution | FloatPad):
            joined = replace(reader, padding=_together(reader.padding, outer.padding))
            return network.rewritten([FloatNode(node.name, joined, source.inputs)])
    return None


def _affine_into_producer(network: FloatNetwork) -> FloatNetwork | None:
    """An affine map behind an unclamped layer, a function or another affine map joins it."""
    for source, node in only_readers(network, FloatAffine):
        assert isinstance(node.operator, FloatAffine)
        joined = _followed_by_affine(source.operator, node.operator)
        if joined is not None:
            return network.rewritten([replace(source, operator=joined)], {node.name: source.name})
    return None


def _followed_by_affine(operator: FloatOperator, affine: FloatAffine) -> FloatOperator | None:
    match operator:
        case FloatConvolution() | FloatTransposedConvolution() if operator.clamp == UNCLAMPED:
            scale = np.broadcast_to(affine.scale, operator.bias.shape)
            return replace(
                operator,
                weight=operator.weight * scale[:, None, None, None],
                bias=operator.bias * scale + affine.offset,
            )
        case FloatAffine(scale=scale, offset=offset):
            return FloatAffine(scale * affine.scale, offset * affine.scale + affine.offset)
        case FloatFunction(name, scale, offset) if affine.scale.size == affine.offset.size == 1:
            factor = float(affine.scale[0])
            return FloatFunction(name, scale * factor, offset * factor + float(affine.offset[0]))
    return None


def _affine_into_reader(network: FloatNetwork) -> FloatNetwork | None:
    """An affine map that one convolution reads joins it, unless padding would be mapped too."""
    for node, reader in only_readers(network, FloatConvolution):
        affine, convolution = node.operator, reader.operator
        if not isinstance(affine, FloatAffine) or not isinstance(convolution, FloatConvolution):
            continue
        padded = convolution.padding != Padding() and affine.offset.any()
        if padded or convolution.groups > 1:
            continue
        joined = replace(
            convolution,
            weight=convolution.weight * affine.scale,
            bias=convolution.bias + (convolution.weight * affine.offset).sum(axis=(1, 2, 3)),
        )
        return network.rewritten([FloatNode(reader.name, joined, node.inputs)])
    return None


def _clamp_into_producer(network: FloatNetwork) -> FloatNetwork | None:
    """A clamp behind a layer, an addition, a product or another clamp joins it."""
    for source, node in only_readers(network, FloatClamp):
        clamp, clamped = node.operator, source.operator
        assert isinstance(clamp, FloatClamp)
        if isinstance(clamped, FloatLayer | FloatAdd | FloatMultiply | FloatClamp):
            low, high = np.clip(clamped.clamp, *clamp.clamp)
            joined = replace(clamped, clamp=(float(low), float(high)))
            return network.rewritten([replace(source, operator=joined)], {node.name: source.name})
    return None


def _affine_of_image(network: FloatNetwork) -> FloatNetwork | None:
    """Scaling and shifting the image changes what its codes mean, if only convolutions see it."""
    readers = network.readers()
    for image, node in only_readers(network, FloatAffine):
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
    """An affine map that nothing took in is a 1x1 convolution with a diagonal weight.

    A mere factor of at least 0 stays what it is: a requantization, which has no weights to round.
    An offset would be rounded to whole codes there.
    """
    channels = network.channels()
    for node in network.nodes:
        affine = node.operator
        if isinstance(affine, FloatAffine) and (affine.offset.any() or affine.scale.min() < 0):
            count = channels[node.name]
            scale = np.broadcast_to(affine.scale, count)
            offset = np.broadcast_to(affine.offset, count).copy()
            convolution = FloatConvolution(np.diag(scale)[:, None, None, :], offset, Padding())
            return network.rewritten([replace(node, operator=convolution)])
    return None


def _require_no_padding(network: FloatNetwork) -> None:
    for node in network.nodes:
        if isinstance(node.operator, FloatPad):
            raise UserError(
                f"network: zero padding '{node.name}': expected only convolutions behind it, found "
                "something else; pad in front of convolutions"
            )


def _together(one: Padding, other: Padding) -> Padding:
    return Padding(
        one.top + other.top,
        one.bottom + other.bottom,
        one.left + other.left,
        one.right + other.right,
    )


_SIMPLIFYING: tuple[Rule, ...] = (
    _pad_into_reader,
    slice_through_pointwise,
    slice_into_layer,
    _affine_into_producer,
    _clamp_into_producer,
    before_shuffle,
    _affine_of_image,
    _affine_into_reader,
)
_COMPLETING: tuple[Rule, ...] = (
    slice_as_convolution,
    _affine_as_convolution,
    _clamp_into_producer,
    shuffle_as_dcr,
)
