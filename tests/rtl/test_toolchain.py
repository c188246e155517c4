"""Tools that are missing are named, what is built is built once."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hwsim.verify.rtl.build_cache import default_folder, kept
from hwsim.verify.rtl.design import Design, Setting, Stream
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.toolchain import find_tool, missing_packages, run_tool
from hwsim.verify.rtl.verilator import VerilatorSimulation
from quant.common.errors import UserError
from tests.rtl.designs import ADDER, adder
from tests.rtl.test_bench import job, operands
from tests.rtl.tools import ICARUS, VERILATOR, needs


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    find_tool.cache_clear()
    yield
    find_tool.cache_clear()


@pytest.mark.usefixtures("no_tools")
def test_a_missing_tool_is_named(tmp_path: Path) -> None:
    sentence = (
        r"^{0}: expected this program on the path, found none; .*\(Debian: apt install {0}\)$"
    )
    with pytest.raises(UserError, match=sentence.format("verilator")):
        VerilatorSimulation(adder(tmp_path), tmp_path)
    with pytest.raises(UserError, match=sentence.format("iverilog")):
        IcarusSimulation(adder(tmp_path))
    assert missing_packages("vvp", "g++", "iverilog") == ["g++", "iverilog"]


@needs(*VERILATOR, *ICARUS)
@pytest.mark.parametrize("program", ["verilator", "g++", "iverilog"])
def test_versions(program: str) -> None:
    assert find_tool(program).version[0].isdigit()


@needs("g++")
def test_a_tool_that_fails(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^trying: g\+\+ failed with '.*error: .*'; correct the"):
        run_tool("g++", ["none.cpp"], tmp_path, "trying")


@needs(*VERILATOR)
def test_a_design_is_built_once(tmp_path: Path) -> None:
    """However many want it at the same time; another one for other headers."""
    built = tmp_path / "built"
    text = ADDER.replace("module adder", '`include "depth.vh"\nmodule adder')
    (tmp_path / "depth.vh").write_text("// nothing yet\n")
    design = adder(tmp_path, text=text)
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(VerilatorSimulation, design, built) for _ in range(2)]
        outcomes = [run.result().run(job(*operands(3))) for run in runs]
    assert len({tuple(outcome.outputs["sum"].ravel()) for outcome in outcomes}) == 1
    libraries = sorted(built.glob("*.so"))
    assert len(libraries) == 1
    made = libraries[0].stat().st_ino
    VerilatorSimulation(design, built)
    assert libraries[0].stat().st_ino == made
    (tmp_path / "depth.vh").write_text("// something else\n")
    VerilatorSimulation(design, built)
    assert len(list(built.glob("*.so"))) == 2
    assert not list(built.glob(".building*"))


@needs(*VERILATOR)
def test_what_is_not_wanted_any_more_is_removed(tmp_path: Path) -> None:
    def build(_: Path, target: Path) -> None:
        target.write_text("")

    wanted, old = (kept(tmp_path, name, [], build) for name in ("wanted", "old"))
    for file in (wanted, old):
        os.utime(file, (0, 0))
    assert kept(tmp_path, "wanted", [], build) == wanted
    new = kept(tmp_path, "new", [], build)
    assert sorted(tmp_path.iterdir()) == sorted([wanted, new])


@needs(*VERILATOR)
def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    def fail(folder: Path, _: Path) -> None:
        (folder / "part").write_text("")
        raise UserError("no")

    with pytest.raises(UserError, match=r"^no$"):
        kept(tmp_path, "name", ["content"], fail)
    assert list(tmp_path.iterdir()) == []


@needs(*VERILATOR)
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"set XDG_CACHE_HOME to a folder you can write to$"):
        kept(tmp_path / "file" / "folder", "name", [], lambda *_: None)


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/hwsim/rtl")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_folder() == Path("/home/someone/.cache/hwsim/rtl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"top": "my module"}, "'my module': expected a Verilog identifier, found 'my module'"),
        ({"clock": "a"}, "port 'a' is given twice"),
        ({"settings": (Setting("y_valid", 1),)}, "port 'y_valid' is given twice"),
        ({"counts_from": "b"}, "an input stream to count cycles from, found 'b'; give one of a"),
        ({"parameters": {"1N": 1}}, "expected a Verilog identifier, found '1N'"),
    ],
)
def test_a_design_that_makes_no_sense(change: dict[str, object], message: str) -> None:
    right = Design("right", (), (Stream("a", 1),), (Stream("y", 1),))
    with pytest.raises(UserError, match=message):
        replace(right, **change)  # type: ignore[arg-type]
