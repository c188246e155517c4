"""The Verilog tools of this machine: where they are, which versions, what to install."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from quant.common.errors import UserError

PACKAGES = {
    "verilator": "verilator",
    "g++": "g++",
    "iverilog": "iverilog",
    "vvp": "iverilog",
    "yosys": "yosys",
}
"""The Debian package of each program."""

_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Tool:
    """An installed program.

    Attributes:
        name: as it is called.
        path: where it lies.
        version: as it says itself, such as ``5.006``.
    """

    name: str
    path: Path
    version: str


def missing_packages(*programs: str) -> list[str]:
    """Debian packages to install before all of some programs are there."""
    missing = [program for program in programs if shutil.which(program) is None]
    return sorted({PACKAGES[program] for program in missing})


@cache
def find_tool(program: str) -> Tool:
    """An installed program.

    Raises:
        UserError: it is not installed; says which Debian package has it.
    """
    path = shutil.which(program)
    if path is None:
        raise UserError(
            f"{program}: expected this program on the path, found none; install it "
            f"(Debian: apt install {PACKAGES[program]})"
        )
    option = "-V" if PACKAGES[program] in ("iverilog", "yosys") else "--version"
    told = subprocess.run([path, option], capture_output=True, text=True, check=False)
    version = _VERSION.search(told.stdout + told.stderr)
    return Tool(program, Path(path), version[0] if version else "unknown")


def run_tool(program: str, arguments: Sequence[str | Path], folder: Path, task: str) -> str:
    """What a program prints to stdout.

    Args:
        program: its name.
        arguments: behind it.
        folder: where it runs.
        task: what it does for the user, for the message: ``building …``.

    Raises:
        UserError: it is not installed or fails; quotes its first line about an error.
    """
    command = [find_tool(program).path, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(
            f"{task}: {program} failed with '{_first_error(done.stderr or done.stdout)}'; "
            "correct the Verilog sources"
        )
    return done.stdout


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    about_errors = [line for line in lines if "error" in line.lower()]
    return (about_errors or lines or ["no message"])[0]
