"""Verilog to a netlist of a library's cells, by yosys."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from accelerators.synthesis.liberty import Library
from quant.common.errors import UserError

PROGRAM = "yosys"

_SCRIPT = """\
read_verilog {sources}
hierarchy -check -top {top}
proc
flatten
opt_expr
opt_clean
opt -nodffe -nosdff
wreduce
peepopt
opt_clean
alumacc t:$mul
synth -noshare -run coarse:
dfflibmap -liberty {library}
abc -liberty {library}
opt_clean -purge
write_json {json}
write_verilog -noattr -noexpr {verilog}
"""
"""Steps of `synth`, but for products, which are made carry-save sums of their own first: left to
itself, yosys joins a product with the sum it is added to and makes it as wide as that sum.
No timing constraint: areas are those of the smallest netlist that abc finds."""


@dataclass(frozen=True, slots=True)
class Design:
    """What is to be synthesized.

    Attributes:
        top: name of the module.
        sources: Verilog files that hold it and all it needs.
        text: more Verilog, such as a module that gives parameters their values.
    """

    top: str
    sources: tuple[Path, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where a netlist of cells was written, as yosys's JSON and as Verilog."""

    json: Path
    verilog: Path


def yosys_version() -> str:
    """The version of the installed yosys, such as ``Yosys 0.23 (git sha1 ...)``.

    Raises:
        UserError: there is none.
    """
    return _version(_program())


def synthesize(design: Design, library: Library, folder: Path) -> Mapped:
    """Map a design to cells, flattened.

    Args:
        design: what to map.
        library: the cells.
        folder: where all files go; it exists.

    Raises:
        UserError: yosys is not installed, or refuses the design.
    """
    program = _program()
    sources = [*design.sources]
    if design.text:
        sources.append(folder / f"{design.top}.v")
        sources[-1].write_text(design.text)
    mapped = Mapped(folder / "netlist.json", folder / "netlist.v")
    script = _SCRIPT.format(
        sources=" ".join(_quoted(path) for path in sources),
        top=design.top,
        library=_quoted(library.path),
        json=_quoted(mapped.json),
        verilog=_quoted(mapped.verilog),
    )
    (folder / "synthesis.ys").write_text(script)
    answer = subprocess.run(
        [program, "-q", "-s", str(folder / "synthesis.ys")],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise UserError(
            f"yosys refuses the module '{design.top}': {_reason(answer.stdout + answer.stderr)}; "
            "correct the Verilog or name another cell library"
        )
    return mapped


def _program() -> str:
    found = shutil.which(PROGRAM)
    if found is None:
        raise UserError(
            "synthesis needs yosys, which is not on the path; install it "
            "(Debian: apt install yosys)"
        )
    return found


@cache
def _version(program: str) -> str:
    answer = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _quoted(path: Path) -> str:
    return f'"{path.resolve()}"'


def _reason(output: str) -> str:
    """What yosys gives as its reason, in its own words."""
    errors = re.findall(r"ERROR: (.*)", output)
    return errors[-1].rstrip(".!") if errors else "it stopped without a reason"
