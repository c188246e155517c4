"""Small arrays on gates: the codes and the cycles of their Verilog, on the same products."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accelerators.rtl.library import sources
from accelerators.rtl.parameters import array_module
from accelerators.schema import Array
from accelerators.synthesis.cell_models import cell_models
from accelerators.synthesis.unit import TOP, Unit
from accelerators.synthesis.yosys import Design as Synthesized
from hwsim.verify.rtl.array_design import array_design
from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.outcome import Simulation
from hwsim.verify.rtl.tiles import Tile
from tests.rtl.array_cases import (
    Limits,
    array_of,
    compared,
    expected_codes,
    random_product,
    tile_of,
)
from tests.rtl.synthesis.gates import mapped, needs_synthesis
from tests.rtl.tools import ICARUS, needs

pytestmark = needs_synthesis

PLACE_BITS, SUM_BITS, COLUMN_SUM_BITS = 5, 40, 19
ELEMENTS = {
    "output_stationary": Unit(
        "element",
        "output_element",
        {"SUM_BITS": SUM_BITS, "PLACE_BITS": PLACE_BITS},
        {
            "reset": 1,
            "control_in": 6 + PLACE_BITS,
            "activations_in": 8,
            "weights_in": 8,
            "drain_shift": 1,
            "drain_in": SUM_BITS,
        },
        {},
        {
            "control_out": 6 + PLACE_BITS,
            "activations_out": 8,
            "weights_out": 8,
            "drain_out": SUM_BITS,
        },
    ),
    "weight_stationary": Unit(
        "element",
        "stationary_element",
        {"ROW_BITS": 1, "SUM_BITS": COLUMN_SUM_BITS, "INDEX_BITS": 5},
        {
            "reset": 1,
            "row": 1,
            "weight_mode": 3,
            "activation_mode": 3,
            "control_in": 9,
            "stream_in": 8,
            "held_row_in": 2,
            "held_in": 8,
            "sum_in": COLUMN_SUM_BITS,
        },
        {},
        {
            "control_out": 9,
            "stream_out": 8,
            "held_row_out": 2,
            "held_out": 8,
            "sum_out": COLUMN_SUM_BITS,
        },
    ),
}
"""The element that arrays of 2 x 2 elements and 8 x 8 bits are made of, as they make it."""

ANY_PARAMETERS = (
    *("KIND", "LANES", "ACTIVATION_BITS", "WEIGHT_BITS", "SUM_BITS", "PLACE_BITS", "CONTROL_BITS"),
    *("ROW_BITS", "HELD_BITS", "STREAM_BITS", "MODE_BITS", "INDEX_BITS", "OPERAND_BITS"),
)


def tiles(count: int, limits: Limits) -> list[Tile]:
    random = np.random.default_rng(5)
    products = [random_product(random, limits, "half_up") for _ in range(count)]
    return [tile_of(product, expected_codes(product)) for product in products]


def assert_equal(array: Array, simulation: Simulation, given: list[Tile]) -> None:
    """Codes and cycles of all tiles."""
    checks = compared(array, simulation, given)
    assert not [check.first_mismatch for check in checks if check.mismatches]
    codes = sum(tile.codes.size for tile in given)
    assert sum(check.values for check in checks) == codes + len(given)


def on_gates(array: Array, folder: Path) -> Design:
    """The Verilog of an array with elements of gates."""
    element = ELEMENTS[array.dataflow]
    element = replace(element, connections={port: port for port in element.inputs})
    files, netlist = mapped(element.design, folder)
    cells, shim = folder / "cells.v", folder / f"{element.module}.v"
    cells.write_text(cell_models(netlist))
    ports = ["input clock"]
    ports += [f"input [{bits - 1}:0] {port}" for port, bits in element.inputs.items()]
    ports += [f"output [{bits - 1}:0] {port}" for port, bits in element.outputs.items()]
    connected = ", ".join(
        f".{port}({port})" for port in ("clock", *element.inputs, *element.outputs)
    )
    parameters = ", ".join(f"parameter {name} = 0" for name in ANY_PARAMETERS)
    shim.write_text(
        f"module {element.module} #({parameters}) ({', '.join(ports)});\n"
        f"  {TOP} gates({connected});\nendmodule\n"
    )
    design = array_design(array)
    others = tuple(path for path in design.sources if path.name != shim.name)
    return replace(design, sources=(cells, files.verilog, shim, *others))


@needs(*ICARUS)
@pytest.mark.parametrize("kind", ELEMENTS)
def test_elements_of_gates_in_an_array(kind: str, tmp_path: Path) -> None:
    changes = {"accumulator_entries": 16} if kind == "weight_stationary" else {}
    array = array_of(kind, rows=2, columns=2, **changes)
    simulation = IcarusSimulation(on_gates(array, tmp_path))
    assert_equal(array, simulation, tiles(20, Limits(5, 5, 3)))


@pytest.mark.slow
@pytest.mark.timeout(900)
@needs(*ICARUS)
@pytest.mark.parametrize("kind", ["output_stationary", "bit_serial", "weight_stationary"])
def test_whole_arrays_of_gates(kind: str, tmp_path: Path) -> None:
    """Sequencer, skew, elements, drains, scales and requantizers."""
    array = array_of(kind, rows=2, columns=1, accumulator_bits=24)
    design = array_design(array, scales=2)
    module = array_module(array, "half_up", 2)
    parameters = ", ".join(
        f'.{name}("{value}")' if isinstance(value, str) else f".{name}({value})"
        for name, value in module.parameters.items()
    )
    widths = port_widths(design)
    ports = [f"{way} [{bits - 1}:0] {port}" for port, (way, bits) in widths.items()]
    text = (
        f"module {TOP}({', '.join(ports)});\n"
        f"  {module.name} #({parameters}) it({', '.join(f'.{port}({port})' for port in widths)});\n"
        "endmodule\n"
    )
    files, netlist = mapped(Synthesized(TOP, sources(module.name), text), tmp_path)
    cells = tmp_path / "cells.v"
    for start in (0, 1):
        cells.write_text(cell_models(netlist, start))
        gates = replace(design, top=TOP, sources=(cells, files.verilog), parameters={})
        assert_equal(array, IcarusSimulation(gates), tiles(5, Limits(5, 2, 3, 8)))


def port_widths(design: Design) -> dict[str, tuple[str, int]]:
    """Direction and width of every port of a design."""
    found = {"clock": ("input", 1), "reset": ("input", 1)}
    found |= {setting.name: ("input", setting.bits) for setting in design.settings}
    for stream in design.inputs:
        found[stream.name] = "input", stream.bits * stream.lanes
        found[f"{stream.name}_valid"] = "input", stream.lanes
        if stream.has_ready:
            found[f"{stream.name}_ready"] = "output", stream.lanes
    for stream in design.outputs:
        found[stream.name] = "output", stream.bits * stream.lanes
        found[f"{stream.name}_valid"] = "output", stream.lanes
    return found
