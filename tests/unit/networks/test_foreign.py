"""Published layouts give the same pictures here as in the code they come from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from quant.common.errors import UserError
from quant.imaging import (
    bicubic_downscale,
    bicubic_upscale,
    crop_to_multiple,
    luma_psnr_db,
    read_image,
)
from quant.networks import load_network, network_config
from quant.networks.build import build_network
from quant.networks.inference import pixel_range, super_resolve
from quant.networks.weights import load_weights
from tests.shared_data import shared_file
from tests.unit.networks.foreign_networks import ALL, Foreign, MLPerfEDSR


@pytest.mark.parametrize("foreign", ALL, ids=lambda kind: kind.__name__)
def test_a_published_layout_gives_the_same_picture(foreign: type[Foreign], tmp_path: Path) -> None:
    theirs = foreign()
    torch.save(theirs.state, tmp_path / "published.pth")
    ours = build_network(theirs.config, seed=9).eval()
    load_weights(ours, tmp_path / "published.pth")
    image = torch.rand(1, 3, 8, 9, generator=torch.Generator().manual_seed(1)) * 255
    white = pixel_range(ours)
    with torch.no_grad():
        picture = ours(image * (white / 255)) * (255 / white)
        expected = theirs.picture(image)
    assert expected.std() > 0.5  # a flat picture would prove nothing
    torch.testing.assert_close(picture, expected, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("foreign", ALL, ids=lambda kind: kind.__name__)
def test_weights_loaded_once_are_loaded_again_unchanged(
    foreign: type[Foreign], tmp_path: Path
) -> None:
    theirs = foreign()
    torch.save(theirs.state, tmp_path / "published.pth")
    once, twice = (build_network(theirs.config, seed=seed) for seed in (1, 2))
    load_weights(once, tmp_path / "published.pth")
    torch.save(once.state_dict(), tmp_path / "ours.pth")
    load_weights(twice, tmp_path / "ours.pth")
    for name, value in once.state_dict().items():
        assert torch.equal(value, twice.state_dict()[name])


def test_a_layout_with_a_layer_missing_is_a_user_error(tmp_path: Path) -> None:
    state = MLPerfEDSR().state
    del state["conv3.bias"], state["conv6.weight"]
    torch.save(state, tmp_path / "published.pth")
    with pytest.raises(UserError, match=r"weights of another architecture: \d+ missing"):
        load_weights(build_network(MLPerfEDSR.config), tmp_path / "published.pth")


PUBLISHED = [
    ("edsr_r8f64_x2", "EDSR_r8f64_x2_krasserm.pt", 37.80),
    ("edsr_mlperf_x2", "mlperf_edsr_f32b5_fp32.pt", 37.38),
    ("srresnet_r8f64_x4", "SRResNet_r8f64_bn_x4_pytorch_tutorial.pt", 31.88),
    ("srgan_x4", "SRGAN_G_x4_leftthomas.pth", 30.65),
]


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(("name", "file", "published_db"), PUBLISHED)
def test_published_weights_have_their_quality_on_set5(
    name: str, file: str, published_db: float
) -> None:
    network = load_network(name, shared_file("weights", file))
    scale = network_config(name).scale
    psnr_db = []
    for path in sorted(shared_file("images", "Set5", "HR").glob("*.png")):
        original = crop_to_multiple(read_image(path), scale)
        picture = super_resolve(network, bicubic_downscale(original, scale))
        psnr_db.append(luma_psnr_db(original, picture, scale))
    assert len(psnr_db) == 5
    assert np.mean(psnr_db) == pytest.approx(published_db, abs=0.01)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "file", "published_db"), PUBLISHED)
def test_published_weights_beat_bicubic_on_a_part_of_a_picture(
    name: str, file: str, published_db: float
) -> None:
    network = load_network(name, shared_file("weights", file))
    scale = network_config(name).scale
    original = read_image(shared_file("images", "Set5", "HR", "butterfly.png"))[64:192, 64:192]
    small = bicubic_downscale(original, scale)
    gain_db = luma_psnr_db(original, super_resolve(network, small), scale) - luma_psnr_db(
        original, bicubic_upscale(small, scale), scale
    )
    assert gain_db > 3


@pytest.mark.shared
def test_weights_of_another_scale_name_the_network_they_fit() -> None:
    with pytest.raises(UserError, match=r"they fit network 'srgan_x2'$"):
        load_network("srgan_x4", shared_file("weights", "SRGAN_G_x2_leftthomas.pth"))
