"""The other commands, from arguments to files."""

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from accelerators import accelerator_names, load_accelerator
from hwsim.cli.commands import verify as verify_command
from hwsim.verify import Check, verify
from quant.imaging import write_png
from quant.networks.weights import read_provenance
from quant.policy import BitPolicy
from tests.e2e.conftest import Command
from tests.html_pages import parsed


def test_list_names_everything_that_can_be_asked_for(hwsim: Command) -> None:
    everything = hwsim("list", "--json").json
    accelerators = hwsim("list", "accelerators")

    named = [line.split()[0] for line in accelerators.out.splitlines()]
    assert everything["accelerators"] == named == list(accelerator_names())
    assert "\ntiny_npu           1.15 mm² at 45 nm  16 x 16 output-stat" in accelerators.out
    assert "edsr_tiny_x2" in everything["networks"]
    assert "minmax" in everything["methods"]
    assert {"energy_tables", "policies"} < set(everything)
    assert "networks: edsr_tiny_x2" in hwsim("list").out


def test_verify_prints_its_checks_and_finds_nothing(
    hwsim: Command, graph_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = functools.partial(verify, values=500, graphs=1)
    monkeypatch.setattr(verify_command, "verify", quick)

    done = hwsim("verify", graph_file, "--json", "--seed", "3")

    checks = done.json["checks"]
    assert done.status == 0
    assert {"edsr_random", "convolution", "add"} < {check["subject"] for check in checks}
    keys = {"subject", "oracle", "mode", "cases", "values", "mismatches"}
    for check in checks:
        assert keys < set(check)
        assert check["mismatches"] == 0
    assert all(check["values"] >= 500 for check in checks if check["subject"] == "convolution")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_verify_ends_with_1_when_anything_differs(
    hwsim: Command, graph_file: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    checks = [
        Check("add", "reference", "any", 1, 10, 0, None),
        Check("convolution", "reference", "any", 1, 10, 1, "row 0"),
    ]
    monkeypatch.setattr(verify_command, "verify", lambda *args, **options: checks)

    done = hwsim("verify", graph_file, *options)

    assert done.status == 1
    assert "row 0" in done.out


def test_search_recommends_a_policy_within_the_limits_and_resumes(
    hwsim: Command, tmp_path: Path
) -> None:
    write_png(
        tmp_path / "in" / "a.png", np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    )
    command = ("search", "--pictures", tmp_path / "in", "--calibration", tmp_path / "in",
               "--random-weights", "1", "--input-size", "8x8", "--widths", "4",
               "--front-points", "2", "--max-energy", "60uJ",
               "--out", tmp_path / "out")  # fmt: skip

    first = hwsim(*command, "--json")
    measured = (tmp_path / "out" / "evaluations.jsonl").read_bytes()
    page = (tmp_path / "out" / "search.html").read_text(encoding="utf-8")
    again = hwsim(*command)

    assert first.status == again.status == 0
    assert json.loads((tmp_path / "out" / "search.json").read_text()) == first.json
    assert (tmp_path / "out" / "evaluations.jsonl").read_bytes() == measured
    assert (tmp_path / "out" / "front.png").stat().st_size > 0
    same_page = (tmp_path / "out" / "search.html").read_text(encoding="utf-8")
    assert page != same_page
    assert page.replace(" --json", "") == same_page  # of what was asked, nothing else differs
    policy = BitPolicy.load(tmp_path / "out" / "recommended.yaml")
    point = next(point for point in first.json["points"] if point["policy"] == policy.to_yaml())
    assert point["measured"]["energy_uj"] <= 60
    assert policy.to_yaml().strip() in again.out
    assert "proven" in again.out


def test_search_keeps_to_plain_limits_and_rules_and_exports_tables(
    hwsim: Command, tmp_path: Path
) -> None:
    write_png(
        tmp_path / "in" / "a.png", np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    )

    done = hwsim("search", "--pictures", tmp_path / "in", "--calibration", tmp_path / "in",
                 "--random-weights", "1", "--input-size", "8x8", "--widths", "4,8",
                 "--front-points", "2", "--minimize", "latency", "--min-psnr", "20dB",
                 "--max-latency", "50ms", "--min-fps", "30", "--max-dram", "10MB",
                 "--max-sram", "512KiB", "--first-and-last", "w8a8", "--allow", "body=w4a4,w8a8",
                 "--tie", "body", "--refine", "3", "--workers", "1", "--out", tmp_path / "out",
                 "--json")  # fmt: skip

    assert done.status == 0, done.err
    found = done.json
    assert 0 < sum(point["origin"] == "refined" for point in found["points"]) <= 3
    assert (found["minimize"], found["against"]) == ("latency", "latency")
    assert found["limits"]["max_dram_bytes"] == 10_000_000
    assert found["limits"]["max_sram_bytes"] == 512 * 1024
    machine = load_accelerator("edge_npu")
    assert found["limits"]["max_cycles"] == int(machine.clock_mhz * 1e6 / 30)
    optimum = found["optimum"]
    assert 0 < optimum["lower_bound_cycles"] <= optimum["predicted_cycles"]
    beyond = optimum["predicted_cycles"] - optimum["lower_bound_cycles"]
    assert optimum["gap"] == pytest.approx(beyond / optimum["predicted_cycles"])
    policy = BitPolicy.load(tmp_path / "out" / "recommended.yaml")
    bits = policy.resolve(found["layers"])
    (tied,) = found["tied"]
    assert len({bits[layer] for layer in tied}) == 1
    assert {str(bits[found["layers"][end]]) for end in (0, -1)} == {"w8a8"}
    certified = BitPolicy.load(tmp_path / "out" / "optimum.yaml").resolve(found["layers"])
    assert {layer: str(chosen) for layer, chosen in certified.items()} == optimum["bits"]
    axes = json.loads((tmp_path / "out" / "cost_table.json").read_text())
    table = np.load(tmp_path / "out" / "cost_table.npy", allow_pickle=False)
    assert table.shape == (len(axes["layers"]), 2, 2) == (len(found["layers"]), 2, 2)
    places = [
        (layer, axes["weight_bits"].index(chosen.weight_bits),
         axes["activation_bits"].index(chosen.activation_bits))
        for layer, chosen in enumerate(certified.values())
    ]  # fmt: skip
    # The table is that of the base's division; the policy may be scheduled in another.
    total = axes["base"]["cycles"] + sum(table[place] for place in places)
    assert total >= optimum["lower_bound_cycles"]
    rows = json.loads((tmp_path / "out" / "policies.json").read_text())[0]["bits"]
    assert rows == [[layer, b.weight_bits, b.activation_bits] for layer, b in bits.items()]
    told = provenance_of(tmp_path / "out" / "search.html")
    assert told["command"].startswith(f"hwsim search --pictures {tmp_path}/in --calibration ")
    assert told["network"] == "edsr_tiny_x2, random weights of seed 1"
    assert told["fidelity judged on"] == f"{tmp_path}/in: 8×8"
    assert told["accelerator"].startswith("edge_npu, 800 MHz: 32 x 32 output-stationary")
    assert told["energy table"].startswith("horowitz45, version 1: ")
    assert told["limits"].endswith("at least 20 dB")
    assert (told["allowed"], told["first and last layer"], told["alike"]) == (
        "body: w4a4, w8a8",
        "w8a8",
        "body",
    )
    hashes = [value for value in told.values() if re.fullmatch("[0-9a-f]{64}", value)]
    assert len(set(hashes)) == 3


def provenance_of(page: Path) -> dict[str, str]:
    section = parsed(page.read_text(encoding="utf-8")).one("section", id="provenance")
    names, values = (section.all(tag) for tag in ("dt", "dd"))
    return {name.text: value.text for name, value in zip(names, values, strict=True)}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--max-latency", "33"), "expected a time above zero such as 33ms"),
        (("--minimize", "energy"), "minimize energy: expected a least fidelity too, given none"),
        (("--tie", "nothing"), "layer 'nothing': expected the name or a pattern"),
    ],
)
def test_searches_nobody_can_do_are_bad_input(
    hwsim: Command, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    write_png(tmp_path / "in" / "a.png", np.zeros((4, 4, 3), np.uint8))

    done = hwsim("search", "--pictures", tmp_path / "in", "--calibration", tmp_path / "in",
                 "--random-weights", "1", "--input-size", "4x4", *options, "--quiet")  # fmt: skip

    assert done.status == 2
    assert sentence in done.err


def test_a_limit_nothing_keeps_to_is_bad_input(hwsim: Command, tmp_path: Path) -> None:
    write_png(tmp_path / "in" / "a.png", np.zeros((4, 4, 3), np.uint8))

    done = hwsim("search", "--pictures", tmp_path / "in", "--calibration", tmp_path / "in",
                 "--random-weights", "1", "--input-size", "4x4", "--widths", "8",
                 "--front-points", "2", "--max-latency", "1cycles", "--workers", "1",
                 "--quiet")  # fmt: skip

    assert done.status == 2
    assert "no measured policy has at most 1 cycles: the cheapest takes" in done.err
    assert done.err.count("\n") == 1


def test_evaluate_judges_graphs_beside_bicubic(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    folder = picture_file.parent

    done = hwsim(
        "evaluate", graph_file, "--data", folder, "--patch", "6", "--out", tmp_path, "--json"
    )

    assert done.status == 0, done.err
    found = done.json
    assert found == json.loads((tmp_path / "evaluation.json").read_text())
    (data_set,) = found["data_sets"]
    (picture,) = data_set["pictures"]
    assert (found["scale"], found["patch"], found["method"], found["policy"]) == (2, 6, None, None)
    assert (data_set["name"], picture["name"], picture["size"]) == (folder.name, "small", [24, 20])
    for figures in ("psnr_db", "ssim"):
        assert list(data_set[figures]) == ["bicubic", "quantized"]
        assert data_set[figures] == picture[figures]
    assert f"evaluating on {folder.name} …" in done.err


def test_evaluate_judges_networks_float_and_quantized(
    hwsim: Command, picture_file: Path, calibration_folder: Path
) -> None:
    given = ("evaluate", "edsr_tiny_x2", "--data", picture_file.parent)

    floating = hwsim(*given, "--json").json
    table = hwsim(*given, "--calibration", calibration_folder, "--quiet")

    figures = floating["data_sets"][0]["psnr_db"]
    assert list(figures) == ["bicubic", "float"]
    rows = dict(re.findall(r"(bicubic|float|quantized) +(\d+\.\d\d) ", table.out))
    assert list(rows) == ["bicubic", "float", "quantized"]
    assert rows["float"] == f"{figures['float']:.2f}"
    assert float(rows["quantized"]) == pytest.approx(figures["float"], abs=1)


def test_evaluate_tells_of_wrong_folders_before_anything_slow(
    hwsim: Command, tmp_path: Path
) -> None:
    done = hwsim("evaluate", "edsr_baseline_x2", "--data", tmp_path, "--out", tmp_path / "out")

    assert (done.status, done.out) == (2, "")
    assert done.err == (
        f"hwsim evaluate: {tmp_path}: expected image files, found none; name a folder that has "
        "some\n"
    )
    assert not (tmp_path / "out").exists()


def test_train_writes_weights_that_run_takes(
    hwsim: Command, picture_file: Path, calibration_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "training"

    trained = hwsim("train", "edsr_tiny_x2", "--images", calibration_folder, "--out", out,
                    "--iterations", 2, "--batch", 1, "--patch", 4, "--device", "cpu")  # fmt: skip
    weights = out / "edsr_tiny_x2.safetensors"
    run = hwsim("run", "--weights", weights, "--image", picture_file,
                "--calibration", calibration_folder, "--json")  # fmt: skip

    assert trained.out.strip() == f"{weights}: 2 iterations"
    assert read_provenance(weights)
    assert run.json["bit_exact"]["mismatches"] == 0
