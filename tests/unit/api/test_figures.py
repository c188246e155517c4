"""What the functions give is what the commands of the same name print."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

import hwsim.api as hw
from hwsim.cli import main
from hwsim.compare.result import Cell
from hwsim.report.result import Result
from quant.common.errors import UserError
from quant.graph import Graph
from quant.imaging import bicubic_upscale, write_png
from tests.unit.lowering.small_networks import picture

SEARCHED = {"input_size": (8, 10), "widths": (4, 8), "front_points": 2}


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert main([*map(str, arguments), "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)


def same(result: Result, other: Any) -> bool:
    record = json.loads(result.to_json())
    return {**record, "wall_seconds": 0} == {**other, "wall_seconds": 0}


def test_an_estimate_is_that_of_the_command(
    graph: Graph, graph_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = hw.estimate(graph, "tiny_npu", input_size=(16, 20), explain=True)

    assert same(
        found,
        printed(
            capsys, "estimate", graph_file, "--accelerator", "tiny_npu", "--input-size", "16x20",
            "--explain",
        ),
    )  # fmt: skip


def test_prices_may_be_others(graph: Graph) -> None:
    own = hw.estimate(graph, input_size=(8, 8))
    other = hw.estimate(graph, input_size=(8, 8), energy_table="accelergy45")

    assert (own.energy_table, other.energy_table) == ("horowitz45", "accelergy45")
    assert own.cycles == other.cycles
    assert own.energy_uj != other.energy_uj


def test_costs_need_no_weights() -> None:
    found = hw.estimate("edsr_mlperf_x2", "tiny_npu", input_size=(4, 4), calibration=[picture()])

    assert (found.network, found.psnr_db) == ("edsr_mlperf_x2", None)


def test_a_run_is_that_of_the_command(
    graph: Graph, graph_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    low = picture()
    high = bicubic_upscale(low, 2)
    write_png(tmp_path / "low.png", low)
    write_png(tmp_path / "high.png", high)

    run = hw.run(graph, "tiny_npu", image=low, hr=tmp_path / "high.png", check="reference")

    assert same(
        run.result,
        printed(
            capsys, "run", graph_file, "--accelerator", "tiny_npu", "--image", tmp_path / "low.png",
            "--hr", tmp_path / "high.png",
        ),
    )  # fmt: skip
    assert run.result.bit_exact is not None
    assert (run.result.bit_exact.values, run.result.bit_exact.mismatches) == (high.size, 0)
    assert {*run.pictures} == {"input", "bicubic", "output", "original"}
    assert run.output.shape == high.shape


def test_a_run_of_a_float_network_has_its_picture(network: nn.Module) -> None:
    run = hw.run(network, "tiny_npu", image=picture(), calibration=[picture()], explain=True)

    difference = run.pictures["float"].astype(int) - run.output
    assert np.abs(difference).mean() < 2
    assert run.result.psnr_db is None
    assert run.result.explanation is not None


def test_the_original_alone_is_reduced(graph: Graph) -> None:
    high = bicubic_upscale(picture(), 2)

    run = hw.run(graph, "tiny_npu", hr=high[:-1], check="none", patch=12)

    assert run.pictures["input"].shape == (16, 22, 3)
    assert run.result.bit_exact is None
    assert run.result.psnr_db is not None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"image": np.zeros((8, 8, 3))},
            r"image: expected uint8 \[height, width, 3\], given float64 \[8, 8, 3\]; convert it",
        ),
        ({"image": np.zeros((8, 8), np.uint8)}, r"given uint8 \[8, 8\]"),
        (
            {"image": picture(), "hr": picture()},
            "hr: expected 34×44 pixels, 2 times the image, found 17×22; give the original of this "
            "image, or hr alone to reduce it",
        ),
        ({"image": "nothing.png"}, "nothing.png"),
        ({"check": "kernel"}, "check 'kernel': no such arithmetic; did you mean 'kernels'"),
    ],
)
def test_wrong_pictures_are_told(graph: Graph, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        hw.run(graph, "tiny_npu", **given)


def test_a_search_recommends_a_policy_that_keeps_to_its_limits(network: nn.Module) -> None:
    found = hw.search(
        network, "tiny_npu", min_psnr_db=35, max_latency_ms=1, pictures=[picture()],
        calibration=[picture()], **SEARCHED,
    )  # fmt: skip

    assert found.recommended.measured.psnr_db >= 35
    assert found.recommended in found.points
    assert found.found.mismatches == 0
    assert found.to_json()["accelerator"] == "tiny_npu"
    quantized = hw.quantize(network, bits=found.policy, calibration=[picture()])
    costs = hw.estimate(quantized, "tiny_npu", input_size=(8, 10))
    assert costs.energy_uj == pytest.approx(found.recommended.measured.energy_uj)
    html = found._repr_html_()
    assert html.count("<tr>") > len(found.found.best())
    assert "data:image/png;base64," in html
    assert "residual_bits" in html


def test_what_a_search_measured_is_kept(network: nn.Module, tmp_path: Path) -> None:
    given = {"pictures": [picture()], "calibration": [picture()], "out": tmp_path, **SEARCHED}
    first = hw.search(network, "tiny_npu", **given)  # type: ignore[arg-type]
    kept = (tmp_path / "evaluations.jsonl").read_text()
    second = hw.search(network, "tiny_npu", **given)  # type: ignore[arg-type]

    assert (tmp_path / "evaluations.jsonl").read_text() == kept
    assert second.to_json() == first.to_json()


def test_a_comparison_has_a_row_for_each_combination() -> None:
    found = hw.compare(
        "mobile_sr_x2", ["tiny_npu", "edge_npu"], bits=["w8a8", "w4a4"], input_size=(8, 8)
    )

    def told(cell: Cell) -> tuple[str, str]:
        return cell.combination.policy, cell.accelerator

    assert [*map(told, found.rows)] == [
        (bits, machine) for bits in ("w8a8", "w4a4") for machine in ("tiny_npu", "edge_npu")
    ]
    assert all(cell.error is None for cell in found.rows)
    assert len(found.to_json()["rows"]) == 4
    assert found._repr_html_().count("<tr>") == 5
    first = hw.estimate("mobile_sr_x2", "tiny_npu", input_size=(8, 8))
    assert found.to_json()["rows"][0]["cycles"]["mean"] == first.cycles
