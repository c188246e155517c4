"""``hwsim codesign``, from arguments to files."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelerators import load_accelerator
from hwsim.ledger import FILE_NAME
from hwsim.search.codesign import CodesignResult
from quant.imaging import write_png
from tests.e2e.conftest import Command
from tests.html_pages import parsed


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_png(folder / "a.png", np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8))
    return folder


@pytest.fixture(scope="module")
def asked(pictures: Path) -> tuple[object, ...]:
    """A small co-search."""
    return (
        "codesign", "edsr_tiny_x2", "--pictures", pictures, "--calibration", pictures,
        "--input-size", "16x16", "--widths", "4,8", "--tie", "body", "--front-points", "2",
        "--min-psnr", "20", "--workers", "1",
    )  # fmt: skip


def test_machine_and_bits_are_found_written_and_can_be_used(
    hwsim: Command, asked: tuple[object, ...], pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = (*asked, "--vary", "array.rows=16,256", "--vary", "sram.size_kib=48,512",
               "--out", out)  # fmt: skip

    done = hwsim(*command, "--json")

    assert done.status == 0, done.err
    found = done.json
    assert found == json.loads((out / "codesign.json").read_text())
    labels = [f"edge_npu[array.rows=16, sram.size_kib={kib}], minmax" for kib in (48, 512)]
    assert [variant["variant"] for variant in found["variants"]] == labels
    assert [each["label"] for each in found["rejected"]] == [
        f"edge_npu[array.rows=256, sram.size_kib={kib}]" for kib in (48, 512)
    ]
    assert found["rejected"][0]["reason"].startswith("sram: expected banks x word_bits of at least")
    energies = [variant["recommended"]["energy_uj"] for variant in found["variants"]]
    assert found["recommended"]["energy_uj"] == min(energies)
    assert (out / "codesign.png").read_bytes().startswith(b"\x89PNG")
    page = parsed((out / "codesign.html").read_text(encoding="utf-8"))
    assert (
        page.one("tr", class_="marked").one("th").text.startswith(found["recommended"]["variant"])
    )
    used_again(hwsim, found, out, pictures)
    lines = [json.loads(line) for line in (out / FILE_NAME).read_text().splitlines()]
    errors = Counter(json.dumps(line["policy"]) for line in lines if line["kind"] == "error")
    assert set(errors.values()) == {1}
    resumed = hwsim(*command, "--quiet")
    assert resumed.status == 0
    assert found["recommended"]["policy"].strip() in resumed.out
    assert len((out / FILE_NAME).read_text().splitlines()) == len(lines)


def test_the_smallest_machine_is_found_and_larger_ones_are_left_out(
    hwsim: Command, asked: tuple[object, ...]
) -> None:
    done = hwsim(*asked, "--vary", "array.rows=8,16,32", "--minimize", "area", "--max-area",
                 "3.5mm2", "--json")  # fmt: skip

    assert done.status == 0, done.err
    found = done.json
    smallest, larger = found["variants"]
    assert found["recommended"]["variant"] == smallest["variant"]
    assert smallest["variant"] == "edge_npu[array.rows=8], minmax"
    assert 2 < smallest["area_mm2"] < larger["area_mm2"] < 3.5
    assert larger["reason"].startswith("not searched: edge_npu[array.rows=8], minmax has less area")
    (rejected,) = found["rejected"]
    assert rejected["label"] == "edge_npu[array.rows=32], minmax"
    assert "it has 3.788 mm2, at most 3.5 were asked for" in rejected["reason"]
    assert (found["minimize"], found["minimize_bits"]) == ("area", "energy")


def test_methods_that_normalize_at_run_time_need_more_area(hwsim: Command, pictures: Path) -> None:
    done = hwsim("codesign", "mobile_sr_x2", "--method", "minmax", "dfsq", "--pictures", pictures,
                 "--calibration", pictures, "--input-size", "4x4", "--front-points", "2",
                 "--widths", "8", "--workers", "1", "--json")  # fmt: skip

    assert done.status == 0, done.err
    plain, normalized = (each["area_by_component_mm2"] for each in done.json["variants"])
    assert set(normalized) - set(plain) == {"statistics", "channel_scale"}
    assert plain.items() < normalized.items()


def used_again(hwsim: Command, found: Any, out: Path, pictures: Path) -> None:
    """A variant's folder has the files of its search, and a machine and a policy to run."""
    best = found["recommended"]
    (variant,) = (each for each in found["variants"] if each["variant"] == best["variant"])
    folder = out / variant["folder"]
    assert {file.name for file in folder.iterdir()} == {
        "accelerator.yaml", "cost_table.json", "cost_table.npy", "front.png", "optimum.yaml",
        "policies.json", "recommended.yaml", "search.html", "search.json",
    }  # fmt: skip
    alone = json.loads((folder / "search.json").read_text())
    assert len(alone["points"]) >= len(variant["points"]) > 1
    assert load_accelerator(folder / "accelerator.yaml").name == variant["accelerator"]
    estimated = hwsim("estimate", "edsr_tiny_x2", "--input-size", "16x16", "--calibration",
                      pictures, "--accelerator", folder / "accelerator.yaml", "--bits",
                      folder / "recommended.yaml", "--json").json  # fmt: skip
    assert estimated["cycles"] == best["cycles"]
    assert estimated["latency_ms"] == pytest.approx(best["latency_ms"])
    assert estimated["energy_uj"] == pytest.approx(best["energy_uj"])


