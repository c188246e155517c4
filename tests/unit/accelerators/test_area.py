"""Areas of machines: worked figures, what they grow with, and what is said where one is missing."""

import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accelerators import (
    Accelerator,
    accelerator_names,
    area_of,
    energy_tables_for,
    load_accelerator,
    load_energy_table,
)
from accelerators.area import AREA_NOT_MODELLED, Area
from accelerators.catalog import load_datapath_factors, load_sram_table
from accelerators.energy_tables import EnergyTable
from quant.common.errors import UserError

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs" / "energy_tables"
PAGE = (ROOT / "docs" / "area-model.md").read_text(encoding="utf-8")
EDGE = load_accelerator("edge_npu")
TABLE = load_energy_table("horowitz45")
STUDY = load_datapath_factors("nangate45")
KINDS = (
    "output_stationary", "weight_stationary", "input_stationary", "activation_serial",
    "weight_serial", "bit_serial", "composable", "shift_add",
)  # fmt: skip
PARTS = {
    "array": ("rows", "columns", "lanes", "weight_bits", "activation_bits", "accumulator_bits",
              "accumulator_entries"),
    "vector_unit": ("lanes",),
    "sram": ("size_kib",),
    "channel_scaler": ("multipliers",),
}  # fmt: skip
KEYS = [(part, key) for part, keys in PARTS.items() for key in keys]


def varied(machine: Accelerator, part: str, **values: object) -> Accelerator:
    """The machine with other values; whether it could be is not checked."""
    changed = getattr(machine, part).model_copy(update=values)
    return machine.model_copy(update={part: changed})


def component_ge(area: Area, component: str) -> float:
    (found,) = (part.gate_equivalents for part in area.logic if part.component == component)
    assert found is not None
    return found


def total_mm2(machine: Accelerator, normalizes_at_run_time: bool = True) -> float:
    area_mm2 = area_of(machine, TABLE, normalizes_at_run_time).area_mm2
    assert area_mm2 is not None
    return area_mm2


def test_the_area_of_edge_npu_by_hand() -> None:
    area = area_of(EDGE, TABLE)
    expected_ge = {
        # 166 + 12.4 x 16 + 10.6 x 64, and 40 bits of accumulator instead of 8 + 8 + 12
        "mac_array": 1024 * (1042.8 + 15 * 12),
        # outputs, and 0 + 1 + … + 31 operands of 8 bits at both edges
        "array_registers": (1024 * 40 + 2 * 8 * 496) * 5.667,
        # 40 x 32 pairs of bits: along the last two points
        "requantizer": 32 * (11871 + 256 * (11871 - 6423) / 512),
        "vector_unit": 32 * (2 * 11871 + 15 * (32 + 40)),
    }

    assert {part.component: part.gate_equivalents for part in area.logic} == pytest.approx(
        expected_ge
    )
    for part in area.logic:
        assert part.area_mm2 == pytest.approx(0.798e-6 * expected_ge[part.component])
    assert area.by_component_mm2["sram"] == pytest.approx(16 * 97538.7e-6)
    assert area.missing == ()


def test_normalization_at_run_time_adds_its_parts_and_nothing_else() -> None:
    without, having = area_of(EDGE, TABLE), area_of(EDGE, TABLE, True)
    assert having.logic[: len(without.logic)] == without.logic
    assert having.memories == without.memories
    # two further accumulators a lane; 32 multipliers of 384 pairs of bits with adders, and in
    # each element 56 flip-flops and 16 bits of an adder
    adder_ge = 15 - 5.667
    multiplier_ge = 2544 + (2544 - 1105)
    assert component_ge(having, "statistics") == pytest.approx(32 * 2 * 40 * 15)
    assert component_ge(having, "channel_scale") == pytest.approx(
        32 * (multiplier_ge + 56 * adder_ge) + 1024 * (56 * 5.667 + 16 * adder_ge)
    )


@pytest.mark.parametrize(
    ("kind", "lanes", "weight_bits", "activation_bits", "element_ge"),
    [
        # a further 8 x 8 multiplier, its operands' registers, a 17-bit addition
        ("output_stationary", 2, 8, 8, 1042.8 + 180 + 584 + 16 * 5.667 + 17 * (15 - 5.667)),
        ("weight_stationary", 1, 8, 8, 1042.8 + 180 + 8 * 5.667),
        ("input_stationary", 1, 8, 4, 166 + 12.4 * 12 + 10.6 * 32 + 4 * 5.667 + 15 * 16),
        ("activation_serial", 16, 8, 16, 2744),
        ("weight_serial", 16, 16, 4, 1797),
        ("bit_serial", 16, 16, 16, 1506),
        ("composable", 1, 8, 8, 2679),
        ("composable", 1, 4, 4, 2679 / 4),
        ("shift_add", 1, 8, 8, 598),
        ("shift_add", 2, 16, 8, 2 * 802),
        ("shift_add", 1, 8, 16, 2 * 598),
    ],
)
def test_elements_of_every_kind(
    kind: str, lanes: int, weight_bits: int, activation_bits: int, element_ge: float
) -> None:
    machine = varied(
        EDGE,
        "array",
        dataflow=kind,
        lanes=lanes,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
    )
    area = area_of(machine, TABLE)
    assert component_ge(area, "mac_array") == pytest.approx(1024 * element_ge)


