from pathlib import Path

import pytest
import torch

import quant.training.shipping as shipping
from quant.common.errors import UserError
from quant.networks import load_network
from quant.networks.registry import shipped_weights
from quant.networks.weights import read_provenance, read_state, save_weights
from quant.training import average_weights, ship_weights


def test_shipped_weights_are_half_as_large_and_as_good(images: Path, tmp_path: Path) -> None:
    trained = shipped_weights("edsr_tiny_x2")
    assert trained is not None
    shipped = ship_weights("edsr_tiny_x2", trained, tmp_path / "half.safetensors", images)
    assert shipped.size_bytes == shipped.path.stat().st_size < 0.53 * trained.stat().st_size
    assert shipped.trained_psnr_db != shipped.shipped_psnr_db  # both were measured
    assert abs(shipped.change_db) <= 0.005
    provenance = read_provenance(shipped.path)
    assert provenance["file_precision"] == "float16"
    assert provenance["file_psnr_change_db"] == round(shipped.change_db, 5)
    assert provenance.items() > read_provenance(trained).items()
    kinds = {value.dim(): value.dtype for value in read_state(shipped.path).values()}
    assert kinds == {4: torch.float16, 1: torch.float32}


def test_weights_that_lose_too_much_are_not_shipped(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "MAXIMUM_LOSS_DB", 0.0)
    save_weights(tmp_path / "w.safetensors", load_network("edsr_tiny_x2", random_seed=1), {})
    with pytest.raises(UserError, match=r"change PSNR by at most 0\.0 dB, they change it by [+-]0"):
        ship_weights(
            "edsr_tiny_x2", tmp_path / "w.safetensors", tmp_path / "half.safetensors", images
        )
    assert not (tmp_path / "half.safetensors").exists()


def test_all_weights_in_the_package_keep_to_the_budget() -> None:
    path = shipped_weights("edsr_tiny_x2")
    assert path is not None
    sizes = {file.name: file.stat().st_size for file in path.parent.iterdir()}
    assert 0 < sum(sizes.values()) <= shipping.WHEEL_BUDGET_BYTES, sizes


def test_the_mean_of_weights_is_theirs_number_by_number(tmp_path: Path) -> None:
    files = [tmp_path / f"{seed}.safetensors" for seed in (1, 2)]
    for seed, file in enumerate(files, start=1):
        save_weights(file, load_network("mobile_sr_x2", random_seed=seed), {"seed": seed})
    mean = tmp_path / "mean.safetensors"
    average_weights("mobile_sr_x2", files, mean)
    one, other, found = (read_state(file) for file in (*files, mean))
    for name, value in found.items():
        torch.testing.assert_close(value, (one[name] + other[name]) / 2)
    assert read_provenance(mean) == {"seed": 1, "averaged_with": [{"seed": 2}]}
