from functools import partial
from pathlib import Path

import pytest

from quant.imaging import bicubic_downscale, bicubic_upscale, luma_psnr_db, sample_photograph
from quant.imaging.data_sets import open_data_set
from quant.imaging.evaluation import evaluate
from quant.networks import load_network, network_config, network_names
from quant.networks.inference import super_resolve
from quant.networks.registry import shipped_weights
from quant.networks.weights import read_provenance
from tests.shared_data import shared_file

SHIPPED = [name for name in network_names() if shipped_weights(name) is not None]


def _file(name: str) -> Path:
    path = shipped_weights(name)
    assert path is not None
    return path


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_networks_beat_bicubic_on_a_held_out_photograph(name: str) -> None:
    scale = network_config(name).scale
    original = sample_photograph("astronaut")[:160, 150:310]
    small = bicubic_downscale(original, scale)
    enlarged = super_resolve(load_network(name), small)
    gain_db = luma_psnr_db(original, enlarged, scale) - luma_psnr_db(
        original, bicubic_upscale(small, scale), scale
    )
    assert gain_db > 1


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_say_how_they_were_made(name: str) -> None:
    provenance = read_provenance(_file(name))
    assert provenance["command"] == f"hwsim train {name}"
    folders = provenance["images"]
    assert isinstance(folders, list)
    # General100_large is General100 without its three smallest pictures.
    known = {"DIV2K_test_LRx4", "General100", "General100_large", "T91", "BSDS500"}
    assert set(folders) <= known
    assert {"seed", "iterations", "elapsed_seconds", "psnr_db", "commit"} <= provenance.keys()


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_the_recorded_quality_is_not_overstated(name: str) -> None:
    scale = network_config(name).scale
    set5 = open_data_set(shared_file("images", "Set5"), scale)
    network = load_network(name)
    quality = evaluate(set5, {"float": partial(super_resolve, network)}, scale)
    recorded_db = read_provenance(_file(name))["psnr_db"]
    assert isinstance(recorded_db, float)
    assert quality.mean("float").psnr_db > recorded_db - 0.01  # half precision costs up to 0.005