def test_units_put_together_from_parts_are_those_that_were_synthesized() -> None:
    assert STUDY.parts is not None
    parts, unit = STUDY.parts, STUDY.area_of("output_stationary")
    square, oblong = [], []
    for weight_bits, activation_bits, synthesized_ge in unit.measured_ge:
        operand_bits = int(weight_bits + activation_bits)
        from_parts_ge = (
            parts.multiplier_ge(int(weight_bits), int(activation_bits))
            + operand_bits * parts.flip_flop_ge
            + parts.accumulators_ge(operand_bits + 12)
        )
        errors = square if weight_bits == activation_bits else oblong
        errors.append(from_parts_ge / synthesized_ge - 1)
    assert (len(square), len(oblong)) == (7, 5)
    assert 0.07 < max(square) < 0.08
    assert 0.16 < max(oblong) < 0.17
    assert min(square + oblong) > 0
    assert "square units up to 8 % and oblong ones up to 17 % too large" in PAGE


@pytest.mark.parametrize(
    ("bits", "accumulator_bits", "synthesized_ge"),
    [(4, 20, 455), (4, 32, 635), (8, 20, 916), (8, 28, 1073), (8, 32, 1104)],
)
def test_accumulators_of_other_widths(
    bits: int, accumulator_bits: int, synthesized_ge: float
) -> None:
    assert STUDY.parts is not None
    unit = STUDY.area_of("output_stationary")
    element_ge = STUDY.parts.element_ge(unit, bits, bits, 1, accumulator_bits)
    assert element_ge == pytest.approx(synthesized_ge, rel=0.06)


@pytest.mark.parametrize(
    ("kind", "skew_bits", "drain_bits"),
    [
        # of 4 rows and 3 columns: 0 + 1 + 2 + 3 and 0 + 1 + 2 operands, of 2 lanes
        ("output_stationary", 2 * (6 * 8 + 3 * 4), 12 * 40),
        ("activation_serial", 2 * (6 * 1 + 3 * 4), 12 * 40),
        ("weight_serial", 2 * (6 * 8 + 3 * 1), 12 * 40),
        ("bit_serial", 2 * (6 + 3), 12 * 40),
        ("shift_add", 2 * (6 * 8 + 3 * 3), 12 * 40),  # a sign and an exponent of 0 to 3
        ("weight_stationary", 6 * 8, 0),
        ("input_stationary", 6 * 4, 0),
        ("composable", 6 * 2 * 8, 0),  # of 2-bit weights a unit holds two, with an activation each
    ],
)
def test_registers_at_the_edges_and_of_outputs(kind: str, skew_bits: int, drain_bits: int) -> None:
    values = {"rows": 4, "columns": 3, "weight_bits": 4, "activation_bits": 8}
    lanes = 1 if kind in ("weight_stationary", "input_stationary", "composable") else 2
    machine = varied(EDGE, "array", dataflow=kind, lanes=lanes, **values)
    registers_ge = component_ge(area_of(machine, TABLE), "array_registers")
    assert registers_ge == pytest.approx((skew_bits + drain_bits) * 5.667)


@pytest.mark.parametrize("kind", ["weight_stationary", "input_stationary", "composable"])
def test_columns_that_keep_partial_sums_have_a_memory_each(kind: str) -> None:
    machine = varied(EDGE, "array", dataflow=kind, accumulator_entries=1024, accumulator_bits=32)
    # 4 KiB with words of 64 bits
    assert area_of(machine, TABLE).by_component_mm2["accumulators"] == pytest.approx(
        32 * 13502.9e-6
    )


