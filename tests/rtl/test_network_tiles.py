"""Tiles of a real network's layers, as the machine computed them, on the Verilog of every array."""

from functools import cache

import pytest

from hwsim.verify.rtl.array_design import array_design
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.tiles import Tile, tiles_of
from hwsim.verify.rtl.verilator import VerilatorSimulation
from quant.graph import Graph
from quant.imaging import DEFAULT_SAMPLE, calibration_photographs, sample_photograph
from quant.methods import quantizer
from quant.networks import load_network
from quant.policy import BitPolicy
from tests.rtl.array_cases import ARRAYS, compared, machine_with
from tests.rtl.tools import ICARUS, VERILATOR, needs

POLICIES = ("w8a8", "w4a4", "w2a8", "w6a3", "w3a5")


@cache
def graphs(network: str) -> dict[str, Graph]:
    calibration = [picture[:48, :48] for picture in calibration_photographs(4)]
    quantize = quantizer(load_network(network), "minmax", calibration)
    made = {policy: quantize(BitPolicy.parse(policy)) for policy in POLICIES}
    return {policy: graph for policy, graph in made.items() if isinstance(graph, Graph)}


def tiles(network: str, kind: str, each: int) -> list[Tile]:
    """Some tiles of the network at every policy, from a part of a photograph."""
    image = sample_photograph(DEFAULT_SAMPLE)[60:80, 80:108].astype("int32")
    found = [
        tiles_of(graph, machine_with(ARRAYS[kind]), each, image=image, seed=seed)
        for seed, graph in enumerate(graphs(network).values())
    ]
    return [tile for of_policy in found for tile in of_policy]


def check(kind: str, given: list[Tile], simulator: type) -> None:
    assert {tile.rounding for tile in given} == {"half_up"}
    checks = compared(ARRAYS[kind], simulator(array_design(ARRAYS[kind])), given)
    assert sum(check.values for check in checks) == len(given) + sum(t.codes.size for t in given)
    assert not [check.first_mismatch for check in checks if check.mismatches]


@needs(*VERILATOR)
@pytest.mark.parametrize("kind", ARRAYS)
def test_tiles_of_edsr(kind: str) -> None:
    given = tiles("edsr_tiny_x2", kind, 14)
    assert len(given) == 14 * len(POLICIES)
    widths = {(t.product.weight_bits, t.product.activation_bits) for t in given}
    assert len(widths) >= len(POLICIES)
    check(kind, given, VerilatorSimulation)


@needs(*ICARUS)
def test_tiles_of_edsr_in_a_simulator_with_unknown_values() -> None:
    check("output_stationary", tiles("edsr_tiny_x2", "output_stationary", 1), IcarusSimulation)


@pytest.mark.slow
@needs(*VERILATOR)
@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("network", ["edsr_baseline_x2", "srresnet_x4"])
def test_more_tiles_of_more_networks(network: str, kind: str) -> None:
    check(kind, tiles(network, kind, 200), VerilatorSimulation)
