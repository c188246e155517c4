"""What FQSR learned as named tensors and back.

Tensors are ``fm/…``, ``wt/…``, ``ot/…`` and ``add/…`` (intervals), ``weight/layer`` (out_channels x
in_channels x height x width, on the grid of its interval, so that half precision loses none of its
codes), ``bias/layer`` and ``slope/node``.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quant.common.errors import UserError
from quant.lowering.float_operators import FloatLayer, FloatPRelu
from quant.methods.fqsr.fake_quantized import FakeQuantized
from quant.methods.learning.learned import Tensors


@torch.no_grad()
def learned_tensors(network: FakeQuantized) -> dict[str, NDArray[np.floating]]:
    """Everything that was learned, float32 by name."""
    weights = network.trainable.places.weights
    found: dict[str, Tensor] = {}
    for name, constant in _constants(network):
        kind, _, layer = name.partition("/")
        found[name] = weights[layer](constant) if kind == "weight" else constant
    arrays: dict[str, NDArray[np.floating]] = {
        name: value.detach().float().numpy() for name, value in found.items()
    }
    reaches = network.reaches().items()
    return {**arrays, **{name: np.array([reach], np.float32) for name, reach in reaches}}


@torch.no_grad()
def take_over(network: FakeQuantized, tensors: Tensors) -> None:
    """Fill a network with what `learned_tensors` gave.

    Args:
        network: of the same layers and grids.
        tensors: by name, float32 or float16.

    Raises:
        UserError: a tensor is missing or has another shape.
    """
    for name, constant in _constants(network):
        found = tensors.get(name)
        if found is None or found.shape != tuple(constant.shape):
            raise _unfit(name, tuple(constant.shape))
        constant.copy_(torch.from_numpy(np.asarray(found, np.float32)))
    for name in network.intervals:
        if name not in tensors or tensors[name].size != 1 or not tensors[name] > 0:
            raise _unfit(name, ())
    network.set_reaches({name: tensors[name].item() for name in network.intervals})


def _constants(network: FakeQuantized) -> Iterator[tuple[str, Tensor]]:
    """Weights, biases and slopes by name."""
    trainable = network.trainable
    for node, parameters in zip(trainable.network.nodes, trainable.constants, strict=True):
        values = list(parameters.parameters())
        if isinstance(node.operator, FloatLayer):
            yield f"weight/{node.name}", values[0]
            yield f"bias/{node.name}", values[1]
        elif isinstance(node.operator, FloatPRelu):
            yield f"slope/{node.name}", values[0].view(-1)


def _unfit(name: str, shape: tuple[int, ...]) -> UserError:
    what = f"of shape {shape}" if shape else "above 0"
    return UserError(
        f"method fqsr: expected the learned tensor '{name}' {what}, found none; learn the "
        "parameters again with hwsim train --method fqsr"
    )