def test_integers_that_differ_on_a_machine_end_with_1(
    hwsim: Command, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CodesignResult, "mismatches", 3)

    done = hwsim("codesign", "mobile_sr_x2", "--pictures", pictures, "--calibration", pictures,
                 "--input-size", "4x4", "--front-points", "2", "--widths", "8", "--workers",
                 "1", "--json")  # fmt: skip

    assert done.status == 1
    assert done.err.splitlines()[-1] == "not bit-exact: see the points' 'on_machine'"
    assert done.json["recommended"]["on_machine"]["values"] > 0
    assert done.json["recommended"]["on_machine"]["mismatches"] == 0
    assert done.json["variants"][0]["folder"] is None


ROWS_AND_COLUMNS = ("--vary", "array.rows=" + ",".join(map(str, range(1, 16))),
                    "--vary", "array.columns=" + ",".join(map(str, range(1, 15))))  # fmt: skip


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--vary", "array.row=16"),
            "--vary array.row: expected the path of a key of an accelerator; did you mean "
            "'array.rows'",
        ),
        (("--vary", "array.rows=0,16"), "--vary array.rows: expected at least 1, got 0"),
        (
            ("--vary", "array.rows"),
            "argument --vary: expected PATH=VALUE,VALUE,… such as array.rows=16,32, got "
            "'array.rows'",
        ),
        (("--vary", "array.rows=16,"), "expected PATH=VALUE,VALUE,…"),
        (("--vary", "array.rows=16,16"), "expected each value of array.rows once"),
        (
            ("--vary", "array.rows=8", "--vary", "array.rows=16"),
            "--vary array.rows: expected each key once",
        ),
        (
            ("--vary", "scheduling.fusion=true,false", "--no-fusion"),
            "--vary scheduling.fusion: expected no --no-fusion beside it",
        ),
        (ROWS_AND_COLUMNS, "expected at most 200 variants, given 210 (machines: 210, methods: 1)"),
        (
            ("--vary", "array.rows=256"),
            "expected a machine that can be, found none among 1; edge_npu[array.rows=256]: sram: ",
        ),
        (
            ("--vary", "launch_overhead_us=2000", "--max-latency", "1ms"),
            "expected at least its launch overhead of 2 ms, given 1 ms",
        ),
        (
            ("--vary", "sram.size_kib=7,8", "--energy-table", "none"),
            "hwsim codesign: energy table 'none': no such name",
        ),
        (("--accelerator", "edge_npu", "edge_npu"), "expected each accelerator once"),
        (("--accelerator", "edge_npu", "nothing"), "accelerator 'nothing': no such name"),
        (("--method", "minmax", "minmax"), "expected each method once"),
        (("--method", "nothing"), "'nothing'"),
        (("--min-psnr", "20", "--against", "latency"), "leave --against out"),
        (("--widths", "8", "--max-latency", "1cycles"), "found none; nearest comes edge_npu, "),
        (
            ("--max-area", "0.5mm2"),
            "expected a machine of the area that is asked for, found none among 1; edge_npu, "
            "minmax: it has 3.788 mm2, at most 0.5 were asked for; make its array or its SRAM",
        ),
        (("--minimize", "area"), "minimize area: expected a least fidelity too, given none"),
        (("--max-area", "3mm"), "expected an area above zero such as 3mm2 (in mm2, um2)"),
    ],
)
def test_co_searches_nobody_can_do_are_bad_input(
    hwsim: Command, pictures: Path, options: tuple[str, ...], sentence: str
) -> None:
    done = hwsim("codesign", "edsr_tiny_x2", "--pictures", pictures, "--calibration", pictures,
                 "--input-size", "4x4", "--front-points", "2", "--workers", "1", *options,
                 "--quiet")  # fmt: skip

    assert done.status == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""
