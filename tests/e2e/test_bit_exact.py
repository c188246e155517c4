"""The shipped network on the machine, bit for bit: photographs, accelerators, policies."""

from functools import cache, reduce

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.machine import REFERENCE, run_layerwise
from hwsim.simulation import estimate, simulate
from quant.graph import Graph, Size
from quant.imaging import bicubic_downscale, calibration_photographs, read_image, sample_photograph
from quant.imaging.samples import DEFAULT_SAMPLE
from quant.methods import quantize
from quant.networks import load_network
from quant.policy import BitPolicy, LayerBits
from tests.machines import machine, prices
from tests.shared_data import shared_file

MIXED = {
    "body.0.body.0": "w2a8",
    "body.2.body.2": "w1a6",
    "body.3.body.0": "w8a3",
    "body.5.body.2": "w3a5",
    "tail.0.0": "w5a6",
}
POLICIES = {
    "w8a8": BitPolicy.parse("w8a8"),
    "w4a4": BitPolicy.parse("w4a4"),
    "w2a2": BitPolicy.parse("w2a2/all"),
    "mixed": reduce(
        lambda policy, layer: policy.with_layer(layer, LayerBits.parse(MIXED[layer])),
        MIXED,
        BitPolicy.parse("w4a4"),
    ),
}
MACHINES = [(16, 8), (48, 32), (512, 8), (512, 32)]
"""SRAM in KiB and side of the array; in 16 KiB every layer needs many tiles."""

SET5 = ("baby", "bird", "butterfly", "head", "woman")


@cache
def graph(policy: str) -> Graph:
    network = load_network("edsr_tiny_x2")
    bits = POLICIES[policy]
    return quantize(network, "minmax", bits, calibration_photographs(2), "edsr_tiny_x2")


@cache
def photograph(name: str) -> NDArray[np.int32]:
    if name == "sample":
        # A part of it: enough for many tiles of every layer, and quick for the slow reference.
        return bicubic_downscale(sample_photograph(DEFAULT_SAMPLE), 2)[60:124, 80:150].astype(
            np.int32
        )
    return read_image(shared_file("images", "Set5", "LRx2", f"{name}x2.png")).astype(np.int32)


@cache
def expected(name: str, policy: str) -> NDArray[np.int32]:
    return run_layerwise(graph(policy), photograph(name), REFERENCE)


def _check(name: str, policy: str, sram_kib: int, array: int) -> None:
    image, accelerator = photograph(name), machine(sram_kib, array)
    simulation = simulate(graph(policy), accelerator, prices(accelerator), image)
    assert np.count_nonzero(simulation.output != expected(name, policy)) == 0
    size = Size(*image.shape[:2])
    assert estimate(graph(policy), accelerator, prices(accelerator), size).cost == simulation.cost


@pytest.mark.parametrize(("sram_kib", "array"), MACHINES)
@pytest.mark.parametrize("policy", POLICIES)
def test_the_sample_photograph(policy: str, sram_kib: int, array: int) -> None:
    assert len(np.unique(expected("sample", policy))) > 32
    _check("sample", policy, sram_kib, array)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", SET5)
def test_set5(name: str, policy: str) -> None:
    for sram_kib, array in MACHINES[:2] + MACHINES[3:]:
        _check(name, policy, sram_kib, array)
