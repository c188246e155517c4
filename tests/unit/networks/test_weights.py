from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from quant.common.errors import UserError
from quant.imaging import bicubic_downscale, luma_psnr_db, read_image
from quant.networks.build import build_network
from quant.networks.config import EDSRConfig
from quant.networks.inference import super_resolve
from quant.networks.weights import load_weights, read_provenance, save_weights
from tests.shared_data import shared_file

TINY = EDSRConfig(blocks=1, channels=4, scale=2)


def _same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_saved_weights_come_back_with_their_provenance(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    original, loaded = build_network(TINY, seed=1), build_network(TINY, seed=2)
    original.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    provenance = {"command": "hwsim train", "seed": 1, "psnr_db": 36.5, "images": ["a", "b"]}
    save_weights(path, original, provenance)
    load_weights(loaded, path)
    assert _same(original, loaded)
    assert read_provenance(path) == provenance


def test_weights_without_a_record_have_an_empty_provenance(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    assert read_provenance(tmp_path / "w.safetensors") == {}


@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_published_state_dictionaries_are_loaded(tmp_path: Path, suffix: str) -> None:
    original, loaded = build_network(TINY, seed=1), build_network(TINY, seed=2)
    torch.save(original.state_dict(), tmp_path / f"w{suffix}")
    load_weights(loaded, tmp_path / f"w{suffix}")
    assert _same(original, loaded)


@pytest.mark.parametrize(
    ("name", "kind"), [("w.safetensors", "safetensors"), ("w.pt", "torch state-dictionary")]
)
@pytest.mark.parametrize("kept", [0.0, 0.03, 0.6])
def test_truncated_weights_are_a_user_error(
    tmp_path: Path, name: str, kind: str, kept: float
) -> None:
    path, network = tmp_path / name, build_network(TINY, seed=1)
    if name.endswith(".pt"):
        torch.save(network.state_dict(), path)
    else:
        save_weights(path, network, {})
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(UserError) as caught:
        load_weights(network, path)
    assert str(caught.value) == (
        f"{path}: expected a {kind} file of weights, found a damaged file or one of another kind; "
        "copy or export it again"
    )


def test_a_provenance_of_no_weights_file_is_a_user_error(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"\x05\0\0\0\0\0\0\0[1,2]")
    with pytest.raises(UserError, match="expected a safetensors file of weights"):
        read_provenance(path)


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("code of a weights file was run",))


@pytest.mark.parametrize("content", [_Trap(), [1, 2], {"a": 1}])
def test_files_of_anything_but_tensors_are_refused_unrun(
    tmp_path: Path, content: object, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(UserError, match="expected a torch state-dictionary file of weights"):
        load_weights(build_network(TINY), tmp_path / "w.pt")
    assert capsys.readouterr().out == ""


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_weights(build_network(TINY), tmp_path / "w.pt")
    assert str(caught.value) == f"{tmp_path / 'w.pt'}: no such weights file; check the path"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (
            EDSRConfig(blocks=1, channels=8, scale=2),
            "expected 'head.0.weight' of shape (4, 3, 3, 3), found shape (8, 3, 3, 3)",
        ),
        (
            EDSRConfig(blocks=0, channels=4, scale=2),
            "expected 'body.0.body.0.weight' of shape (4, 4, 3, 3), found none",
        ),
        (
            EDSRConfig(blocks=1, channels=4, scale=4),
            "expected no tensor 'tail.0.2.bias', found one",
        ),
    ],
)
def test_weights_of_another_architecture_are_refused(
    tmp_path: Path, other: EDSRConfig, expected: str
) -> None:
    path, network = tmp_path / "w.safetensors", build_network(TINY, seed=1)
    save_weights(path, build_network(other), {})
    with pytest.raises(UserError) as caught:
        load_weights(network, path)
    assert str(caught.value) == (
        f"{path}: weights of another architecture: {expected}; "
        "give the weights of this network or name the network they belong to"
    )
    assert _same(network, build_network(TINY, seed=1))


def _foreign_state(blocks: int, channels: int) -> dict[str, Tensor]:
    layers = {"head": (channels, 3), f"body.{blocks}": (channels, channels)}
    layers |= {f"body.{n}.{i}": (channels, channels) for n in range(blocks) for i in (0, 2)}
    layers |= {"up.0": (4 * channels, channels), "tail": (3, channels)}
    generator = torch.Generator().manual_seed(0)
    state = {"mean": torch.tensor([0.4488, 0.4371, 0.4040])}
    for name, (outputs, inputs) in layers.items():
        state[f"{name}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=generator) * 0.1
        state[f"{name}.bias"] = torch.randn(outputs, generator=generator) * 0.1
    return state


def _foreign_forward(state: dict[str, Tensor], image: Tensor, blocks: int) -> Tensor:
    """The foreign code base's own computation: 0..1 pixels, mean-free, halved range."""

    def convolve(name: str, features: Tensor) -> Tensor:
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return nn.functional.conv2d(features, weight, bias, padding=1)

    mean = state["mean"][None, :, None, None]
    shallow = features = convolve("head", (image / 255 - mean) / 0.5)
    for n in range(blocks):
        inner = convolve(f"body.{n}.0", features).relu()
        features = features + convolve(f"body.{n}.2", inner)
    features = convolve(f"body.{blocks}", features) + shallow
    enlarged = convolve("tail", nn.functional.pixel_shuffle(convolve("up.0", features), 2))
    return (enlarged * 0.5 + mean) * 255


def test_the_foreign_layout_gives_the_same_picture(tmp_path: Path) -> None:
    state = _foreign_state(blocks=2, channels=6)
    torch.save(state, tmp_path / "foreign.pt")
    network = build_network(EDSRConfig(blocks=2, channels=6, scale=2))
    load_weights(network, tmp_path / "foreign.pt")
    image = torch.rand(1, 3, 8, 9, generator=torch.Generator().manual_seed(1)) * 255
    with torch.no_grad():
        torch.testing.assert_close(network(image), _foreign_forward(state, image, blocks=2))


@pytest.mark.shared
@pytest.mark.slow
def test_the_foreign_weights_have_their_published_quality() -> None:
    network = build_network(EDSRConfig(blocks=8, channels=64, scale=2)).eval()
    load_weights(network, shared_file("weights", "EDSR_r8f64_x2_krasserm.pt"))
    originals = [
        read_image(file) for file in sorted(shared_file("images", "Set5", "HR").glob("*.png"))
    ]
    psnr_db = [
        luma_psnr_db(original, super_resolve(network, bicubic_downscale(original, 2)), 2)
        for original in originals
    ]
    assert np.mean(psnr_db) == pytest.approx(37.80, abs=0.02)
