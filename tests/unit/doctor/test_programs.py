"""Which programs are there; small scripts stand for them."""

from pathlib import Path

import pytest

from hwsim.doctor import programs as module
from hwsim.doctor.programs import Program, programs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only one on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def named(name: str) -> Program:
    return next(program for program in programs() if program.name == name)


def test_one_that_is_there_says_its_version(folder: Path) -> None:
    install(folder, "verilator", 'test "$1" = --version && echo "Verilator 5.006 2023-01-22"')

    assert (named("verilator").path, named("verilator").version) == (
        str(folder / "verilator"), "5.006",
    )  # fmt: skip


def test_one_that_is_missing_has_a_command_that_installs_it(folder: Path) -> None:
    assert named("vvp").path is None
    assert named("vvp").install == "apt install iverilog"
    assert all(program.version is None for program in programs())


def test_one_may_be_there_under_another_name(folder: Path) -> None:
    install(folder, "google-chrome", "echo Chrome 120.0.1")

    assert (named("chromium").path, named("chromium").version) == (
        str(folder / "google-chrome"), "120.0.1",
    )  # fmt: skip


def test_one_that_hangs_or_says_nothing_has_no_version(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.1)
    install(folder, "yosys", "exec /bin/sleep 5")
    install(folder, "iverilog", "exit 1")

    assert (named("yosys").version, named("iverilog").version) == (None, None)
    assert named("yosys").path is not None
