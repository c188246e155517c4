"""``hwsim run`` and ``hwsim estimate`` from arguments to files."""

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hwsim.machine import LayerwiseExecution
from quant.graph import load_graph
from quant.imaging import bicubic_downscale, luma_psnr_db, read_image
from tests.e2e.conftest import Command

IMAGE_KEYS = {
    "psnr_db", "psnr_float_db", "psnr_bicubic_db", "ssim", "output", "bit_exact", "wall_seconds",
}  # fmt: skip


def test_a_run_writes_pictures_table_chart_graph_and_result(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "out"

    done = hwsim("run", graph_file, "--hr", picture_file, "--out", out, "--json")

    assert done.status == 0
    names = {"output.png", "comparison.png", "layers.csv", "cost.png", "result.json"}
    report = {"report.html", "report.json", "pictures"}
    assert {path.name for path in out.iterdir()} == names | {"graph.hwgraph"} | report
    assert {path.name for path in (out / "pictures").iterdir()} == {"input.png", "original.png"}
    result = done.json
    assert (out / "result.json").read_text() == done.out
    assert result["input_size"] == [12, 10]
    assert result["output_size"] == [24, 20]
    output = out / "output.png"
    assert result["output"]["path"] == str(output)
    assert result["output"]["sha256"] == hashlib.sha256(output.read_bytes()).hexdigest()
    psnr_db = luma_psnr_db(read_image(picture_file), read_image(output), border=2)
    assert result["psnr_db"] == pytest.approx(psnr_db)
    assert result["bit_exact"]["values"] == 24 * 20 * 3
    assert result["bit_exact"]["mismatches"] == 0
    with (out / "layers.csv").open() as table:
        cycles = [int(row["cycles"]) for row in csv.DictReader(table)]
    assert sum(cycles) == result["cycles"]
    assert load_graph(out / "graph.hwgraph").name == load_graph(graph_file).name


def test_json_is_all_of_stdout_and_messages_go_to_stderr(
    hwsim: Command, graph_file: Path, picture_file: Path
) -> None:
    done = hwsim("run", graph_file, "--image", picture_file, "--json", "--check", "kernels")

    assert done.json["bit_exact"]["reference"] == "fast kernels"
    assert "simulating" in done.err
    quiet = hwsim("run", graph_file, "--image", picture_file, "--json", "--quiet")
    assert quiet.err == ""


def test_two_runs_give_the_same_picture_and_figures(
    hwsim: Command, graph_file: Path, picture_file: Path
) -> None:
    first, second = (
        hwsim("run", graph_file, "--image", picture_file, "--json", "--check", "none").json
        for _ in range(2)
    )

    assert first.pop("wall_seconds") > 0
    assert second.pop("wall_seconds") > 0
    assert first == second
    assert first["bit_exact"] is None
    assert first["psnr_db"] is None


@pytest.mark.parametrize("accelerator", ["edge_npu", "tiny_npu"])
def test_an_estimate_equals_a_run_where_no_pixels_are_needed(
    hwsim: Command, graph_file: Path, picture_file: Path, accelerator: str
) -> None:
    machine = ("--accelerator", accelerator, "--json")

    run = hwsim("run", graph_file, "--image", picture_file, "--check", "none", *machine).json
    estimate = hwsim("estimate", graph_file, "--input-size", "24x20", *machine).json

    assert list(run) == list(estimate)
    assert {key for key in run if run[key] != estimate[key]} <= IMAGE_KEYS
    for key in IMAGE_KEYS - {"wall_seconds"}:
        assert estimate[key] is None


def test_every_accelerator_gives_the_same_picture(
    hwsim: Command, graph_file: Path, picture_file: Path
) -> None:
    outputs = [
        hwsim("run", graph_file, "--image", picture_file, "--accelerator", name, "--json").json
        for name in ("edge_npu", "tiny_npu")
    ]

    assert outputs[0]["output"] == outputs[1]["output"]
    assert outputs[0]["cycles"] != outputs[1]["cycles"]


def test_another_energy_table_changes_energy_and_nothing_else(
    hwsim: Command, graph_file: Path
) -> None:
    size = ("--input-size", "24x20", "--json")

    own = hwsim("estimate", graph_file, *size).json
    other = hwsim("estimate", graph_file, "--energy-table", "accelergy45", *size).json

    assert own["energy_table"] != other["energy_table"] == "accelergy45"
    assert own["energy_uj"] != other["energy_uj"]
    assert own["cycles"] == other["cycles"]


def test_a_network_is_quantized_on_the_way_and_its_graph_gives_the_same_picture(
    hwsim: Command, picture_file: Path, calibration_folder: Path, tmp_path: Path
) -> None:
    common = ("--image", picture_file, "--json", "--check", "none")
    quantization = ("--bits", "w5a6", "--calibration", calibration_folder)

    network = hwsim("run", "edsr_tiny_x2", *quantization, *common, "--out", tmp_path).json
    graph = hwsim("run", tmp_path / "graph.hwgraph", *common).json

    assert network["network"] == graph["network"] == "edsr_tiny_x2"
    assert network["method"] == graph["method"] == "minmax"
    assert network["policy"] == graph["policy"] == "w5a6"
    assert network["output"]["sha256"] == graph["output"]["sha256"]
    assert network["energy_uj"] == graph["energy_uj"]
    assert network["weight_average_bits"] < 6


def test_quantize_writes_the_graph_that_run_would_use(
    hwsim: Command, calibration_folder: Path, picture_file: Path, tmp_path: Path
) -> None:
    quantization = ("--calibration", calibration_folder, "--random-weights", "7")
    target = tmp_path / "deep" / "net.hwgraph"

    done = hwsim("quantize", "edsr_tiny_x2", *quantization, "--out", target)
    into_folder = hwsim("quantize", "edsr_tiny_x2", *quantization, "--out", tmp_path)

    assert done.out.strip() == str(target)
    assert into_folder.out.strip() == str(tmp_path / "edsr_tiny_x2_minmax_w8a8.hwgraph")
    assert Path(into_folder.out.strip()).read_bytes() == target.read_bytes()


def test_a_network_without_weights_can_be_estimated(
    hwsim: Command, calibration_folder: Path
) -> None:
    done = hwsim("estimate", "edsr_baseline_x3", "--calibration", calibration_folder,
                 "--input-size", "8x8", "--json")  # fmt: skip

    assert done.status == 0
    assert done.json["output_size"] == [24, 24]
    assert "no trained weights here; random ones cost the same" in done.err


def _grey(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.arange(size[0] * size[1], dtype=np.uint8).reshape(size))


@pytest.mark.parametrize(
    "picture",
    [
        _grey((6, 9)),
        Image.merge("LA", [_grey((6, 9))] * 2),
        Image.merge("RGBA", [_grey((6, 9))] * 4),
        _grey((6, 9)).convert("P"),
        _grey((6, 9)).convert("1"),
        Image.fromarray(np.arange(54, dtype=np.uint16).reshape(6, 9) * 1000),
        Image.new("RGB", (1, 1), (9, 200, 3)),
        Image.new("RGB", (40, 1)),
    ],
    ids=["grey", "grey and alpha", "RGBA", "palette", "black and white", "16-bit", "1x1", "line"],
)
def test_pictures_of_every_kind_work(
    hwsim: Command, graph_file: Path, tmp_path: Path, picture: Image.Image
) -> None:
    picture.save(tmp_path / "in.png")

    done = hwsim("run", graph_file, "--image", tmp_path / "in.png", "--out", tmp_path / "out",
                 "--json")  # fmt: skip

    assert done.status == 0
    width, height = picture.size
    assert read_image(tmp_path / "out" / "output.png").shape == (2 * height, 2 * width, 3)
    assert done.json["bit_exact"]["mismatches"] == 0


def test_the_reduced_original_is_what_an_image_of_it_would_be(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    reduced = tmp_path / "lr.png"
    Image.fromarray(bicubic_downscale(read_image(picture_file), 2)).save(reduced)

    one = hwsim("run", graph_file, "--hr", picture_file, "--json").json
    both = hwsim("run", graph_file, "--image", reduced, "--hr", picture_file, "--json").json

    assert one["output"] == both["output"]
    assert one["psnr_db"] == both["psnr_db"] is not None


def test_a_mismatch_is_status_1_and_told_with_its_place(
    hwsim: Command, graph_file: Path, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hwsim import simulation

    def wrong(*arguments: object) -> LayerwiseExecution:
        layerwise = correct(*arguments)
        return replace(layerwise, output=layerwise.output ^ 1)

    correct = simulation.execute_layerwise
    monkeypatch.setattr(simulation, "execute_layerwise", wrong)

    done = hwsim("run", graph_file, "--image", picture_file)

    assert done.status == 1
    assert "not bit-exact: 5760 of 5760 output integers differ from the" in done.err
    assert "no: 5,760 of 5,760 integers differ" in done.out


def test_the_summary_names_what_costs_most(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    done = hwsim("run", graph_file, "--hr", picture_file, "--out", tmp_path)

    for words in ("energy per image", "latency", "array utilization", "peak SRAM", "DRAM traffic",
                  "quality", "bit-exact", "most energy", f"written to {tmp_path}:",
                  "cycles and energy are modelled, not measured"):  # fmt: skip
        assert words in done.out