@given(
    st.sampled_from(KINDS),
    st.sampled_from(KEYS),
    st.fixed_dictionaries(
        {
            "rows": st.integers(1, 64),
            "columns": st.integers(1, 64),
            "lanes": st.integers(1, 20),
            "weight_bits": st.integers(1, 15),
            "activation_bits": st.integers(1, 15),
            "accumulator_bits": st.integers(32, 62),
            "accumulator_entries": st.integers(1, 5000),
        }
    ),
    st.integers(1, 4096),
    st.integers(1, 40),
)
def test_more_is_never_smaller_and_components_add_up(
    kind: str, varied_key: tuple[str, str], array: dict[str, int], sram_kib: int, more: int
) -> None:
    if kind in ("weight_stationary", "input_stationary", "composable"):
        array = {**array, "lanes": 1}
    part, key = varied_key
    assume(key != "lanes" or part != "array" or array["lanes"] > 1)
    if kind == "composable":
        array = {**array, "weight_bits": 4, "activation_bits": 4}
    machine = varied(varied(EDGE, "array", dataflow=kind, **array), "sram", size_kib=sram_kib)
    value = getattr(getattr(machine, part), key)
    larger = value + more
    if key in ("weight_bits", "activation_bits"):
        larger = 8 if kind == "composable" else min(larger, 16)
    if key == "accumulator_bits":
        larger = min(larger, 64)
    area = area_of(machine, TABLE, True)
    mm2 = [each.area_mm2 for each in area.components]
    gates = [each.gate_equivalents for each in area.logic]

    assert total_mm2(varied(machine, part, **{key: larger})) >= total_mm2(machine) > 0
    assert area.area_mm2 == sum(each for each in mm2 if each is not None)
    assert area.gate_equivalents == sum(each for each in gates if each is not None)
    assert min(each for each in mm2 if each is not None) >= 0


@pytest.mark.parametrize("name", accelerator_names())
def test_every_shipped_machine_has_an_area_under_every_table(name: str) -> None:
    machine = load_accelerator(name)
    for table in energy_tables_for(machine):
        area = area_of(machine, table)
        assert area.missing == ()
        assert area.area_mm2 is not None
        if table.datapath_factors == "nangate45":  # whose areas the page shows
            assert f"| `{name}` | {area.area_mm2:,.2f} |" in PAGE


def test_a_table_of_another_node_has_areas_too() -> None:
    at_22 = EDGE.model_copy(update={"technology_nm": 22, "energy_scaling": "none"})
    area = area_of(at_22, load_energy_table("accelergy22"))
    # the study's cells at 22 nm, 0.21 + (0.46 - 0.21) / 6 of those at 45; CACTI's own macros
    logic_ratio = 0.21 + 0.25 / 6
    assert component_ge(area, "mac_array") == component_ge(area_of(EDGE, TABLE), "mac_array")
    assert area.by_component_mm2["mac_array"] == pytest.approx(
        1024 * 1222.8 * 0.798e-6 * logic_ratio
    )
    assert area.by_component_mm2["sram"] == pytest.approx(16 * 30317.1e-6)


def test_a_scaled_table_has_areas_too() -> None:
    at_16 = EDGE.model_copy(update={"technology_nm": 16, "energy_scaling": "stillmaker_baas"})
    area = area_of(at_16, TABLE)
    assert area.by_component_mm2["mac_array"] == pytest.approx(1024 * 1222.8 * 0.798e-6 * 0.19)
    assert area.by_component_mm2["sram"] == pytest.approx(16 * 30317.1e-6 * 16 / 22)


def test_a_table_of_another_node_without_scaling_is_refused() -> None:
    with pytest.raises(UserError, match="is for 22 nm, but accelerator 'edge_npu' has techno"):
        area_of(EDGE, load_energy_table("accelergy22"))


