"""Cells of a Liberty file in picojoules, picofarads and nanoseconds, and what is refused."""

from pathlib import Path

import pytest

from accelerators.synthesis.liberty import Library
from quant.common.errors import UserError
from tests.unit.accelerators.synthesis.small_library import TEXT, small_library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(small_library(tmp_path))


def test_a_gate(library: Library) -> None:
    gate = library.cell("INV")
    assert (gate.area, gate.leakage_nw) == (1.0, 500.0)
    assert gate.input_names == ("A",)
    assert gate.truth("Y") == 0b01
    assert gate.pins["A"].capacitance_pf == pytest.approx(0.002)
    rise, fall = gate.pins["Y"].energies_pj
    # 5 fF is halfway from 0 to 10: 1 to 3 fJ
    assert rise.table.at(0.005, 1.0) == pytest.approx(0.002)
    assert fall.table.at(0.005, 1.0) == pytest.approx(0.004)


def test_a_table_by_transition_and_load(library: Library) -> None:
    (delay,) = library.cell("INV").pins["Y"].rise_delays_ns
    assert delay.related == "A"
    assert delay.table.at(0.0, 0.010) == pytest.approx(0.010)
    assert delay.table.at(0.010, 0.010) == pytest.approx(0.030)
    assert delay.table.at(0.005, 0.015) == pytest.approx(0.025)
    assert delay.table.at(0.020, 0.030) == pytest.approx(0.070)  # beyond, along the last points


def test_leakage_without_a_figure_is_the_mean_of_states(library: Library) -> None:
    assert library.cell("NAND").leakage_nw == pytest.approx(2000.0)


def test_a_flip_flop(library: Library) -> None:
    state = library.cell("FLOP").flip_flop
    assert state is not None
    assert (state.data, state.clock, state.is_falling) == ("D", "C", False)
    assert state.variables == ("IQ", "IQN")


def test_the_library(library: Library) -> None:
    assert (library.name, library.supply_v, library.gate_area) == ("small", 2.0, 2.0)
    assert len(library.sha256) == 64
    assert "XOR" in library.names


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("LATCHED", "a latch"),
        ("RESET_FLOP", "a flip-flop with more than data and clock"),
        ("BARE", "'capacitance'"),
    ],
)
def test_cells_that_are_not_understood(library: Library, name: str, why: str) -> None:
    with pytest.raises(UserError) as error:
        library.cell(name)
    assert str(error.value) == (
        f"{library.path}: cell '{name}': {why} is missing or not understood; exclude it from "
        "mapping (dont_use)"
    )


def test_no_such_cell(library: Library) -> None:
    with pytest.raises(UserError, match="cell library 'small' has no cell 'AND'; name another"):
        library.cell("AND")


def test_no_function_to_simulate(library: Library) -> None:
    with pytest.raises(UserError, match="expected an output 'A' with a function of at most 6"):
        library.cell("INV").truth("A")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("library (", "cells (", r"expected a Liberty file with one group 'library \(…\)"),
        ("nom_voltage : 2.0", "", "'nom_voltage' is missing or not understood"),
        ("1, ff", "1, farads", "'1farads' is missing or not understood"),
        ("area : 1;", "area 1;", "'area' is followed by '1', not by ':' or '\\('"),
        ('"!A";', '"!A"; } } } } }', "a '}' closes nothing"),
        ("cell (NAND) {", "cell (NAND) { more () {", "the group 'library' is not closed"),
        ("(1, ff)", "(1, ff", "the list of 'capacitive_load_unit' is not closed"),
    ],
)
def test_no_liberty_file(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert old in TEXT
    path = tmp_path / "wrong.lib"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(UserError, match=why):
        Library(path)


def test_a_library_without_a_gate_to_count_in(tmp_path: Path) -> None:
    path = tmp_path / "wrong.lib"
    path.write_text(TEXT.replace("(A B)'", "A B"))
    with pytest.raises(UserError, match="has no two-input NAND, which gate equivalents"):
        _ = Library(path).gate_area


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the cell library .*: No such file"):
        Library(tmp_path / "none.lib")
