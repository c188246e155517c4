"""From the shape of a network to the torch module."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from quant.networks.config import (
    DirectEDSRConfig,
    EDSRConfig,
    MobileSRConfig,
    MSRResNetConfig,
    NetworkConfig,
    RDNConfig,
    SRGANConfig,
    SRResNetConfig,
)
from quant.networks.edsr import EDSR, DirectEDSR
from quant.networks.mobile_sr import MobileSR
from quant.networks.rdn import RDN
from quant.networks.srresnet import MSRResNet, SRGANGenerator, SRResNet

_MODULES: dict[type[NetworkConfig], Callable[[Any], nn.Module]] = {
    EDSRConfig: EDSR,
    DirectEDSRConfig: DirectEDSR,
    SRResNetConfig: SRResNet,
    MSRResNetConfig: MSRResNet,
    SRGANConfig: SRGANGenerator,
    RDNConfig: RDN,
    MobileSRConfig: MobileSR,
}


def build_network(config: NetworkConfig, seed: int | None = None) -> nn.Module:
    """The module of a shape, with torch's default initial weights.

    Args:
        config: the shape.
        seed: seed of the initial weights; None leaves them to torch's global random state. That
            state is unchanged afterwards in either case.

    Returns:
        A float32 module on the CPU.
    """
    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        return _MODULES[type(config)](config)


def state_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a network's weights, without memory for them."""
    with torch.device("meta"):
        network = _MODULES[type(config)](config)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}
