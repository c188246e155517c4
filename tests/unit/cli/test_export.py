"""``hwsim export``: files, exit status and sentences."""

import json
from pathlib import Path

import numpy as np
import pytest

from hwsim.cli import main
from hwsim.export.formats import FORMATS
from quant.graph import load_graph, save_graph
from quant.graph.adaptive_file import save_any_graph
from quant.interchange.picture_ends import with_picture_ends
from quant.policy import BitPolicy, LayerBits
from tests.adaptive_graphs import adaptive_graph
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.unit.interchange.small_graphs import small_graph

SIZE = "--input-size", "10x12"
NEEDS = {"qonnx": "onnx", "qdq": "onnx", "qlinear": "onnx", "tflite": "tflite"}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.hwgraph"
    save_graph(edsr_graph(1, 4, bits=(4, 6), residual_bits=11), path)
    return path


def export(network: Path | str, to: str, out: Path, *options: str) -> int:
    return main(["export", str(network), "--to", to, "--out", str(out), "--quiet", *options])


@pytest.mark.parametrize("to", sorted(set(FORMATS) - {"qlinear", "tflite"}))
def test_every_format_is_written_and_named_on_stdout(
    network: Path, tmp_path: Path, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if to in NEEDS:
        pytest.importorskip(NEEDS[to], reason=f"needs {NEEDS[to]}, of the extra [verify]")
    out = tmp_path / "out"
    widths = ("--widths", "2,4") if to == "haq" else ()
    assert export(network, to, out, *SIZE, *widths) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert files
    assert all(file.is_file() for file in files)
    assert out.is_dir() == (FORMATS[to].output == "folder")
    assert not list(tmp_path.glob("**/.unfinished-*"))


def test_a_file_in_a_folder_gets_a_name(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(network, "policy", tmp_path) == 0
    (file,) = capsys.readouterr().out.split()
    assert Path(file) == tmp_path / "net_policy.yaml"
    assert BitPolicy.load(file).resolve(edsr_layers(1))["body_end"] == LayerBits(4, 6)


@pytest.mark.parametrize("to", ["qonnx", "qdq"])
def test_files_are_checked_by_their_engines(
    network: Path, tmp_path: Path, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx")
    engine = {"qonnx": "qonnx", "qdq": "onnxruntime"}[to]
    pytest.importorskip(engine, reason=f"needs {engine}")
    assert export(network, to, tmp_path / "net.onnx", "--check", "--input-size", "20x24") == 0
    assert "1 checks, 5,760 integers compared: all equal" in capsys.readouterr().out


def test_engines_own_files_are_checked_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tflite")
    pytest.importorskip("ai_edge_litert")
    image = tmp_path / "image.npy"
    np.save(image, np.random.default_rng(0).integers(-128, 128, (10, 12, 3)))
    for to, mode in (("qlinear", "onnxruntime"), ("tflite", "tflite_double")):
        path = tmp_path / f"{to}.hwgraph"
        save_graph(small_graph(mode), path)
        out = tmp_path / f"{to}.file"
        assert export(path, to, out, "--check", "--image", str(image)) == 0
        assert "480 integers compared: all equal" in capsys.readouterr().out


def test_an_exported_tensorflow_lite_file_is_read_as_the_graph_it_was(tmp_path: Path) -> None:
    pytest.importorskip("tflite")
    from quant.interchange.tflite_reader import read_tflite

    graph = small_graph("tflite_double")
    save_graph(with_picture_ends(graph), tmp_path / "net.hwgraph")
    assert export(tmp_path / "net.hwgraph", "tflite", tmp_path / "net.tflite", *SIZE) == 0
    again = read_tflite(tmp_path / "net.tflite")
    assert [(n.operator.kind, n.output.encoding.zero_point) for n in again.nodes] == [
        (n.operator.kind, n.output.encoding.zero_point) for n in graph.nodes
    ]
    for ours, theirs in zip(graph.convolutions(), again.convolutions(), strict=True):
        np.testing.assert_array_equal(ours.operator.weight, theirs.operator.weight)
        np.testing.assert_array_equal(ours.operator.bias, theirs.operator.bias)
        for name in ("multiplier", "shift"):
            np.testing.assert_array_equal(
                getattr(ours.operator.requantization, name),
                getattr(theirs.operator.requantization, name),
            )


def test_golden_vectors_are_what_verify_takes(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "image.npy"
    np.save(image, np.random.default_rng(0).integers(0, 256, (9, 8, 3)))
    assert export(network, "golden", tmp_path / "golden", "--image", str(image)) == 0
    maps = str(tmp_path / "golden" / "feature_maps.npz")
    capsys.readouterr()
    given = ["--tensors", maps, "--input", str(image), "--json", "--quiet"]
    assert main(["verify", str(network), *given]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert len(checks) == len(load_graph(network).nodes)
    assert all(check["mismatches"] == 0 for check in checks)


def test_the_image_chooses_the_variant_that_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_any_graph(adaptive_graph(), tmp_path / "adaptive.hwgraph")
    flat, wild = tmp_path / "flat.npy", tmp_path / "wild.npy"
    np.save(flat, np.full((16, 16, 3), 90))
    np.save(wild, np.random.default_rng(0).integers(0, 256, (16, 16, 3)))
    found = []
    for image in (flat, wild):
        out = tmp_path / f"{image.stem}.yaml"
        assert export(tmp_path / "adaptive.hwgraph", "policy", out, "--image", str(image)) == 0
        found.append(BitPolicy.load(out).resolve(edsr_layers(1))["body_end"].activation_bits)
    assert found == [4, 6]


REFUSED = {
    ("--to fooo: no such format; known: accelergy, golden, haq"): ("fooo", ()),
    ("--widths: expected --to haq, given policy; leave it out"): ("policy", ("--widths", "2")),
    ("--scales: expected --to qonnx or qdq, given haq; leave it out"): (
        "haq",
        ("--scales", "real"),
    ),
    ("--check: expected --to qonnx or qdq or qlinear or tflite, given haq; leave it out"): (
        "haq",
        ("--check",),
    ),
    ("--input-size: expected at most the image's 256×256, given 300×300"): (
        "golden",
        ("--input-size", "300x300"),
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(
    network: Path, tmp_path: Path, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    to, options = REFUSED[sentence]
    assert export(network, to, tmp_path / "out", *options) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"hwsim export: {sentence}")
    assert shown.out == ""
    assert not (tmp_path / "out").exists()


def test_a_folder_cannot_stand_where_a_file_is(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(network, "golden", network) == 2
    assert capsys.readouterr().err == (
        f"hwsim export: --out {network}: expected a folder, found a file; name another\n"
    )


def test_a_network_that_a_format_does_not_take_is_refused_with_the_node(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tflite")
    assert export(network, "tflite", tmp_path / "net.tflite", *SIZE) == 2
    assert capsys.readouterr().err == (
        "hwsim export: --to tflite: node 'head.input' (requantize): expected s8 or u8 codes, the "
        "engine's, found u6; docs/export.md says what it takes; qdq takes more\n"
    )
    assert not (tmp_path / "net.tflite").exists()


def test_a_missing_package_is_named(
    network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'", name="onnx")

    monkeypatch.setattr("hwsim.export.formats.import_module", absent)
    assert export(network, "qdq", tmp_path / "net.onnx", *SIZE) == 2
    assert capsys.readouterr().err == (
        "hwsim export: --to: this format needs 'onnx', which is not installed; pip install "
        "'hwsim[verify]'\n"
    )


def test_formats_are_listed_with_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FORMATS)
    assert lines[0].endswith("widths of 1 to 16 bits")
