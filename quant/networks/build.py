"""From the shape of a network to the torch module."""

import torch
from torch import nn

from quant.networks.config import EDSRConfig
from quant.networks.edsr import EDSR


def build_network(config: EDSRConfig, seed: int | None = None) -> nn.Module:
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
        return EDSR(config)
