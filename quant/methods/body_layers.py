"""The layers that methods for few bits quantize: those of a network's residual or dense blocks.

The quantization literature of super-resolution quantizes the body of a network and leaves head,
upsampler and last layer alone (PAMS, DAQ, DDTB; specification 1.1, 2.2, 5.1). The body is found on
the traced network, so that it does not matter what modules are called:

* layers between a feature map and an addition to that same map, if no addition lies between: the
  convolutions of EDSR's and SRResNet's blocks, the dense layers of RDN and their 1x1 fusion (LFF);
* layers that a concatenation of such blocks' results passes through, up to the next addition: RDN's
  global fusion (GFF).

EDSR-baseline and SRResNet have 32 such layers, RDN in configuration "B" 146.
"""

from collections.abc import Mapping

from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import (
    FloatAdd,
    FloatConcatenate,
    FloatInput,
    FloatLayer,
    FloatPointwise,
)
from quant.policy import BitPolicy
from quant.policy.policy import FIRST_AND_LAST_MINIMUM

_Nodes = Mapping[str, FloatNode]


def body_layers(network: FloatNetwork) -> tuple[str, ...]:
    """Names of the layers of a folded network's body, in order.

    Its first and last layer and those that read the image are never among them. Of a network
    without such blocks, all others are.

    Args:
        network: a folded network.
    """
    by_name = network.by_name()
    blocks = {
        node.name: inside
        for node in network.nodes
        if isinstance(node.operator, FloatAdd) and (inside := _block(by_name, node)) is not None
    }
    found = set().union(*blocks.values()) | _fusions(network, set(blocks))
    inner = [
        name
        for name in network.layer_names()[1:-1]
        if not isinstance(by_name[by_name[name].inputs[0]].operator, FloatInput)
    ]
    return tuple(name for name in inner if not blocks or name in found)


def is_dense(network: FloatNetwork) -> bool:
    """Whether feature maps are stacked, as in RDN."""
    return any(isinstance(node.operator, FloatConcatenate) for node in network.nodes)


def with_eight_bits_elsewhere(policy: BitPolicy, network: FloatNetwork) -> BitPolicy:
    """The policy with at least 8 and 8 bits for layers outside the body.

    What a policy says of a layer by name, and one for ``/all`` layers, stays as it is.

    Args:
        policy: bits of the network's layers.
        network: a folded network.

    Raises:
        UserError: the policy names layers the network has not.
    """
    bits = policy.resolve(network.layer_names())
    if policy.first_and_last is None:
        return policy
    body = set(body_layers(network))
    for name in network.layer_names():
        named = any(override.fits(name) for override in policy.overrides)
        enough = bits[name].at_least(FIRST_AND_LAST_MINIMUM)
        if name not in body and not named and enough != bits[name]:
            policy = policy.with_layer(name, enough)
    return policy


def _block(by_name: _Nodes, addition: FloatNode) -> set[str] | None:
    """What lies between an addition and one of its operands, from which the other comes."""
    first, second = addition.inputs
    for end, start in ((first, second), (second, first)):
        inside = _between(by_name, start, end)
        if inside:
            return inside
    return None


def _between(by_name: _Nodes, start: str, end: str) -> set[str] | None:
    """Nodes on the way from one feature map to another, or None if not all of it comes from there.

    An addition on the way counts as something else.
    """
    inside: set[str] = set()
    waiting = [end]
    while waiting:
        name = waiting.pop()
        if name == start or name in inside:
            continue
        node = by_name[name]
        if isinstance(node.operator, FloatAdd | FloatInput):
            return None
        inside.add(name)
        waiting.extend(node.inputs)
    return inside


def _fusions(network: FloatNetwork, blocks: set[str]) -> set[str]:
    """Layers and pointwise operators that read the concatenated results of blocks, in a chain."""
    readers = network.readers()
    found: set[str] = set()
    for node in network.nodes:
        if isinstance(node.operator, FloatConcatenate) and blocks.issuperset(node.inputs):
            following = readers[node.name]
            while len(following) == 1 and isinstance(
                following[0].operator, FloatLayer | FloatPointwise
            ):
                found.add(following[0].name)
                following = readers[following[0].name]
    return found
