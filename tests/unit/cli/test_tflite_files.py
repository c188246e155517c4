"""A TensorFlow Lite file in place of a graph file."""

import json
from pathlib import Path

import pytest

from hwsim.cli import main
from quant.graph.grids import Size
from tests.unit.interchange.small_graphs import small_graph

pytest.importorskip("tflite", reason="needs tflite, of the extra [verify]")

from quant.interchange.tflite_writer import tflite_model


def test_it_is_taken_as_a_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "small.tflite"
    path.write_bytes(tflite_model(small_graph("tflite_double"), Size(6, 8)))
    assert main(["estimate", str(path), "--input-size", "6x8", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["network"] == "small"


def test_a_file_that_is_none_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.tflite"
    path.write_text("hello")
    assert main(["estimate", str(path), "--input-size", "6x8"]) == 2
    assert capsys.readouterr().err == (
        f"hwsim estimate: {path}: expected a TensorFlow Lite file (.tflite), found something else; "
        "give a file that TensorFlow Lite's converter wrote\n"
    )


def test_options_of_quantization_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.tflite"
    assert main(["estimate", str(path), "--bits", "w8a8", "--input-size", "6x8"]) == 2
    assert "leave out --bits" in capsys.readouterr().err
