"""What ODM learned, by name: in a file, and as the numbers a network is encoded with.

Every layer has ``NAME/weight`` (out_channels, kernel_height, kernel_width, in_channels) and
``NAME/bias``, every PReLU ``NAME/slope``; a layer of the body has ``NAME/low``, ``NAME/high`` and
``NAME/reach``, one number each, and may have ``NAME/shift`` or ``NAME/scale`` [in_channels].
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quant.common.errors import UserError
from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import FloatLayer, FloatPRelu, Reals
from quant.methods.learning.learned import Tensors


@dataclass(frozen=True, slots=True, eq=False)
class BodyLayer:
    """How a layer of the body is quantized.

    Attributes:
        low: least value of its input's codes.
        high: greatest value of its input's codes.
        reach: magnitude at which its weights are clipped.
        shift: added to each channel of its input first, or None.
        scale: each channel of its input is multiplied by it first, above 0, or None.
    """

    low: float
    high: float
    reach: float
    shift: Reals | None = None
    scale: Reals | None = None


def constants(network: FloatNetwork) -> dict[str, Reals]:
    """Weights, biases and slopes of a network, by the names of the file."""
    named: dict[str, Reals] = {}
    for node in network.nodes:
        if isinstance(node.operator, FloatLayer):
            named[f"{node.name}/weight"] = node.operator.weight
            named[f"{node.name}/bias"] = node.operator.bias
        elif isinstance(node.operator, FloatPRelu):
            named[f"{node.name}/slope"] = node.operator.slope
    return named


def with_constants(network: FloatNetwork, tensors: Tensors) -> FloatNetwork:
    """A network with the weights, biases and slopes that were learned.

    Raises:
        UserError: some are missing or have another shape.
    """
    for name, value in constants(network).items():
        _require(tensors, name, value.shape)
    changed = [
        replace(node, operator=_with_constants(node, tensors))
        for node in network.nodes
        if isinstance(node.operator, FloatLayer | FloatPRelu)
    ]
    return network.rewritten(changed)


def body_parameters(network: FloatNetwork, tensors: Tensors) -> dict[str, BodyLayer]:
    """How each layer of the body is quantized, in order.

    Args:
        network: the network that was learned on.
        tensors: what was learned.

    Raises:
        UserError: some are missing or have another shape.
    """
    channels, found = network.channels(), {}
    for node in network.nodes:
        if f"{node.name}/low" not in tensors:
            continue
        low, high, reach = (
            float(_require(tensors, f"{node.name}/{what}", (1,))[0])
            for what in ("low", "high", "reach")
        )
        shape = (channels[node.inputs[0]],)
        offsets = {
            what: _require(tensors, f"{node.name}/{what}", shape).astype(np.float64)
            for what in ("shift", "scale")
            if f"{node.name}/{what}" in tensors
        }
        found[node.name] = BodyLayer(low, high, reach, **offsets)
    return found


def _with_constants(node: FloatNode, tensors: Tensors) -> FloatLayer | FloatPRelu:
    def tensor(what: str) -> Reals:
        return tensors[f"{node.name}/{what}"].astype(np.float64)

    if isinstance(node.operator, FloatPRelu):
        return replace(node.operator, slope=tensor("slope"))
    assert isinstance(node.operator, FloatLayer)
    return replace(node.operator, weight=tensor("weight"), bias=tensor("bias"))


def _require(tensors: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    found = tensors[name].shape if name in tensors else None
    if found != shape:
        raise UserError(
            f"learned parameters: expected '{name}' of shape {shape}, found "
            f"{'none' if found is None else found}; make them with hwsim train --method"
        )
    return tensors[name]
