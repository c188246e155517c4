"""``hwsim verify --rtl-top``: somebody's Verilog against the tiles of a network."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import hwsim.cli.rtl_check
from hwsim.cli import main
from quant.graph import save_graph
from tests.edsr_graphs import edsr_graph
from tests.rtl.designs import SMALL_ARRAY, SMALL_ARRAY_PORTS
from tests.rtl.tools import ICARUS, VERILATOR, needs

BROKEN = SMALL_ARRAY.replace("80'sd1 <<<", "80'sd0 <<<")
"""It rounds down."""


@dataclass(frozen=True)
class Given:
    """Files of somebody who has an array, and the command line on them."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def verify(self, *arguments: object) -> tuple[int, str, str]:
        """Status, stdout and stderr."""
        self.capsys.readouterr()
        graph, ports = self.folder / "net.hwgraph", self.folder / "ports.yaml"
        options = ["--rtl-ports", ports, "--rtl-tiles", 16, "--accelerator", "tiny_npu"]
        given = ["verify", graph, "--rtl-top", "small_array", *options, *arguments]
        status = main([str(argument) for argument in given])
        return status, *self.capsys.readouterr()


@pytest.fixture
def given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Given:
    save_graph(edsr_graph(1, 4, bits=(5, 8)), tmp_path / "net.hwgraph")
    (tmp_path / "ports.yaml").write_text(SMALL_ARRAY_PORTS)
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "small_array.v").write_text(SMALL_ARRAY)
    (tmp_path / "broken.v").write_text(BROKEN)
    return Given(tmp_path, capsys)


@pytest.mark.parametrize(
    "simulator",
    [
        pytest.param("verilator", marks=needs(*VERILATOR)),
        pytest.param("icarus", marks=needs(*ICARUS)),
    ],
)
def test_a_right_and_a_wrong_one(simulator: str, given: Given) -> None:
    options = ["--rtl-simulator", simulator, "--json"]
    status, out, _ = given.verify("--rtl", given.folder / "sources", *options)
    checks = json.loads(out)["checks"]
    assert status == 0
    assert {check["oracle"] for check in checks} == {"edsr_random on tiny_npu"}
    assert [check["mode"] for check in checks[:2]] == [
        "head, 5 × 8 bits",
        "block0.conv1, 5 × 8 bits",
    ]
    assert sum(check["cases"] for check in checks) == 16
    status, out, _ = given.verify("--rtl", given.folder / "broken.v", *options)
    assert status == 1
    wrong = [check for check in json.loads(out)["checks"] if check["mismatches"]]
    assert wrong
    assert re.match(r"tile \d+, head, row \d+, column \d+, .* expected", wrong[0]["first_mismatch"])
    assert wrong[0]["operands"][0].startswith("bias ")


@needs(*ICARUS)
def test_a_bench_run_by_hand(given: Given) -> None:
    """The folder, run as its README says, and read back."""
    golden, source = given.folder / "golden", given.folder / "broken.v"
    status, out, err = given.verify("--out", golden)
    assert (status, out) == (0, "")
    assert f"wrote a bench with 16 tiles to {golden}; see its README.md" in err
    readme = (golden / "README.md").read_text()
    lines = readme.splitlines()
    run = next(line for line in lines if line.startswith("iverilog"))
    told = subprocess.run(
        run.replace("SOURCES", str(source)), shell=True, cwd=golden, check=True, capture_output=True
    ).stdout.decode()
    assert told.startswith("small_array: ")
    count = int(told.split()[1])
    assert count > 0
    again = next(line for line in lines if line.startswith("hwsim verify"))
    assert again.endswith(f"--rtl-results {golden / 'results.txt'}")
    status, out, _ = given.verify("--rtl-results", golden / "results.txt", "--json")
    assert status == 1
    checks = json.loads(out)["checks"]
    assert sum(check["mismatches"] for check in checks) > 0
    status, _, err = given.verify("--rtl-results", golden / "results.txt", "--seed", 1)
    assert status == 2
    assert "line 1: expected 'vectors " in err


