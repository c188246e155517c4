"""Which layers a network's body has, on the traced network."""

import numpy as np
import pytest

from quant.lowering.float_network import FloatNetwork
from quant.lowering.trace import trace
from quant.methods.body_layers import body_layers, is_dense, with_eight_bits_elsewhere
from quant.networks import network_config
from quant.networks.build import build_network
from quant.networks.config import RDNConfig, SRGANConfig
from quant.policy import BitPolicy
from tests.unit.lowering.small_networks import edsr


def _traced(name: str) -> FloatNetwork:
    return trace(build_network(network_config(name), seed=0).eval(), name)


@pytest.mark.parametrize(
    ("name", "layers"), [("edsr_baseline_x2", 32), ("srresnet_x2", 32), ("edsr_tiny_x2", 12)]
)
def test_residual_blocks_are_the_body(name: str, layers: int) -> None:
    network = _traced(name)
    body = body_layers(network)
    assert len(body) == layers
    assert all(layer.startswith("body.") and layer.count(".") == 3 for layer in body)
    assert not is_dense(network)


def test_dense_blocks_and_both_fusions_are_the_body() -> None:
    config = RDNConfig(blocks=16, layers=8, growth=4, channels=4, scale=2)
    network = trace(build_network(config, seed=0).eval(), "rdn")
    body = body_layers(network)
    assert len(body) == 146
    assert body[0] == "RDBs.0.convs.0.conv.0"
    assert body[-3:] == ("RDBs.15.LFF", "GFF.0", "GFF.1")
    assert is_dense(network)


def test_skips_from_either_side_and_long_ones_are_told_apart() -> None:
    network = trace(build_network(SRGANConfig(scale=2), seed=0).eval(), "srgan")
    assert body_layers(network) == tuple(
        f"block{block}.conv{layer}" for block in range(2, 7) for layer in (1, 2)
    )


def test_without_blocks_all_but_the_first_and_last_layer_are_the_body() -> None:
    assert body_layers(_traced("mobile_sr_x2")) == ("body.0", "body.2", "body.4", "body.6")


def test_layers_elsewhere_have_eight_bits_unless_the_policy_names_them() -> None:
    network = trace(edsr(blocks=1), "edsr")
    body = set(body_layers(network))
    policy = with_eight_bits_elsewhere(BitPolicy.parse("w4a3"), network)
    bits = policy.resolve(network.layer_names())
    assert {name for name, layer in bits.items() if str(layer) == "w4a3"} == body
    assert {str(layer) for name, layer in bits.items() if name not in body} == {"w8a8"}
    named = BitPolicy.parse("w4a3").with_layer("tail.0.0", BitPolicy.parse("w2a2").default)
    kept = with_eight_bits_elsewhere(named, network).resolve(network.layer_names())
    assert str(kept["tail.0.0"]) == "w2a2"
    every = BitPolicy.parse("w4a4/all")
    assert with_eight_bits_elsewhere(every, network) == every
    wide = BitPolicy.parse("w4a10")
    widened = with_eight_bits_elsewhere(wide, network).resolve(network.layer_names())
    assert str(widened["tail.0.0"]) == "w8a10"
    assert np.all([str(widened[name]) == "w4a10" for name in body])
