"""The requantization mode of a run: from the option or the accelerator to the integers."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from accelerators import load_accelerator
from quant.common.requantization_modes import MODES
from quant.graph import load_graph
from quant.imaging import read_image
from tests.e2e.conftest import Command


@pytest.mark.parametrize("mode", ["tflite_double", "xnnpack", "onnxruntime", "shift"])
def test_a_run_in_a_mode_is_bit_exact(
    hwsim: Command, picture_file: Path, calibration_folder: Path, tmp_path: Path, mode: str
) -> None:
    options = ("--image", picture_file, "--calibration", calibration_folder, "--json")

    done = hwsim("run", *options, "--rounding", mode, "--out", tmp_path / mode)
    usual = hwsim("run", *options, "--out", tmp_path / "usual", "--check", "none")

    assert done.status == 0
    assert done.json["bit_exact"]["mismatches"] == 0
    assert done.json["bit_exact"]["values"] == 48 * 40 * 3
    assert load_graph(tmp_path / mode / "graph.hwgraph").metadata["rounding"] == mode
    assert usual.json["cycles"] == done.json["cycles"]
    pictures = [read_image(tmp_path / name / "output.png").astype(int) for name in (mode, "usual")]
    assert 0 < np.abs(pictures[0] - pictures[1]).max() < 16


def test_the_accelerators_mode_unless_another_is_named(
    hwsim: Command, calibration_folder: Path, tmp_path: Path
) -> None:
    machine = load_accelerator("tiny_npu").model_dump(mode="json")
    machine["requantizer"]["rounding"] = "nvdla"
    file = tmp_path / "machine.yaml"
    file.write_text(yaml.safe_dump(machine))
    options = ("--input-size", "12x12", "--calibration", calibration_folder, "--accelerator", file)

    for given, mode in ((), "nvdla"), (("--rounding", "half_even"), "half_even"):
        out = tmp_path / mode
        assert hwsim("estimate", *options, *given, "--out", out).status == 0
        assert load_graph(out / "graph.hwgraph").metadata["rounding"] == mode


def test_a_quantized_graph_keeps_its_mode(
    hwsim: Command, picture_file: Path, calibration_folder: Path, tmp_path: Path
) -> None:
    options = ("--calibration", calibration_folder, "--rounding", "xnnpack", "--out", tmp_path)

    done = hwsim("quantize", *options)

    file = tmp_path / "edsr_tiny_x2_minmax_w8a8_xnnpack.hwgraph"
    assert done.out == f"{file}\n"
    run = hwsim("run", file, "--image", picture_file, "--json", "--out", tmp_path / "run")
    assert run.json["bit_exact"]["mismatches"] == 0
    assert load_graph(tmp_path / "run" / "graph.hwgraph").metadata["rounding"] == "xnnpack"


def test_list_says_a_line_on_each_mode(hwsim: Command) -> None:
    lines = hwsim("list", "roundings").out.splitlines()

    assert [line.split()[0] for line in lines] == list(MODES)
    assert [line.split(maxsplit=1)[1] for line in lines] == [m.summary for m in MODES.values()]
    assert "\n  tflite_double  TensorFlow Lite reference" in hwsim("list").out
    assert hwsim("list", "--json").json["roundings"] == list(MODES)
