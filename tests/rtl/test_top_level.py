"""The Verilog that is written for an accelerator."""

import subprocess
from pathlib import Path

import pytest

from accelerators import Accelerator, accelerator_names, load_accelerator
from accelerators.rtl.header import ports_of
from accelerators.rtl.library import FOLDER
from accelerators.rtl.top_level import rtl_files, top_name, units_of
from hwsim.cli import main
from hwsim.verify.rtl.array_design import array_design
from tests.rtl.array_cases import ARRAYS
from tests.rtl.tools import ICARUS, VERILATOR, needs

# Signed operands are widened by the language's own rule; what leaves the last elements is unused.
LINT = ("-Wall", "-Wno-DECLFILENAME", "-Wno-WIDTH", "-Wno-UNUSEDSIGNAL")


def machine(kind: str) -> Accelerator:
    """A small machine with an array of a kind."""
    data = load_accelerator("tiny_npu").model_dump()
    changed = {"name": f"Tiny {kind}!", "array": ARRAYS[kind].model_dump()}
    return Accelerator.model_validate({**data, **changed, "vector_unit": {"lanes": 2}})


def written(accelerator: Accelerator, folder: Path) -> str:
    for name, text in rtl_files(accelerator).items():
        (folder / name).write_text(text)
    return top_name(accelerator)


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", accelerator_names())
def test_every_shipped_machine_has_verilog(name: str) -> None:
    accelerator = load_accelerator(name)
    files = rtl_files(accelerator)
    assert files["files.f"].split() == [name for name in files if name.endswith(".v")]
    assert f"module {top_name(accelerator)} (" in files[f"{top_name(accelerator)}.v"]


@needs(*VERILATOR)
@pytest.mark.parametrize("kind", ARRAYS)
def test_verilator_takes_it_without_a_warning(kind: str, tmp_path: Path) -> None:
    top = written(machine(kind), tmp_path)
    told = run(tmp_path, "verilator", "--lint-only", *LINT, "-f", "files.f", "--top-module", top)
    assert told == ""
    # With the warnings of widths, none may be about the top module's connections.
    command = (
        "verilator",
        "--lint-only",
        "-Wall",
        "-Wno-fatal",
        "-f",
        "files.f",
        "--top-module",
        top,
    )
    assert f"WIDTH: {top}.v" not in run(tmp_path, *command)


@needs(*ICARUS)
@pytest.mark.parametrize("kind", ARRAYS)
def test_icarus_takes_it_without_a_warning(kind: str, tmp_path: Path) -> None:
    top = written(machine(kind), tmp_path)
    command = ("iverilog", "-g2005", "-Wall", "-Wno-timescale", "-c", "files.f", "-s", top)
    assert run(tmp_path, *command, "-o", "out.vvp") == ""


@needs("yosys")
def test_yosys_takes_it(tmp_path: Path) -> None:
    top = written(machine("output_stationary"), tmp_path)
    files = " ".join((tmp_path / "files.f").read_text().split())
    script = f"read_verilog {files}; hierarchy -check -top {top}; proc; opt; check -assert"
    assert "Warning" not in run(tmp_path, "yosys", "-q", "-p", script)


@pytest.mark.parametrize("kind", ARRAYS)
def test_ports_are_those_that_are_co_simulated(kind: str) -> None:
    design = array_design(ARRAYS[kind])
    ports = {port.name: port for port in ports_of(FOLDER / f"{design.top}.v", design.parameters)}
    assert set(ports) == set(design.ports)
    for setting in design.settings:
        assert ports[setting.name].bits == setting.bits
    for stream in (*design.inputs, *design.outputs):
        assert ports[stream.name].bits == stream.bits * stream.lanes
        assert ports[f"{stream.name}_valid"].bits == stream.lanes


def test_names_that_are_no_identifiers() -> None:
    assert top_name(machine("bit_serial")) == "Tiny_bit_serial_top"
    numbered = machine("bit_serial").model_copy(update={"name": "45 nm"})
    assert top_name(numbered) == "accelerator_45_nm_top"
    assert [unit.name for unit in units_of(numbered)] == [
        "array", "vector", "statistics", "normalizer",
    ]  # fmt: skip


def test_the_command_writes_all_files_or_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["export", "--to", "rtl", "--accelerator", "tiny_npu", "--out", str(tmp_path / "out")])
        == 0
    )
    told = [Path(line).name for line in capsys.readouterr().out.split()]
    assert sorted(told) == sorted(path.name for path in (tmp_path / "out").iterdir())
    again = load_accelerator(tmp_path / "out" / "accelerator.yaml")
    assert again == load_accelerator("tiny_npu")
    capsys.readouterr()
    assert main(["export", "--accelerator", "tiny_npu", "--rtl", str(tmp_path / "again")]) == 0
    assert len(list((tmp_path / "again").iterdir())) == len(list((tmp_path / "out").iterdir()))
    capsys.readouterr()
    assert main(["export", "--to", "rtl"]) == 2
    assert capsys.readouterr().err == (
        "hwsim export: expected --to FORMAT and --out PATH, or --rtl DIR alone, given --to; hwsim "
        "list formats has the formats\n"
    )
    refused = ["export", "--to", "rtl", "--out", str(tmp_path / "none"), "--channel-blocks", "0"]
    assert main(refused) == 2
    assert capsys.readouterr().err == (
        "hwsim export: --channel-blocks: expected 1 to 65536, got 0; take the most output "
        "channels of a layer, divided by the array's columns\n"
    )
    assert not (tmp_path / "none").exists()
