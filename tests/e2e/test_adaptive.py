"""Commands on a file of graphs that each image chooses among."""

import json
from pathlib import Path

import pytest

from quant.graph.adaptive_file import save_any_graph
from quant.imaging import read_image
from quant.methods.adabm.complexity import complexity
from tests.adaptive_graphs import adaptive_graph
from tests.e2e.conftest import Command


@pytest.fixture(scope="module")
def adaptive_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graphs") / "adaptive.hwgraph"
    save_any_graph(adaptive_graph(), path)
    return path


def test_a_run_tells_what_the_image_chose_and_its_graphs_run_again(
    hwsim: Command, adaptive_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    run = ("--image", picture_file, "--accelerator", "tiny_npu", "--json")
    first = hwsim("run", adaptive_file, *run, "--out", tmp_path / "out")
    assert first.status == 0
    (patch,) = first.json["adaptive"]["patches"]
    assert patch["complexity"] == pytest.approx(complexity(read_image(picture_file)), abs=0.004)
    assert patch["image_bits"] == 0
    assert patch["size"] == [24, 20]
    assert first.json["bit_exact"]["mismatches"] == 0
    again = hwsim("run", tmp_path / "out" / "graph.hwgraph", *run)
    for key in ("cycles", "energy_uj", "adaptive", "layers"):
        assert again.json[key] == first.json[key]
    assert json.loads((tmp_path / "out" / "result.json").read_text())["adaptive"]["patches"]


def test_patches_are_run_and_summarized(
    hwsim: Command, adaptive_file: Path, picture_file: Path
) -> None:
    run = ("run", adaptive_file, "--image", picture_file, "--accelerator", "tiny_npu")
    finished = hwsim(*run, "--patch", 10, "--json")
    assert finished.status == 0
    assert len(finished.json["adaptive"]["patches"]) == 4
    assert "image bits" in hwsim(*run).out
    assert hwsim(*run, "--patch", 0).status == 2


def test_an_estimate_has_an_expectation_and_each_variant(
    hwsim: Command, adaptive_file: Path
) -> None:
    finished = hwsim("estimate", adaptive_file, "--input-size", "24x20", "--json")
    variants = finished.json["adaptive"]["variants"]
    assert [variant["image_bits"] for variant in variants] == [-1, 0, 1]
    energies = [variant["energy_uj"] for variant in variants]
    assert energies[0] < finished.json["energy_uj"] < energies[2]
    assert "expected" in hwsim("estimate", adaptive_file, "--input-size", "24x20").out


def test_a_data_set_is_evaluated_with_the_graph_of_each_picture(
    hwsim: Command, adaptive_file: Path, picture_file: Path
) -> None:
    finished = hwsim("evaluate", adaptive_file, "--data", picture_file.parent, "--json")
    assert finished.status == 0, finished.err
    assert set(finished.json["data_sets"][0]["psnr_db"]) == {"bicubic", "quantized"}
