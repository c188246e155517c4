"""Which programs beside Python are installed, and what they are for."""

import re
import shutil
import subprocess
from dataclasses import dataclass

from hwsim.verify.rtl.toolchain import PACKAGES

_SIMULATION = "simulates Verilog, to compare it with the integers computed here"
_CROSS_CHECK = "simulates the same Verilog once more, for comparison"
_SECONDS = 10.0
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class _Known:
    """A program that is asked for.

    Attributes:
        names: under which it may be installed.
        purpose: what it is for.
        package: of Debian.
        version_option: that makes it print its version.
    """

    names: tuple[str, ...]
    purpose: str
    package: str
    version_option: str = "--version"


_KNOWN = (
    _Known(("verilator",), _SIMULATION, PACKAGES["verilator"]),
    _Known(("g++",), "compiles what Verilator makes of Verilog", PACKAGES["g++"]),
    _Known(("iverilog",), _CROSS_CHECK, PACKAGES["iverilog"], "-V"),
    _Known(("vvp",), _CROSS_CHECK, PACKAGES["vvp"], "-V"),
    _Known(("yosys",), "synthesizes Verilog, for areas", PACKAGES["yosys"], "-V"),
    _Known(
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        "opens pages of results; only tests need it",
        "chromium",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that is asked for.

    Attributes:
        name: as it is called.
        path: where it is; None where it is not installed.
        version: as it says itself; None where it does not.
        purpose: what it is for.
        install: the command that installs it.
    """

    name: str
    path: str | None
    version: str | None
    purpose: str
    install: str


def programs() -> tuple[Program, ...]:
    """Every program that something here can use."""
    return tuple(map(_program, _KNOWN))


def _program(known: _Known) -> Program:
    path = next((path for path in map(shutil.which, known.names) if path), None)
    return Program(
        name=known.names[0],
        path=path,
        version=None if path is None else _version(path, known.version_option),
        purpose=known.purpose,
        install=f"apt install {known.package}",
    )


def _version(path: str, option: str) -> str | None:
    try:
        told = subprocess.run([path, option], capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = _VERSION.search(told.stdout + told.stderr)
    return version[0] if version else None
