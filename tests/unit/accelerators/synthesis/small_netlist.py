"""Netlists as yosys writes them, of the small library's cells."""

import json
from pathlib import Path
from typing import Any

from accelerators.synthesis.liberty import Library
from accelerators.synthesis.netlist import Netlist, read_netlist
from tests.unit.accelerators.synthesis.small_library import small_library

Cells = list[tuple[str, dict[str, list[int | str]]]]

HALF_ADDER: Cells = [  # listed from the end, so that order is not what makes it work
    ("INV", {"A": [9], "Y": [6]}),
    ("FLOP", {"C": [2], "D": [7], "Q": [5], "QN": [8]}),
    ("NAND", {"A": [3], "B": [4], "Y": [9]}),
    ("XOR", {"A": [3], "B": [4], "Y": [7]}),
]
"""Carry at once; sum, and its inverse, a cycle later."""

PORTS: dict[str, Any] = {
    "clock": {"direction": "input", "bits": [2]},
    "operands": {"direction": "input", "bits": [3, 4]},
    "sum": {"direction": "output", "bits": [5]},
    "result": {"direction": "output", "signed": 1, "bits": [6, 8]},
}


def small_netlist(folder: Path, cells: Cells, ports: dict[str, Any]) -> Netlist:
    """A netlist, written and read."""
    module = {
        "ports": ports,
        "cells": {
            str(place): {"type": kind, "connections": pins}
            for place, (kind, pins) in enumerate(cells)
        },
    }
    path = folder / "netlist.json"
    path.write_text(json.dumps({"modules": {"small": module}}))
    return read_netlist(path, "small", Library(small_library(folder)))
