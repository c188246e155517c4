"""``hwsim compare`` from arguments to files."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from hwsim.cli import main
from hwsim.ledger import FILE_NAME
from quant.imaging import read_image, write_png
from tests.e2e.conftest import Command

ROWS = [
    (method, bits, machine)
    for method in ("minmax", "omse")
    for bits in ("w8a8",)
    for machine in ("edge_npu", "tiny_npu")
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two tiny pictures."""
    folder = tmp_path_factory.mktemp("tiny")
    rows, columns = np.mgrid[:20, :24]
    for name, frequency in (("a", 9), ("b", 5)):
        stripes = (rows * frequency + columns * 7) % 200
        write_png(
            folder / f"{name}.png", np.stack([stripes, rows * 9, columns * 8], 2).astype(np.uint8)
        )
    return folder


def test_two_methods_on_two_machines(hwsim: Command, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = (
        "compare", "edsr_tiny_x2", "--method", "minmax", "omse", "--accelerator", "edge_npu",
        "tiny_npu", "--data", data, "--calibration", data, "--input-size", "16x12",
        "--fake-quantized", "--check", "--out", out,
    )  # fmt: skip

    done = hwsim(*command, "--json")
    measured = (out / FILE_NAME).read_bytes()
    again = hwsim(*command, "--quiet")

    assert done.status == again.status == 0, done.err
    found = done.json
    assert json.loads((out / "compare.json").read_text()) == found
    assert [(r["method"], r["policy"], r["accelerator"]) for r in found["rows"]] == ROWS
    assert found["input_size"] == [16, 12]
    assert found["data_sets"] == [{"name": data.name, "pictures": 2}]
    for row in found["rows"]:
        psnr_db = row["quality"][0]["psnr_db"]
        assert psnr_db["integer"] == pytest.approx(psnr_db["fake_quantized"], abs=0.05)
        assert psnr_db["integer"] == pytest.approx(psnr_db["float"], abs=1)
        assert row["bit_exact"]["mismatches"] == 0
        assert row["bit_exact"]["values"] == 20 * 24 * 3
        assert row["fidelity"]["values"] > 20 * 24 * 3
        assert row["fidelity"]["differing"] < row["fidelity"]["values"] / 1000
        assert row["fidelity"]["farthest_from_tie"] < 1e-4
        assert row["feature_average_bits"] == {"mean": 8, "p5": 8, "p95": 8}
        assert row["weights"] == "shipped"
        (variant,) = row["variants"]
        assert len(variant["layers"]) == 16
        assert (
            sum(layer["bit_operations"] for layer in variant["layers"])
            == (row["bit_operations"]["mean"])
        )
        assert sum(part["energy_uj"] for part in row["classes"]) == pytest.approx(
            row["energy_uj"]["mean"]
        )
    minmax, omse = found["rows"][0], found["rows"][2]
    assert minmax["quality"] != omse["quality"]
    assert minmax["quality"] == found["rows"][1]["quality"]  # both machines round alike
    # The second time nothing is measured, and the files are the same.
    assert (out / FILE_NAME).read_bytes() == measured
    assert json.loads((out / "compare.json").read_text()) == found
    assert again.err == ""
    rows = list(csv.DictReader(io.StringIO((out / "compare.csv").read_text())))
    assert [float(row["energy_uj_mean"]) for row in rows] == [
        row["energy_uj"]["mean"] for row in found["rows"]
    ]
    assert (out / "compare.md").read_text().count("| omse | w8a8 | tiny_npu |") == 2
    assert read_image(out / "compare.png").shape[2] == 3
    assert len(re.findall(r"^(?:minmax|omse) +w8a8", again.out, re.MULTILINE)) == 8


def test_costs_alone_need_no_pictures_and_no_trained_weights(
    hwsim: Command, tmp_path: Path
) -> None:
    command = ("compare", "rdn_compact_x3", "--input-size", "8x8", "--out", tmp_path)
    done, text = hwsim(*command, "--json"), hwsim(*command).out

    (row,) = done.json["rows"]
    assert "PSNR" not in text
    assert not (tmp_path / "compare.png").exists()
    assert done.status == 0
    assert row["weights"] == "random"
    assert row["quality"] == []
    assert row["energy_uj"]["mean"] > 0


def test_costs_equal_those_of_an_estimate(hwsim: Command) -> None:
    given = ("edsr_tiny_x2", "--input-size", "9x14", "--bits", "w4a8", "--json")
    (row,) = hwsim("compare", *given).json["rows"]
    estimated = hwsim("estimate", *given).json

    for key in ("energy_uj", "cycles", "latency_ms", "macs", "feature_average_bits"):
        assert row[key] == dict.fromkeys(("mean", "p5", "p95"), estimated[key])
    for key in ("weight_average_bits", "sram_peak_kib", "output_size"):
        assert row[key] == estimated[key]
    dram_bytes = estimated["dram_read_bytes"] + estimated["dram_write_bytes"]
    assert row["dram_bytes"]["mean"] == dram_bytes


MISTAKES = {
    "compare edsr_tiny": "network 'edsr_tiny': expected a known network or a file (.hwgraph, ",
    "compare mobile_sr_x2 mobile_sr_x2": "network 'mobile_sr_x2': expected each network once; lea",
    "compare --method minmax minmax": "method 'minmax': expected each method once; leave out the s",
    "compare --method minmix": "method 'minmix' is not known; did you mean 'minmax'?",
    "compare --bits w8a8 w8a8": "policy 'w8a8': expected each policy once; leave out the second",
    "compare --bits w0a8": "expected 1 to 16 bits for weights, given 0",
    "compare --accelerator edge_gpu": "did you mean 'edge_tpu' or 'edge_npu' or 'edge_sr_npu'?",
    "compare --accelerator tiny_npu tiny_npu": "'tiny_npu': expected each accelerator once; leave",
    "compare --energy-table horowits": "did you mean 'horowitz45'?",
    "compare --rounding half_upp": "did you mean 'half_up'",
    "compare --data {empty}": "expected image files, found none; name a folder that has some",
    "compare --calibration {empty}": "expected pictures in this folder, found none",
    "compare --weights file.pt": "expected NETWORK=FILE, got 'file.pt'",
    "compare --weights mobile_sr_x2=file.pt": "--weights mobile_sr_x2=file.pt: expected one of the "
    "networks that are compared",
    "compare --weights edsr_tiny_x2={empty}/none.pt": "none.pt: no such weights file; check",
    "compare --input-size 24": "expected HEIGHTxWIDTH such as 256x256, got '24'",
    "compare --out /proc/out": "cannot write /proc/out: ",
}


@pytest.mark.parametrize(("command", "sentence"), MISTAKES.items(), ids=MISTAKES)
def test_mistakes_are_one_sentence_and_leave_nothing(
    hwsim: Command, tmp_path: Path, command: str, sentence: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    arguments = command.format(empty=empty).split()
    out = tmp_path / "out"
    if "--out" not in arguments:
        arguments += ["--out", str(out)]

    done = hwsim(*arguments, "--quiet")

    assert done.status == 2
    assert sentence in done.err
    assert done.err.startswith("hwsim compare: ")
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert not out.exists()


def test_listing_its_options_imports_nothing_heavy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--help"]) == 0
    assert "--fake-quantized" in capsys.readouterr().out
