"""The Debian cell library, and units on its gates."""

import shutil
from functools import cache
from pathlib import Path

import pytest

from accelerators.synthesis.liberty import Library
from accelerators.synthesis.netlist import Netlist, read_netlist
from accelerators.synthesis.yosys import Design, Mapped, synthesize
from hwsim.cli.options import OSU018

CELLS = OSU018.with_suffix(".v")
"""Verilog of the cells, with delays, beside the Liberty file."""

needs_synthesis = pytest.mark.skipif(
    shutil.which("yosys") is None or not OSU018.exists(),
    reason="needs yosys and osu018 (Debian: apt install yosys qflow-tech-osu018)",
)


@cache
def osu018() -> Library:
    return Library(OSU018)


def mapped(design: Design, folder: Path) -> tuple[Mapped, Netlist]:
    """A design on gates."""
    files = synthesize(design, osu018(), folder)
    return files, read_netlist(files.json, design.top, osu018())
