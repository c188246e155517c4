"""Scaling between nodes against published relative figures, and where it is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Action, EnergyModel, energy_tables_for, load_accelerator, load_energy_table
from accelerators.catalog import load_sram_table, scaled_to
from accelerators.schema import Accelerator
from accelerators.technology_scaling import (
    AREAS,
    POLYNOMIALS,
    energy_ratio,
    logic_area_ratio,
    sram_area_ratio,
    switching_energy,
)
from quant.common.errors import UserError

EDGE = load_accelerator("edge_npu")


def machine(**changes: object) -> Accelerator:
    return Accelerator.model_validate({**EDGE.model_dump(), **changes})


@pytest.mark.parametrize(
    ("node", "relative"),
    [
        (130, 3.07),
        (90, 1.90),
        (65, 1.24),
        (45, 1),
        (32, 0.66),
        (20, 0.22),
        (16, 0.174),
        (14, 0.139),
        (10, 0.118),
        (7, 0.094),
    ],
)
def test_relative_to_45_nm_at_0_8_volt(node: int, relative: float) -> None:
    assert energy_ratio(45, node, 0.8, 0.8) == pytest.approx(relative, abs=0.006)


@pytest.mark.parametrize(("node", "relative"), [(45, 1.44), (32, 0.91), (16, 0.298), (7, 0.165)])
def test_at_1_1_volt_relative_to_45_nm_at_0_9_volt(node: int, relative: float) -> None:
    assert energy_ratio(45, node, 0.9, 1.1) == pytest.approx(relative, abs=0.006)


@pytest.mark.parametrize(
    ("node", "adder_bit_pj"),
    [
        (40, 0.0065625),
        (28, 0.003876035274702252),
        (22, 0.002221098049008536),
        (16, 0.001310629033164556),
        (7, 0.0007122197381732162),
    ],
)
def test_between_nodes_it_is_what_the_component_library_has(node: int, adder_bit_pj: float) -> None:
    # Aladdin's adder in hwcomponents, which scales it by the same equations at 0.8 V
    assert energy_ratio(45, node, 0.8, 0.8) == pytest.approx(
        adder_bit_pj / 0.0075519832759387085, rel=1e-3
    )


@given(st.integers(7, 130), st.integers(7, 130), st.floats(0.6, 1.1), st.floats(0.6, 1.1))
def test_there_and_back_is_nothing(a: int, b: int, volts: float, other_volts: float) -> None:
    product = energy_ratio(a, b, volts, other_volts) * energy_ratio(b, a, other_volts, volts)
    assert product == pytest.approx(1)


@given(st.sampled_from(sorted(POLYNOMIALS)), st.floats(0.6, 1.09))
def test_energy_grows_with_the_voltage(node: int, volts: float) -> None:
    assert switching_energy(node, volts + 0.01) > switching_energy(node, volts) > 0


@pytest.mark.parametrize(
    ("node", "volts", "expected"),
    [
        (
            5,
            0.8,
            "scaling by stillmaker_baas covers 7 to 130 nm, got 5 nm; choose an energy table and a "
            "technology_nm in that range",
        ),
        (
            45,
            1.2,
            "scaling by stillmaker_baas covers supply voltages of 0.6 to 1.1 V, got 1.2 V; change "
            "supply_v",
        ),
    ],
)
def test_outside_its_range_it_is_refused(node: int, volts: float, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        switching_energy(node, volts)
    assert str(caught.value) == expected


def test_a_machine_asks_for_a_scaled_table() -> None:
    small = machine(technology_nm=22, energy_scaling="stillmaker_baas")
    own = EnergyModel(EDGE, load_energy_table("horowitz45"))
    model = EnergyModel(small, load_energy_table("horowitz45"))
    factor = energy_ratio(45, 22, 0.9, 0.9)
    assert model.table.name == "horowitz45 scaled to 22 nm"
    for action in (Action("mac_array", "mac", 8, 8), Action("vector_unit", "multiply")):
        assert model.energy_pj(action) == pytest.approx(factor * own.energy_pj(action))
    # SRAM has a table of that node; memory off the chip and leakage stay
    macro = load_sram_table("cacti22").macro(32, 128)
    assert model.energy_pj(Action("sram", "read_word")) == macro.read_pj
    for action in (Action("dram", "read_bit"), Action("mac_array", "leakage")):
        assert model.energy_pj(action) == own.energy_pj(action)
    assert model.notes == (
        "logic scaled by stillmaker_baas from 45 nm at 0.9 V to 22 nm at 0.9 V: switching energies "
        f"times {factor:.4g}; SRAM from 'cacti22', accesses times 1; DRAM as it is",
    )
    assert "leakage at the node scaled to: it is that of the table's own node" in (
        model.not_modelled
    )


def test_without_an_sram_table_of_the_node_the_nearest_is_scaled() -> None:
    small = machine(technology_nm=16, energy_scaling="stillmaker_baas", supply_v=0.8)
    model = EnergyModel(small, load_energy_table("horowitz45"))
    read_pj = load_sram_table("cacti22").macro(32, 128).read_pj
    expected_pj = read_pj * energy_ratio(22, 16, 0.9, 0.8)
    assert model.energy_pj(Action("sram", "read_word")) == pytest.approx(expected_pj)
    assert model.table.name == "horowitz45 scaled to 16 nm at 0.8 V"


def test_a_table_of_the_node_is_left_as_it_is() -> None:
    asked = machine(energy_scaling="stillmaker_baas")
    table = load_energy_table("horowitz45")
    assert EnergyModel(asked, table).table is table
    slower = machine(energy_scaling="stillmaker_baas", supply_v=0.7)
    mac_pj = EnergyModel(slower, table).energy_pj(Action("mac_array", "mac", 8, 8))
    assert mac_pj == pytest.approx(0.325 * energy_ratio(45, 45, 0.9, 0.7))


def test_a_voltage_without_scaling_is_refused() -> None:
    with pytest.raises(ValueError, match=r"only a scaled energy table depends on it"):
        machine(supply_v=0.8)


def test_every_shipped_table_at_a_node() -> None:
    assert [table.name for table in energy_tables_for(EDGE)] == [
        "accelergy45",
        "bitfusion45",
        "horowitz45",
        "synth45",
        "synth45_osu018",
    ]
    assert [table.name for table in energy_tables_for(machine(technology_nm=22))] == [
        "accelergy22",
        "bitfusion45 scaled to 22 nm",
        "horowitz45 scaled to 22 nm",
        "synth45 scaled to 22 nm",
        "synth45_osu018 scaled to 22 nm",
    ]


def test_an_anchor_is_scaled_once() -> None:
    table = scaled_to(load_energy_table("synth45"), 32, None)
    model = EnergyModel(machine(technology_nm=32), table)
    own = EnergyModel(EDGE, load_energy_table("synth45"))
    factor = energy_ratio(45, 32, 0.9, 0.9)
    for action in (Action("mac_array", "mac", 4, 4), Action("mac_array", "clock")):
        assert model.energy_pj(action) == pytest.approx(factor * own.energy_pj(action))


def test_a_tables_own_sram_table_is_scaled_from_its_node(tmp_path: Path) -> None:
    configs = Path(__file__).parents[3] / "configs" / "energy_tables"
    sram = (configs / "sram" / "cacti45.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(sram.replace("name: cacti45", "name: mine"), "utf-8")
    text = (configs / "horowitz45.yaml").read_text(encoding="utf-8")
    path = tmp_path / "table.yaml"
    path.write_text(text.replace("sram_table: cacti45", "sram_table: ./mine.yaml"), "utf-8")
    small = machine(technology_nm=22, energy_scaling="stillmaker_baas")
    model = EnergyModel(small, load_energy_table(path))
    expected_pj = load_sram_table("cacti45").macro(32, 128).read_pj * energy_ratio(45, 22, 0.9, 0.9)
    assert model.energy_pj(Action("sram", "read_word")) == pytest.approx(expected_pj)


def test_a_voltage_that_is_the_tables_is_no_scaling() -> None:
    table = load_energy_table("accelergy22")  # without a voltage: taken to be for 0.8 V
    same = machine(technology_nm=22, energy_scaling="stillmaker_baas", supply_v=0.8)
    assert EnergyModel(same, table).table is table


def test_areas_of_logic_are_known_at_the_nodes_that_energies_are() -> None:
    assert list(AREAS) == [180, *POLYNOMIALS]
    assert all(logic_area_ratio(45, node) == area for node, area in AREAS.items())
    # halfway from 20 to 32 nm, and back
    assert logic_area_ratio(45, 26) == pytest.approx((0.21 + 0.46) / 2)
    assert logic_area_ratio(26, 45) == pytest.approx(2 / (0.21 + 0.46))


@given(st.integers(7, 179), st.integers(7, 180))
def test_smaller_nodes_have_smaller_areas(node: int, other: int) -> None:
    assert logic_area_ratio(other, node) <= logic_area_ratio(other, node + 1)
    assert sram_area_ratio(other, node) < sram_area_ratio(other, node + 1)
    assert logic_area_ratio(node, other) == pytest.approx(1 / logic_area_ratio(other, node))


def test_areas_of_logic_beyond_the_nodes_are_refused_but_within_a_node() -> None:
    assert logic_area_ratio(250, 250) == 1.0
    for nodes in ((250, 45), (45, 5)):
        with pytest.raises(UserError, match=r"covers 7 to 180 nm, got (250|5) nm; choose an"):
            logic_area_ratio(*nodes)


def test_macros_shrink_as_cactis_own_do() -> None:
    # a macro of 16 KiB with 64-bit words as CACTI lays it out at 90 and 65 nm
    table = load_sram_table("cacti45")
    at_45 = table.macro(16, 64).area_um2
    assert at_45 is not None
    assert sram_area_ratio(45, 65) == pytest.approx(105886 / at_45, rel=0.001)
    assert sram_area_ratio(45, 90) == pytest.approx(193483 / at_45, rel=0.05)
    assert sram_area_ratio(22, 7) == pytest.approx(7 / 22)


@pytest.mark.parametrize(("node", "mean_percent", "worst_percent"), [(32, 3, 17), (22, 7, 27)])
def test_how_far_macros_of_another_table_are_missed(
    node: int, mean_percent: int, worst_percent: int
) -> None:
    errors = []
    for row in load_sram_table("cacti45").rows:
        own_um2 = load_sram_table(f"cacti{node}").macro(row.size_kib, row.word_bits).area_um2
        assert own_um2 is not None
        assert row.area_um2 is not None
        errors.append(100 * (row.area_um2 * sram_area_ratio(45, node) / own_um2 - 1))
    assert round(abs(sum(errors) / len(errors))) == mean_percent
    assert round(max(map(abs, errors))) == worst_percent
