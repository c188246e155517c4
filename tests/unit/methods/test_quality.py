"""What 8 bits cost in decibels, on pictures no range was calibrated on."""

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

from hwsim.machine import KERNELS, run_layerwise
from quant.graph import Graph
from quant.imaging import (
    bicubic_downscale,
    calibration_photographs,
    crop_to_multiple,
    luma_psnr_db,
    read_image,
    sample_photograph,
)
from quant.methods import quantize
from quant.networks import load_network
from quant.networks.inference import super_resolve
from quant.policy import BitPolicy
from tests.shared_data import shared_file

SCALE = 2


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return load_network("edsr_tiny_x2")


@pytest.fixture(scope="module")
def graph(network: nn.Module) -> Graph:
    images = calibration_photographs(SCALE)
    return quantize(network, "minmax", BitPolicy.parse("w8a8"), images, "edsr_tiny_x2")


def integer_picture(graph: Graph, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return run_layerwise(graph, image.astype(np.int32), KERNELS).astype(np.uint8)


def test_eight_bits_on_the_sample_photograph(network: nn.Module, graph: Graph) -> None:
    original = crop_to_multiple(sample_photograph("astronaut")[60:180, 160:280], SCALE)
    image = bicubic_downscale(original, SCALE)
    real = super_resolve(network, image)
    integer = integer_picture(graph, image)
    loss = luma_psnr_db(original, real, SCALE) - luma_psnr_db(original, integer, SCALE)
    assert loss <= 0.1
    assert luma_psnr_db(real, integer, SCALE) > 45


@pytest.mark.shared
@pytest.mark.slow
def test_eight_bits_on_set5(network: nn.Module, graph: Graph) -> None:
    losses = []
    for file in sorted(shared_file("images", "Set5", "HR").iterdir()):
        original = read_image(file)
        image = read_image(shared_file("images", "Set5", "LRx2", f"{file.stem}x2.png"))
        real = luma_psnr_db(original, super_resolve(network, image), SCALE)
        losses.append(real - luma_psnr_db(original, integer_picture(graph, image), SCALE))
    assert np.mean(losses) <= 0.1
