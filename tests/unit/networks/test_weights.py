from pathlib import Path

import pytest
import torch
from torch import nn

from quant.common.errors import UserError
from quant.networks.build import build_network
from quant.networks.config import EDSRConfig
from quant.networks.registry import network_config
from quant.networks.weights import load_weights, read_provenance, save_weights

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


def test_weights_of_another_scale_name_their_network(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(build_network(network_config("mobile_sr_x4")).state_dict(), path)
    with pytest.raises(UserError) as caught:
        load_weights(build_network(network_config("mobile_sr_x3")), path)
    assert str(caught.value) == (
        f"{path}: weights of another architecture: 2 of another shape "
        "('tail.0.weight': expected 27×32×3×3, found 48×32×3×3, "
        "'tail.0.bias': expected 27, found 48); they fit network 'mobile_sr_x4'"
    )


@pytest.mark.parametrize("wrapper", ["params_ema", "params", "state_dict", "model"])
def test_wrapped_state_dictionaries_are_unpacked(tmp_path: Path, wrapper: str) -> None:
    original, loaded = build_network(TINY, seed=1), build_network(TINY, seed=2)
    state = {f"module.{name}": value for name, value in original.state_dict().items()}
    torch.save({"epoch": 3, wrapper: state}, tmp_path / "w.pth")
    load_weights(loaded, tmp_path / "w.pth")
    assert _same(original, loaded)


def test_averaged_weights_are_preferred(tmp_path: Path) -> None:
    average, last = build_network(TINY, seed=1), build_network(TINY, seed=2)
    both = {"params": last.state_dict(), "params_ema": average.state_dict()}
    torch.save(both, tmp_path / "w.pth")
    load_weights(last, tmp_path / "w.pth")
    assert _same(average, last)


def test_half_precision_halves_the_file_and_rounds_the_weights_alone(tmp_path: Path) -> None:
    original = build_network(EDSRConfig(blocks=2, channels=16, scale=2), seed=1)
    loaded = build_network(EDSRConfig(blocks=2, channels=16, scale=2), seed=2)
    save_weights(tmp_path / "full.safetensors", original, {})
    save_weights(tmp_path / "half.safetensors", original, {}, precision="float16")
    load_weights(loaded, tmp_path / "half.safetensors")
    full, half = (path.stat().st_size for path in sorted(tmp_path.iterdir()))
    assert half < 0.55 * full
    for name, value in original.state_dict().items():
        expected = value.half().float() if value.dim() == 4 else value
        assert torch.equal(loaded.state_dict()[name], expected), name


def test_weights_with_relus_fill_a_network_with_prelus(tmp_path: Path) -> None:
    relu = build_network(EDSRConfig(2, 4, 2), seed=1).eval()
    save_weights(tmp_path / "relu.safetensors", relu, {})
    prelu = build_network(EDSRConfig(2, 4, 2, prelu=True), seed=2).eval()
    load_weights(prelu, tmp_path / "relu.safetensors")
    image = 255 * torch.rand(1, 3, 6, 7)
    with torch.no_grad():
        assert torch.equal(prelu(image), relu(image))


def test_a_slope_that_is_missing_beside_others_is_told(tmp_path: Path) -> None:
    state = build_network(EDSRConfig(2, 4, 2, prelu=True), seed=1).state_dict()
    del state["body.1.body.1.weight"]
    torch.save(state, tmp_path / "torn.pth")
    with pytest.raises(UserError, match=r"1 missing \('body.1.body.1.weight'\)"):
        load_weights(build_network(EDSRConfig(2, 4, 2, prelu=True)), tmp_path / "torn.pth")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_weights(build_network(TINY), tmp_path / "w.pt")
    assert str(caught.value) == f"{tmp_path / 'w.pt'}: no such weights file; check the path"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (
            EDSRConfig(blocks=1, channels=8, scale=2),
            "11 of another shape ('head.0.weight': expected 4×3×3×3, found 8×3×3×3, "
            "'head.0.bias': expected 4, found 8, "
            "'body.0.body.0.weight': expected 4×4×3×3, found 8×8×3×3, …); "
            "give the weights of this network or name the network they belong to",
        ),
        (
            EDSRConfig(blocks=0, channels=4, scale=2),
            "6 missing ('body.0.body.0.weight', 'body.0.body.0.bias', 'body.0.body.2.weight', …), "
            "2 superfluous ('body.0.bias', 'body.0.weight'); "
            "give the weights of this network or name the network they belong to",
        ),
        (
            EDSRConfig(blocks=1, channels=4, scale=4),
            "2 superfluous ('tail.0.2.bias', 'tail.0.2.weight'); "
            "give the weights of this network or name the network they belong to",
        ),
        (
            EDSRConfig(blocks=6, channels=32, scale=2),
            "2 missing ('body.1.weight', 'body.1.bias'), 22 superfluous ('body.1.body.0.bias', "
            "'body.1.body.0.weight', 'body.1.body.2.bias', …), "
            "9 of another shape ('head.0.weight': expected 4×3×3×3, found 32×3×3×3, "
            "'head.0.bias': expected 4, found 32, "
            "'body.0.body.0.weight': expected 4×4×3×3, found 32×32×3×3, …); "
            "they fit network 'edsr_tiny_x2'",
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
    assert str(caught.value) == f"{path}: weights of another architecture: {expected}"
    assert _same(network, build_network(TINY, seed=1))