@pytest.mark.slow
@needs(*VERILATOR)
def test_a_bench_run_by_verilator(given: Given) -> None:
    golden, source = given.folder / "golden", given.folder / "sources" / "small_array.v"
    given.verify("--out", golden, "--rtl-tiles", 2)
    lines = (golden / "README.md").read_text().splitlines()
    run = next(line for line in lines if line.startswith("verilator"))
    told = subprocess.run(
        run.replace("SOURCES", str(source)), shell=True, cwd=golden, check=True, capture_output=True
    ).stdout.decode()
    assert "small_array: 0 outputs wrong, missing or superfluous" in told
    status, out, _ = given.verify("--rtl-results", golden / "results.txt", "--rtl-tiles", 2)
    assert status == 0
    assert "all equal" in out


@needs(*VERILATOR)
def test_cycles_of_the_accelerator(given: Given) -> None:
    """Which are not those of this array, but told beside them."""
    (given.folder / "ports.yaml").write_text(f"cycles: accelerator\n{SMALL_ARRAY_PORTS}")
    status, out, _ = given.verify("--rtl", given.folder / "sources", "--json")
    assert status == 1
    cycles = json.loads(out)["checks"][-1]
    assert (cycles["mode"], cycles["cases"], cycles["mismatches"]) == ("cycles", 16, 16)
    assert cycles["first_mismatch"].startswith("tile 0, head, row ")
    assert "last code: found in cycle 28, expected in " in cycles["first_mismatch"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], r"--rtl-top small_array: expected its sources \(--rtl FILE\), results of a run"),
        (["--rtl", "{0}/none.v"], "none.v: no such Verilog file; check the path"),
        (["--rtl", "{0}/empty"], r"--rtl .*/empty: expected Verilog files \(\.v, \.sv\) in it"),
        (["--rtl-results", "{0}/none.txt"], "none.txt: no such result file; check the path"),
        (["--out", "{0}/o", "--accelerator", "none"], "accelerator 'none': no such name"),
        (["--out", "{0}/o", "--rtl-tiles", "0"], "expected a number of tiles such as 50, got '0'"),
        (["--out", "{0}/o", "--rtl-ports", "{0}/none.yaml"], "no such port description file"),
        (["--rtl-simulator", "icarus", "--out", "{0}/o"], r"expected its sources \(--rtl FILE\)"),
    ],
)
def test_bad_input(arguments: list[str], message: str, given: Given) -> None:
    (given.folder / "empty").mkdir()
    status, out, err = given.verify(*(text.format(given.folder) for text in arguments))
    assert (status, out) == (2, "")
    assert re.search(message, err)


def test_options_without_a_module(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--rtl", "array.v"]) == 2
    assert (
        "--rtl: expected --rtl-top NAME beside it, the module to check" in capsys.readouterr().err
    )
    assert main(["verify", "--out", "folder"]) == 2
    assert "--out: expected --rtl-top NAME beside it" in capsys.readouterr().err


def test_without_simulators(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hwsim.cli.rtl_check, "missing_packages", lambda *_: ["something"])
    status, _, err = given.verify("--rtl", given.folder / "sources")
    assert status == 2
    assert "--rtl: expected Verilator or Icarus Verilog to be installed, found neither" in err
    status, out, err = given.verify("--rtl", given.folder / "sources", "--out", given.folder / "o")
    assert (status, out) == (0, "")
    assert (given.folder / "o" / "bench.v").exists()


def test_what_does_not_pass_is_told(given: Given) -> None:
    ports = SMALL_ARRAY_PORTS.replace("channels: 3}", "channels: 3, reduction: 30}")
    (given.folder / "ports.yaml").write_text(ports)
    status, _, err = given.verify("--out", given.folder / "o")
    assert status == 0
    assert "left out: block0.conv1: sums of 36 products, more than 30" in err
    (given.folder / "ports.yaml").write_text(ports.replace("reduction: 30", "reduction: 3"))
    status, _, err = given.verify("--out", given.folder / "p")
    assert status == 2
    assert "--rtl-top small_array: no tile passes its ports (head: sums of 27 products" in err
    assert not (given.folder / "p").exists()
