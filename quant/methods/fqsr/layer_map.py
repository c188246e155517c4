"""Which tensors FQSR quantizes, and which of them have a sign.

Source: specification 4.5 and F1, F2, F5. The released configurations list indices of EDSR and
SRResNet; the rules here give the same tensors there, and say what becomes of other networks.
"""

from dataclasses import dataclass
from typing import Literal

from quant.common.errors import UserError
from quant.lowering import FloatNetwork
from quant.lowering.float_operators import (
    FloatAdd,
    FloatLayer,
    FloatPixelShuffle,
    FloatPRelu,
    FloatTransposedConvolution,
)
from quant.lowering.storage import Store, storages

RELU = (0.0, float("inf"))
"""The clamp of a layer that ends in a ReLU."""

Preset = Literal["paper", "released"]

_FIRST_UNSIGNED = 10
"""Index of the first layer of SRResNet that reads an unsigned feature map (specification 4.5)."""


@dataclass(frozen=True, slots=True)
class LayerMap:
    """The tensors of a network that are quantized, by node name, in the network's order.

    Attributes:
        weights: layers; all of them.
        signed_inputs: layers whose input is on a mid-rise grid.
        unsigned_inputs: layers whose input is on a grid from 0 up.
        outputs: layers whose result is quantized.
        additions: additions whose operands are quantized with one shared interval.
    """

    weights: tuple[str, ...]
    signed_inputs: tuple[str, ...]
    unsigned_inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    additions: tuple[str, ...]


def layer_map(network: FloatNetwork, preset: Preset, *, direct: bool = False) -> LayerMap:
    """What is quantized in a network.

    Args:
        network: a folded network, before its ReLUs have become PReLUs.
        preset: ``paper`` quantizes all there is but the picture's own pixels at both ends;
            ``released`` leaves out what the released configurations leave out.
        direct: whether a layer that only a quantized addition reads goes without a quantizer of
            its own (specification F2).

    Raises:
        UserError: the network has a transposed convolution.
    """
    nodes, layers = network.by_name(), network.layer_names()
    _require_convolutions(network)
    stores = storages(network)
    reading = [name for name in layers if stores[nodes[name].inputs[0]].store is not Store.IMAGE]
    unsigned = set(_unsigned(network))
    additions = _additions(network, preset)
    outputs = _outputs(network, preset)
    if direct:
        readers = network.readers()
        summed = set(additions)
        outputs = [
            name for name in outputs if not all(reader.name in summed for reader in readers[name])
        ]
    return LayerMap(
        layers,
        tuple(name for name in reading if name not in unsigned),
        tuple(name for name in reading if name in unsigned),
        tuple(outputs),
        tuple(additions),
    )


def registration_order(network: FloatNetwork) -> tuple[str, ...]:
    """Names of layers and quantized additions in the order of the released code's indices.

    There the long skip's addition comes last, and SRResNet's additions have no index.
    """
    names = [
        node.name for node in network.nodes if isinstance(node.operator, FloatLayer | FloatAdd)
    ]
    sums = _sums(network)
    if _is_like_srresnet(network):
        return tuple(name for name in names if name not in sums)
    last = sums[-1:]
    return tuple([name for name in names if name not in last] + last)


def _outputs(network: FloatNetwork, preset: Preset) -> list[str]:
    """Layers that another layer comes after; the last one's result is the picture's.

    As released, EDSR's second and later upsampling convolutions go without.
    """
    outputs = [name for name in network.layer_names() if name in _before_layers(network)]
    if preset == "released" and not _is_like_srresnet(network):
        again = set(_upsampling(network)[1:])
        outputs = [name for name in outputs if name not in again]
    return outputs


def _additions(network: FloatNetwork, preset: Preset) -> list[str]:
    """Additions that a layer comes after; as released, none of SRResNet's nor the long skip's."""
    before = _before_layers(network)
    sums = [name for name in _sums(network) if name in before]
    if preset == "paper":
        return sums
    return [] if _is_like_srresnet(network) else sums[:-1]


def _unsigned(network: FloatNetwork) -> list[str]:
    """Of SRResNet, the layers right behind a PReLU from the fifth block on; of others, none."""
    if not _is_like_srresnet(network):
        return []
    nodes = network.by_name()
    later = network.layer_names()[_FIRST_UNSIGNED:]
    return [n for n in later if isinstance(nodes[nodes[n].inputs[0]].operator, FloatPRelu)]


def _is_like_srresnet(network: FloatNetwork) -> bool:
    """Whether the first layer ends in a PReLU, and none in a ReLU."""
    layers = [node for node in network.nodes if isinstance(node.operator, FloatLayer)]
    behind = network.readers()[layers[0].name]
    clamps = [node.operator.clamp for node in layers if isinstance(node.operator, FloatLayer)]
    return RELU not in clamps and any(isinstance(node.operator, FloatPRelu) for node in behind)


def _sums(network: FloatNetwork) -> list[str]:
    return [node.name for node in network.nodes if isinstance(node.operator, FloatAdd)]


def _upsampling(network: FloatNetwork) -> list[str]:
    """Layers whose result is shuffled to a larger picture."""
    readers = network.readers()
    return [
        name
        for name in network.layer_names()
        if any(isinstance(reader.operator, FloatPixelShuffle) for reader in readers[name])
    ]


def _before_layers(network: FloatNetwork) -> set[str]:
    """Nodes that a layer comes after."""
    before: set[str] = set()
    for node in reversed(network.nodes):
        if isinstance(node.operator, FloatLayer) or node.name in before:
            before.update(node.inputs)
    return before


def _require_convolutions(network: FloatNetwork) -> None:
    for node in network.nodes:
        if isinstance(node.operator, FloatTransposedConvolution):
            raise UserError(
                f"method fqsr: layer '{node.name}': expected a convolution, got a transposed one, "
                "whose inserted zeros are not on the method's grids; choose another method or "
                "another network"
            )
