"""Networks in files of other tool chains, wherever a command takes a network."""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hwsim.cli import main
from quant.graph.serialization import load_graph
from tests.sr_networks import random_network

pytest.importorskip("onnx", reason="needs onnx, of the extra [onnx]")

from tests.onnx_exports import export
from tests.unit.interchange.onnx_files import codes, constants, graph_proto, model_proto, write

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float network as .onnx and .pt2, and a picture to calibrate on."""
    path = tmp_path_factory.mktemp("models")
    network = random_network("QuickSRNet")
    export(network, path / "quick.onnx")
    torch.export.save(
        torch.export.export(network, (torch.zeros(1, 3, 24, 32),)), path / "exported.pt2"
    )
    (path / "pictures").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (16, 20, 3), np.uint8)
    Image.fromarray(pixels).save(path / "pictures" / "noise.png")
    return path


@pytest.mark.parametrize("name", ["quick.onnx", "exported.pt2"])
def test_float_networks_are_quantized_and_run(name: str, folder: Path, capsys: Capture) -> None:
    command = ["run", str(folder / name), "--bits", "w4a8", "--image"]
    picture, pictures = folder / "pictures" / "noise.png", folder / "pictures"
    assert main([*command, str(picture), "--calibration", str(pictures), "--json", "--quiet"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["network"] == name.partition(".")[0]
    assert (result["policy"], result["method"]) == ("w4a8", "minmax")
    assert result["output_size"] == [32, 40]
    assert result["bit_exact"]["mismatches"] == 0


def test_the_range_of_pixels_is_told_and_taken(folder: Path, capsys: Capture) -> None:
    command = ["estimate", str(folder / "quick.onnx"), "--input-size", "8x8", "--calibration"]
    assert main([*command, str(folder / "pictures")]) == 0
    path = folder / "quick.onnx"
    assert capsys.readouterr().err.startswith(
        f"{path}: a white pixel is taken to be 1; --pixel-range 255 says otherwise\n"
    )
    assert main([*command, str(folder / "pictures"), "--pixel-range", "255"]) == 0
    assert "white pixel" not in capsys.readouterr().err


def test_quantized_models_become_graph_files(tmp_path: Path, capsys: Capture) -> None:
    nodes = [*codes(), ("DepthToSpace", ["image_r"], ["out"], {"blocksize": 1})]
    path = write(model_proto(graph_proto(nodes, constants())), tmp_path)
    assert main(["quantize", str(path), "--out", str(tmp_path / "made.hwgraph")]) == 0
    assert load_graph(tmp_path / "made.hwgraph").metadata["source"] == "small.onnx"
    capsys.readouterr()
    assert main(["quantize", str(path), "--bits", "w8a8"]) == 2
    assert capsys.readouterr().err == (
        f"hwsim quantize: {path} is quantized already; leave out --bits or name a network\n"
    )


REFUSED = {
    "estimate {folder}/weights.pth": "{folder}/weights.pth: expected a network, found a pickle, "
    "which can run any code when it is read; save the network with "
    "torch.export.save(torch.export.export(network, (image,)), 'network.pt2'), or give it as the "
    "weights of a known network",
    "estimate {folder}/quick.onnx --weights x.pt": "{folder}/quick.onnx has weights of its own; "
    "leave out --weights",
    "estimate {folder}/quick.onnx --random-weights 3": "{folder}/quick.onnx has weights of its "
    "own; leave out --random-weights",
    "estimate edsr_tiny_x2 --pixel-range 1": "network 'edsr_tiny_x2' knows what a white pixel is; "
    "leave out --pixel-range, which is for float networks in files",
    "estimate {folder}/none.hwgraph --pixel-range 1": "{folder}/none.hwgraph takes pixels as they "
    "are; leave out the pixel range, which is for what takes real numbers",
    "estimate {folder}/quick.onnx --pixel-range 0": "argument --pixel-range: expected a positive "
    "number such as 255, got '0'; see hwsim estimate --help",
    "estimate {folder}/none.pt2": "{folder}/none.pt2: no such torch.export file; check the path",
    "search {folder}/none.tflite": "{folder}/none.tflite is quantized already; give the float "
    "network",
    "quantize {folder}/one.hwgraph": "{folder}/one.hwgraph is a graph file already; copy it, or "
    "give a network or another engine's model",
}


@pytest.mark.parametrize("command", REFUSED)
def test_what_is_refused(command: str, folder: Path, capsys: Capture) -> None:
    (folder / "weights.pth").write_bytes(pickle.dumps({"weight": 1}))
    assert main([*command.format(folder=folder).split(), "--quiet"]) == 2
    name = command.partition(" ")[0]
    wanted = REFUSED[command].format(folder=folder)
    assert capsys.readouterr().err == f"hwsim {name}: {wanted}\n"


@pytest.mark.parametrize(
    ("suffix", "package", "extra"), [("onnx", "onnx", "onnx"), ("tflite", "tflite", "tflite")]
)
def test_a_missing_package_is_one_sentence(
    suffix: str, package: str, extra: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: Capture,
) -> None:  # fmt: skip
    for name in [name for name in sys.modules if name.startswith("quant.interchange.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(b"anything")
    assert main(["estimate", str(path), "--input-size", "8x8"]) == 2
    assert capsys.readouterr().err == (
        f"hwsim estimate: {path}: reading .{suffix} files needs '{package}', which is not "
        f"installed; pip install 'hwsim[{extra}]'\n"
    )


def test_comparisons_take_float_networks(folder: Path, capsys: Capture) -> None:
    path = str(folder / "quick.onnx")
    common = ["--calibration", str(folder / "pictures"), "--json", "--quiet"]
    assert main(["compare", path, "--input-size", "8x8", *common]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["rows"]
    assert cell["network"] == "quick"
