"""Every family of networks becomes integers that give nearly the float network's picture."""

import numpy as np
import pytest

from hwsim.machine import KERNELS, run_layerwise
from quant.methods import quantize
from quant.networks import EDSRConfig, NetworkConfig
from quant.networks.build import build_network
from quant.networks.config import (
    DirectEDSRConfig,
    MobileSRConfig,
    MSRResNetConfig,
    RDNConfig,
    SRGANConfig,
    SRResNetConfig,
)
from quant.networks.inference import super_resolve
from quant.policy import BitPolicy

FAMILIES = (
    EDSRConfig(1, 8, 2), EDSRConfig(1, 8, 3, prelu=True), DirectEDSRConfig(1, 8, 2),
    MobileSRConfig(2, 8, 2), MobileSRConfig(1, 8, 3), SRResNetConfig(1, 8, 2),
    SRResNetConfig(1, 8, 3), MSRResNetConfig(1, 8, 2), RDNConfig(2, 2, 4, 8, 2), SRGANConfig(2),
)  # fmt: skip


@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: type(config).__name__)
def test_a_family_is_lowered_to_integers(config: NetworkConfig) -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    image = np.repeat(np.repeat(blocks, 4, axis=0), 4, axis=1)
    network = build_network(config, seed=1).eval()
    graph = quantize(network, "minmax", BitPolicy.load("w8a8"), [image])
    expected = super_resolve(network, image).astype(int)
    codes = run_layerwise(graph, image.astype(np.int32), KERNELS)
    assert codes.shape == expected.shape
    error = np.abs(codes - expected).mean()
    assert error < 0.3  # codes; what 8 bits leave of a network with random weights
