"""Reports, comparisons of runs and traces, from arguments to files."""

import gzip
import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quant.graph.adaptive_file import save_any_graph
from quant.imaging import read_image, write_png
from tests.adaptive_graphs import adaptive_graph
from tests.e2e.conftest import Command
from tests.html_pages import parsed

Json = dict[str, Any]


@pytest.fixture(scope="module")
def adaptive_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graphs") / "adaptive.hwgraph"
    save_any_graph(adaptive_graph(), path)
    return path


@pytest.fixture
def result_folder(hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "result"
    done = hwsim("run", graph_file, "--hr", picture_file, "--check", "none", "--out", folder)
    assert done.status == 0, done.err
    return folder


def facts_of(page: Path) -> dict[str, str]:
    section = parsed(page.read_text(encoding="utf-8")).one("section", id="provenance")
    names, values = (section.all(tag) for tag in ("dt", "dd"))
    return {name.text: value.text for name, value in zip(names, values, strict=True)}


def tracks_of(trace: Json) -> dict[str, list[Json]]:
    """The slices of each track by its name."""
    events = trace["traceEvents"]
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    return {
        name: [e for e in events if e["ph"] == "X" and e["tid"] == tid]
        for tid, name in names.items()
    }


def test_a_run_writes_a_page_that_can_be_made_again(hwsim: Command, result_folder: Path) -> None:
    page = result_folder / "report.html"
    written = page.read_bytes()
    page.unlink()

    done = hwsim("report", result_folder)

    assert done.status == 0, done.err
    assert done.out.strip() == str(page)
    assert page.read_bytes() == written
    again = hwsim(
        "report", result_folder / "result.json", "--out", result_folder / "new" / "p.html"
    )
    assert again.out.strip() == str(result_folder / "new" / "p.html")
    assert (result_folder / "new" / "p.html").read_bytes() == written
    assert "reporting …" in done.err


def test_a_page_says_what_its_figures_rest_on(
    result_folder: Path, graph_file: Path, picture_file: Path
) -> None:
    facts = facts_of(result_folder / "report.html")

    assert facts["command"] == (
        f"hwsim run {graph_file} --hr {picture_file} --check none --out {result_folder}"
    )
    assert facts["program"].startswith("hwsim ")
    assert facts["libraries"].startswith("Python 3.")
    assert facts["graph file"] == str(graph_file)
    assert facts["image"] == f"{picture_file}, reduced"
    assert facts["original"] == str(picture_file)
    assert facts["accelerator"].startswith("edge_npu, 800 MHz: ")
    assert facts["energy table"].startswith("horowitz45, version ")
    assert facts["random numbers"] == "none are drawn"
    hashes = {name for name, value in facts.items() if re.fullmatch("[0-9a-f]{64}", value)}
    made = "picture made, its PNG file"
    pixels = {"image, its pixels", "original, its pixels"}
    assert hashes == {"graph", made, "machine and prices", *pixels}
    result = json.loads((result_folder / "result.json").read_text())
    assert facts[made] == result["output"]["sha256"]
    assert result["explanation"] is None


def test_a_network_s_page_names_weights_and_seeds(
    hwsim: Command, calibration_folder: Path, tmp_path: Path
) -> None:
    size = ("--input-size", "8x8", "--calibration", calibration_folder)

    hwsim("estimate", "edsr_tiny_x2", *size, "--out", tmp_path / "a")
    hwsim("estimate", "edsr_tiny_x2", "--random-weights", 7, *size, "--out", tmp_path / "b")

    trained, random = (facts_of(tmp_path / name / "report.html") for name in ("a", "b"))
    assert trained["network"] == "edsr_tiny_x2, weights that come with the program"
    assert len(trained["weights file"]) == 64
    assert random["network"] == "edsr_tiny_x2, random weights of seed 7"
    assert random["random numbers"] == "weights, of seed 7"
    assert "weights file" not in random
    assert trained["graph"] != random["graph"]
    assert (trained["method"], trained["policy"]) == ("minmax", "w8a8")
    assert trained["calibrated on"] == str(calibration_folder)


def test_what_json_prints_is_enough_for_a_page_without_what_it_lacks(
    hwsim: Command, graph_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "printed.json"
    file.write_text(hwsim("estimate", graph_file, "--input-size", "8x8", "--explain", "--json").out)

    done = hwsim("report", file)

    assert done.out.strip() == str(tmp_path / "report.html")
    page = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    ids = [section.attributes["id"] for section in page.one("main").all("section")]
    assert ids == ["summary", "energy", "cycles", "roofline", "memory", "bits", "provenance"]


def test_a_picture_that_is_not_that_of_the_result_is_bad_input(
    hwsim: Command, result_folder: Path
) -> None:
    picture = read_image(result_folder / "output.png")
    write_png(result_folder / "output.png", picture ^ 1)
    changed = hwsim("report", result_folder)
    (result_folder / "output.png").unlink()
    without = hwsim("report", result_folder)

    assert (changed.status, changed.out) == (2, "")
    assert "output.png: expected the picture of" in changed.err
    assert changed.err.strip().endswith("run the image again")
    assert without.status == 0
    page = parsed((result_folder / "report.html").read_text(encoding="utf-8"))
    assert page.one("section", id="pictures").all("img") == []


def test_a_picture_of_another_size_is_bad_input(hwsim: Command, result_folder: Path) -> None:
    write_png(result_folder / "pictures" / "original.png", np.zeros((3, 5, 3), np.uint8))

    done = hwsim("report", result_folder)

    assert done.status == 2
    assert "original.png: expected 24×20 pixels, found 3×5; run the image again" in done.err


def test_a_figure_of_zero_is_bad_input(hwsim: Command, result_folder: Path) -> None:
    file = result_folder / "result.json"
    file.write_text(file.read_text().replace('"energy_uj"', '"energy_uj": 0, "x"', 1))

    done = hwsim("report", result_folder)

    assert done.status == 2
    assert "result.json: expected a 'energy_uj' above zero, found 0" in done.err


@pytest.mark.parametrize("patch", [(), ("--patch", 10)])
def test_where_the_image_chooses_the_page_is_of_what_ran(
    hwsim: Command, adaptive_file: Path, picture_file: Path, tmp_path: Path, patch: tuple[Any, ...]
) -> None:
    done = hwsim("run", adaptive_file, "--image", picture_file, "--check", "none", *patch,
                 "--out", tmp_path, "--trace", tmp_path / "trace.json", "--json")  # fmt: skip

    assert done.status == 0, done.err
    page = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert len(page.all("img")) == 2
    facts = facts_of(tmp_path / "report.html")
    assert facts.get("patches") == ("of 10 pixels, one after the other" if patch else None)
    tracks = tracks_of(json.loads((tmp_path / "trace.json").read_text()))
    busy = sum(layer["busy_cycles"]["mac_array"] for layer in done.json["layers"])
    assert sum(each["args"]["cycles"] for each in tracks["MAC array"]) == busy
    assert sum(each["args"]["cycles"] for each in tracks["cascades"]) == done.json["cycles"]
    names = [each["name"] for each in tracks["cascades"]]
    assert names.count("front_end/decision") == len(done.json["adaptive"]["patches"])
    patches = {each["args"].get("patch") for each in tracks["DMA channel"]}
    assert patches == ({1, 2, 3, 4} if patch else {None})
    for slices in tracks.values():
        for one, other in pairwise(slices):
            end = one["args"]["start_cycle"] + one["args"]["cycles"]
            assert end <= other["args"]["start_cycle"]


def test_an_expectation_has_a_page_but_no_trace(
    hwsim: Command, adaptive_file: Path, tmp_path: Path
) -> None:
    size = ("--input-size", "8x8")

    done = hwsim("estimate", adaptive_file, *size, "--out", tmp_path / "out")
    refused = hwsim("estimate", adaptive_file, *size, "--trace", tmp_path / "trace.json")

    assert done.status == 0, done.err
    page = parsed((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    ids = {section.attributes["id"] for section in page.one("main").all("section")}
    assert ids == {"summary", "energy", "cycles", "bits", "provenance"}
    assert refused.status == 2
    assert refused.err.strip().splitlines()[-1] == (
        "hwsim estimate: --trace: the image decides the bits of this network, so that an estimate "
        "is a mean over images, which no timeline has; trace a run (hwsim run --trace FILE)"
    )
    assert not (tmp_path / "trace.json").exists()


def test_a_trace_of_a_run_is_that_of_an_estimate(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    run, estimate = tmp_path / "new" / "run.json", tmp_path / "estimate.json.gz"

    ran = hwsim("run", graph_file, "--image", picture_file, "--check", "none", "--trace", run)
    hwsim("estimate", graph_file, "--input-size", "24x20", "--trace", estimate)

    assert f"written to {run.parent}: run.json" in ran.out
    assert "tracing …" in ran.err
    assert gzip.decompress(estimate.read_bytes()) == run.read_bytes()
    assert [path.name for path in run.parent.iterdir()] == ["run.json"]


def test_a_trace_may_lie_beside_the_other_files_or_elsewhere(
    hwsim: Command, graph_file: Path, tmp_path: Path
) -> None:
    given = ("estimate", graph_file, "--input-size", "8x8", "--out", tmp_path / "out")

    inside = hwsim(*given, "--trace", tmp_path / "out" / "trace.json")
    outside = hwsim(*given, "--trace", tmp_path / "trace.json")

    assert "result.json, trace.json" in " ".join(inside.out.split())
    assert str(tmp_path / "trace.json") in "".join(outside.out.split())
    assert (tmp_path / "out" / "trace.json").read_bytes() == (tmp_path / "trace.json").read_bytes()


def test_a_folder_is_no_trace_file(hwsim: Command, graph_file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()

    done = hwsim("estimate", graph_file, "--trace", tmp_path / "a.json")

    assert done.status == 2
    assert done.err.endswith("a.json: expected a file, this is a folder; name a file in it\n")


def test_runs_are_compared_side_by_side(
    hwsim: Command, graph_file: Path, picture_file: Path, result_folder: Path, tmp_path: Path
) -> None:
    other, estimate = tmp_path / "other", tmp_path / "small.json"
    hwsim("run", graph_file, "--hr", picture_file, "--accelerator", "tiny_npu", "--check", "none",
          "--out", other)  # fmt: skip
    estimate.write_text(hwsim("estimate", graph_file, "--input-size", "8x8", "--json").out)

    done = hwsim("compare", result_folder, other / "result.json", estimate, "--out", tmp_path / "c",
                 "--json")  # fmt: skip

    assert done.status == 0, done.err
    assert {path.name for path in (tmp_path / "c").iterdir()} == {"compare.html", "compare.json"}
    assert (tmp_path / "c" / "compare.json").read_text() == done.out
    assert [run["name"] for run in done.json["runs"]] == ["result", "other", "small"]
    assert done.json["differing"] == ["accelerator", "input_size", "output_size"]
    results = [json.loads(path.read_text()) for path in
               (result_folder / "result.json", other / "result.json", estimate)]  # fmt: skip
    assert done.json["totals"]["cycles"]["values"] == [result["cycles"] for result in results]
    page = parsed((tmp_path / "c" / "compare.html").read_text(encoding="utf-8"))
    viewer = page.one("figure", id="picture-viewer")
    titles = [option.text for option in viewer.all("select")[0].all("option")]
    assert titles == ["result", "other", "bicubic", "original"]


def test_runs_of_one_name_are_told_apart_by_their_paths(
    hwsim: Command, result_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(result_folder, tmp_path / "deeper" / "result")

    done = hwsim("compare", result_folder, tmp_path / "deeper" / "result")

    assert done.status == 0, done.err
    assert str(tmp_path / "deeper" / "result") in done.out.replace("\n", "")
    assert "nothing that a result names" in done.out
    assert "comparing runs …" in done.err
