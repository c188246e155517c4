"""The shipped study of this project's own Verilog, beside the points that it was made from."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Action, EnergyModel, area_of, load_accelerator, load_energy_table
from accelerators.catalog import load_datapath_factors
from accelerators.datapaths.kinds import datapath_of

POINTS = Path(__file__).parents[3] / "configs/energy_tables/datapaths/osu018.csv"
STUDY = load_datapath_factors("osu018")
EDGE = load_accelerator("edge_npu")
TABLE = load_energy_table("synth45_osu018")
MODEL = EnergyModel(EDGE, TABLE)
ANCHOR_PJ = 0.3
KINDS = [kind for entry in STUDY.energy for kind in entry.datapaths]


def points(operands: str) -> Iterator[tuple[str, int, int, dict[str, str]]]:
    with POINTS.open(newline="") as file:
        for line in csv.DictReader(file):
            if line["operands"] == operands:
                yield (
                    line["datapath"],
                    int(line["weight_bits"]),
                    int(line["activation_bits"]),
                    line,
                )


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_has_what_was_measured(kind: str) -> None:
    energy = STUDY.of(kind)
    for operands, figures in (("random", energy.measured_pj), ("recorded", energy.recorded_pj)):
        measured = {
            (w, a): float(line["delayed_pj"])
            for datapath, w, a, line in points(operands)
            if datapath == kind
        }
        assert {(w, a) for w, a, _ in figures} == measured.keys()
        for w, a, energy_pj in figures:
            assert energy_pj == pytest.approx(measured[int(w), int(a)], rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_measured_widths_are_missed_by_as_much_as_is_told(kind: str) -> None:
    energy = STUDY.of(kind)
    misses = [abs(energy.at_pj(int(w), int(a)) / pj - 1) for w, a, pj in energy.measured_pj]
    told = energy.source.rsplit("missed by ", 1)
    assert round(100 * max(misses)) == (int(told[1].split(" ")[0]) if len(told) > 1 else 0)


@given(st.sampled_from(sorted(KINDS)), st.integers(1, 15), st.integers(1, 15))
def test_more_bits_never_cost_less(kind: str, weight_bits: int, activation_bits: int) -> None:
    here = MODEL.mac_pj(kind, weight_bits, activation_bits)
    assert MODEL.mac_pj(kind, weight_bits + 1, activation_bits) >= here > 0
    assert MODEL.mac_pj(kind, weight_bits, activation_bits + 1) >= here


@pytest.mark.parametrize("kind", KINDS)
def test_the_static_part_is_the_clock_of_the_unit(kind: str) -> None:
    energy = STUDY.of(kind)
    # An accumulator for terms has 2^exponent bits, which is no sum of terms in its width.
    miss = 0.1 if kind == "shift_add" else 2e-3
    for datapath, w, a, line in points("random"):
        if datapath == kind:
            assert energy.static_pj(w, a) == pytest.approx(float(line["clock_pj"]), rel=miss)
            assert energy.static_pj(w, a) < energy.at_pj(w, a)


def test_registers_are_those_of_the_units() -> None:
    for datapath, w, a, line in points("random"):
        registers = STUDY.of(datapath).register_bits if datapath in KINDS else None
        if registers is not None:
            assert registers.at(w, a) == int(line["flip_flops"])


def test_the_clock_of_a_machine_is_that_of_all_registers_of_its_elements() -> None:
    """3 (w + a) + 28, and accumulator and drain of 40 bits instead of 28."""
    flip_flops = 3 * 16 + 28 + 2 * 12
    clock_pj = (
        ANCHOR_PJ
        * STUDY.clock.pj_per_flop
        * flip_flops
        / STUDY.of(EDGE.array.dataflow).reference_pj
    )
    assert MODEL.energy_pj(Action("mac_array", "clock")) == pytest.approx(clock_pj)
    whole = MODEL.energy_pj(Action("mac_array", "mac", 8, 8)) + clock_pj * 76 / flip_flops
    assert whole == pytest.approx(ANCHOR_PJ)


def test_it_can_be_made_again() -> None:
    provenance = STUDY.provenance
    assert provenance is not None
    assert provenance.command == ("hwsim calibrate edsr_tiny_x2 --name osu018 --technology-nm 180")
    assert provenance.supply_v == 1.8


def test_areas() -> None:
    """Elements have their drain registers; a gate is 19 times as large at 180 nm as at 45."""
    area = area_of(EDGE, TABLE)
    own = {part.component: part for part in area.logic}
    per_element = STUDY.area_ge("output_stationary", 8, 8) + 12 * 21.01
    elements = EDGE.array.processing_elements
    assert own["mac_array"].gate_equivalents == pytest.approx(elements * per_element)
    skew_ge = datapath_of(EDGE.array).skew_bits * 4  # of a flip-flop
    assert own["array_registers"].gate_equivalents == skew_ge
    array_mm2 = own["mac_array"].area_mm2
    assert array_mm2 == pytest.approx(elements * per_element * 24 / 19 / 1e6)