def own_table(folder: Path, study: str = "", sram: str = "", node: int = 45) -> EnergyTable:
    """synth45 with its study and its SRAM table in files that texts were replaced in."""
    for name, text in (("study", study), ("sram", sram)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    text = (CONFIGS / "synth45.yaml").read_text(encoding="utf-8")
    text = text.replace("technology_nm: 45", f"technology_nm: {node}")
    text = text.replace("datapath_factors: nangate45", "datapath_factors: ./study.yaml")
    text = text.replace("sram_table: cacti45", "sram_table: ./sram.yaml")
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return load_energy_table(folder / "mine.yaml")


def shipped(name: str) -> str:
    return (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")


def test_figures_that_are_missing_are_told(tmp_path: Path) -> None:
    study = shipped("datapaths/nangate45")
    without_parts = study[: study.index("\nparts:")] + study[study.index("\nclock:") :]
    sram = shipped("sram/cacti45")
    table = own_table(tmp_path, without_parts, re.sub(r", area_um2: [\d.]+", "", sram))

    area = area_of(EDGE, table)

    assert (area.area_mm2, area.gate_equivalents) == (None, None)
    assert set(area.missing) == {
        "datapath factors 'nangate45' have no areas of cells and parts; add 'parts: …' to them or "
        "name others in the energy table's datapath_factors",
        "SRAM table 'cacti45' has no areas; add area_um2 to its rows",
    }
    assert area.notes[0].startswith("area of mac_array: datapath factors 'nangate45' have no areas")


def test_a_table_without_a_study_has_areas_of_memories_alone() -> None:
    area = area_of(EDGE, TABLE.model_copy(update={"datapath_factors": None}))
    assert area.by_component_mm2["sram"] == pytest.approx(16 * 97538.7e-6)
    assert set(area.missing) == {
        "energy table 'horowitz45' names no synthesis study with areas; add 'datapath_factors: …' "
        "to it or choose another table"
    }


def test_a_kind_that_was_not_synthesized_lacks_the_array_alone(tmp_path: Path) -> None:
    study = shipped("datapaths/nangate45")
    start = study.index("area:")
    study = study[:start] + study[start:].replace("[output_stationary]", "[others]", 1)
    area = area_of(EDGE, own_table(tmp_path, study, shipped("sram/cacti45")))
    assert area.area_mm2 is None
    assert component_ge(area, "requantizer") > 0
    (reason,) = area.missing
    assert reason.startswith(
        "areas of datapath factors 'nangate45' have no datapath 'output_stationary'; "
    )


def test_beyond_the_nodes_of_the_scaling_gate_equivalents_remain(tmp_path: Path) -> None:
    sram = shipped("sram/cacti45").replace("technology_nm: 45", "technology_nm: 250")
    table = own_table(tmp_path, shipped("datapaths/nangate45"), sram, node=250)
    area = area_of(EDGE.model_copy(update={"technology_nm": 250}), table)
    assert area.gate_equivalents == area_of(EDGE, TABLE).gate_equivalents
    assert area.area_mm2 is None
    assert area.missing[0].startswith("scaling by stillmaker_baas covers 7 to 180 nm, got 250 nm")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (", area_um2: 3599.3}", "}", "expected area_um2 in every row or in none"),
        ("area_um2: 3599.3}", "area_um2: 0}", "area_um2: expected more than 0.0, got 0"),
    ],
)
def test_areas_of_macros_that_cannot_be(tmp_path: Path, old: str, new: str, expected: str) -> None:
    text = shipped("sram/cacti45")
    assert old in text
    (tmp_path / "sram.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError, match=expected):
        load_sram_table(tmp_path / "sram.yaml")


def test_a_unit_with_two_forms_of_area_is_refused(tmp_path: Path) -> None:
    text = shipped("datapaths/nangate45")
    form = "    activation_bits: 8\n"
    assert form in text
    (tmp_path / "study.yaml").write_text(
        text.replace(form, f"{form}    fit: {{constant: 1}}\n"), encoding="utf-8"
    )
    with pytest.raises(UserError, match="expected exactly one of fit and by_weight_bits"):
        load_datapath_factors(tmp_path / "study.yaml")


@pytest.mark.parametrize("name", ["cacti45", "cacti32", "cacti22"])
def test_larger_macros_are_larger(name: str) -> None:
    table = load_sram_table(name)
    for width in table.widths_bits:
        areas = [table.macro(size, width).area_um2 for size in (0.1, *table.sizes_kib, 1500)]
        known = [area for area in areas if area is not None]
        assert len(known) == len(areas)
        assert known[0] == known[1]  # the smallest macro, an upper bound
        assert sorted(known[1:-1]) == known[1:-1]
        assert known[-3] < known[-1] < known[-2]


def test_the_page_lists_everything_left_out() -> None:
    words = re.sub(r"\s+", " ", PAGE)
    assert all(f"- {item}" in words for item in AREA_NOT_MODELLED)


@pytest.mark.parametrize(
    ("rows", "sram_kib", "told"),
    [
        (32, 512, "| **32 rows, 512 KiB** | 42.20 | 992 | 4.13 | 1.13 | 1024 | {:.2f} |"),
        (16, 512, "| 16 rows, 512 KiB | 42.20 | 1049 | 7.95 | 1.13 | 512 | {:.2f} |"),
        (16, 128, "| 16 rows, 128 KiB | 42.15 | 1302 | 8.01 | 7.42 | 512 | {:.2f} |"),
        (32, 128, "| 32 rows, 128 KiB | 42.08 | 1350 | 4.13 | 8.47 | 1024 | {:.2f} |"),
        (8, 128, "| | | | 256 | {:.2f}, "),
        (8, 512, ", {:.2f} |"),
    ],
)
def test_the_example_of_the_co_search_has_the_areas_of_its_machines(
    rows: int, sram_kib: int, told: str
) -> None:
    page = (ROOT / "docs" / "codesign.md").read_text(encoding="utf-8")
    machine = load_accelerator("edge_npu", {"array.rows": rows, "sram.size_kib": sram_kib})
    assert told.format(total_mm2(machine, normalizes_at_run_time=False)) in page
