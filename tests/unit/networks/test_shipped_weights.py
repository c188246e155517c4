import numpy as np
import pytest

from quant.imaging import (
    bicubic_downscale,
    bicubic_upscale,
    luma_psnr_db,
    read_image,
    sample_photograph,
)
from quant.networks import load_network
from quant.networks.inference import super_resolve
from quant.networks.registry import shipped_weights
from quant.networks.weights import read_provenance
from tests.shared_data import shared_file


def test_the_shipped_network_beats_bicubic_on_a_held_out_photograph() -> None:
    original = sample_photograph("astronaut")[:160, 150:310]
    small = bicubic_downscale(original, 2)
    enlarged = super_resolve(load_network("edsr_tiny_x2"), small)
    gain_db = luma_psnr_db(original, enlarged, 2) - luma_psnr_db(
        original, bicubic_upscale(small, 2), 2
    )
    assert gain_db > 1


def test_the_shipped_weights_say_how_they_were_made() -> None:
    path = shipped_weights("edsr_tiny_x2")
    assert path is not None
    provenance = read_provenance(path)
    assert provenance["command"] == "hwsim train edsr_tiny_x2"
    assert provenance["images"] == ["DIV2K_test_LRx4", "General100", "T91", "BSDS500"]
    assert {"seed", "iterations", "elapsed_seconds", "psnr_db", "commit"} <= provenance.keys()


@pytest.mark.shared
@pytest.mark.slow
def test_the_recorded_quality_is_not_overstated() -> None:
    path = shipped_weights("edsr_tiny_x2")
    assert path is not None
    network = load_network("edsr_tiny_x2")
    originals = [
        read_image(file) for file in sorted(shared_file("images", "Set5", "HR").glob("*.png"))
    ]
    psnr_db = [
        luma_psnr_db(original, super_resolve(network, bicubic_downscale(original, 2)), 2)
        for original in originals
    ]
    recorded_db = read_provenance(path)["psnr_db"]
    assert isinstance(recorded_db, float)
    assert np.mean(psnr_db) > max(35.2, recorded_db - 0.005)
