"""Relative energies and areas by kind of datapath: the fits, their errors, the rule of a table."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Action, EnergyModel, load_accelerator, load_energy_table
from accelerators.catalog import load_datapath_factors
from accelerators.mac_energy import BIT_PARALLEL, MacPricing
from accelerators.schema import Accelerator
from quant.common.errors import UserError

CONFIGS = Path(__file__).parents[3] / "configs" / "energy_tables"
STUDY = load_datapath_factors("nangate45")
KINDS = [kind for entry in STUDY.energy for kind in entry.datapaths]
EDGE = load_accelerator("edge_npu")
SYNTH = EnergyModel(EDGE, load_energy_table("synth45"))
HOROWITZ = EnergyModel(EDGE, load_energy_table("horowitz45"))


@pytest.mark.parametrize(
    ("datapath", "percent"),
    [("output_stationary", 12), ("weight_stationary", 9), ("activation_serial", 3)],
)
def test_the_fits_of_energy_are_as_good_as_told(datapath: str, percent: int) -> None:
    entry = STUDY.of(datapath)
    errors = [
        abs(entry.at_pj(int(weight), int(activation)) / pj - 1)
        for weight, activation, pj in entry.measured_pj
    ]
    assert len(errors) >= 5
    assert percent - 2 < 100 * max(errors) < percent


def test_the_fit_of_area_is_as_good_as_told() -> None:
    (area,) = (entry for entry in STUDY.area if "output_stationary" in entry.datapaths)
    errors = [abs(area.fit.at(w, a) / gates - 1) for w, a, gates in area.measured_ge]
    assert 0.05 < max(errors) < 0.061
    # 166 + 12.4 x 16 + 10.6 x 64
    assert STUDY.area_ge("output_stationary", 8, 8) == pytest.approx(1042.8)


@pytest.mark.parametrize(
    ("datapath", "weight_bits", "activation_bits", "lanes", "synthesized_ge"),
    [
        ("activation_serial", 8, 8, 16, 2744),
        ("activation_serial", 4, 8, 16, 1797),
        ("weight_serial", 8, 4, 16, 1797),
        ("composable", 8, 8, 1, 2679),
    ],
)
def test_areas_of_units_that_are_not_bit_parallel(
    datapath: str, weight_bits: int, activation_bits: int, lanes: int, synthesized_ge: float
) -> None:
    area_ge = STUDY.area_ge(datapath, weight_bits, activation_bits)
    assert lanes * area_ge == pytest.approx(synthesized_ge)


@pytest.mark.parametrize(
    ("datapath", "weight_bits", "activation_bits", "relative"),
    [
        ("output_stationary", 8, 8, 1.0),
        ("output_stationary", 2, 2, (0.37 + 0.048 * 4) / 3.442),
        ("weight_stationary", 8, 8, (0.4734 + 0.03992 * 64) / 3.442),
        ("input_stationary", 8, 4, (0.4734 + 0.03992 * 32) / 3.442),
        ("activation_serial", 8, 3, (0.1557 + 0.05728 * 3 + 0.04733 * 24) / 3.442),
        ("bit_serial", 2, 2, 0.80 / 3.43),
        ("bit_serial", 4, 4, 2.50 / 3.43),
        ("composable", 8, 8, 4.37 / 2.14),
        ("composable", 3, 3, 1.18 / 2.14),  # set to 4 x 4
        ("composable", 5, 2, (0.32 + (1.18 - 0.32)) / 2.14),  # 8 x 2 pairs of bits: as 4 x 4
        ("shift_add", 4, 8, 1.58 / 3.43),
        ("shift_add", 8, 3, 2.72 / 3.43),
    ],
)
def test_relative_energies(
    datapath: str, weight_bits: int, activation_bits: int, relative: float
) -> None:
    assert STUDY.relative(datapath, weight_bits, activation_bits) == pytest.approx(relative)


@given(st.sampled_from(KINDS), st.integers(1, 15), st.integers(1, 15))
def test_more_bits_never_cost_less(datapath: str, weight_bits: int, activation_bits: int) -> None:
    for model in (SYNTH, HOROWITZ):
        here = model.mac_pj(datapath, weight_bits, activation_bits)
        assert model.mac_pj(datapath, weight_bits + 1, activation_bits) >= here > 0
        assert model.mac_pj(datapath, weight_bits, activation_bits + 1) >= here


def test_a_table_with_an_anchor_charges_the_clock_apart() -> None:
    # fit at 8 x 8 without the clock of its 44 registers, of an anchor of 0.3 pJ
    mac_pj = 0.3 * (3.442 - 44 * 0.0103) / 3.442
    assert SYNTH.energy_pj(Action("mac_array", "mac", 8, 8)) == pytest.approx(mac_pj)
    # 8 + 8 + 40 registers of the machine
    clock_pj = 0.3 * 56 * 0.0103 / 3.442
    assert SYNTH.energy_pj(Action("mac_array", "clock")) == pytest.approx(clock_pj)
    # 40 x 32 pairs of bits: along the last two points
    requantizer_pj = 0.3 * (36.6 + 256 * (36.6 - 18.8) / 512) / 3.43
    assert SYNTH.energy_pj(Action("requantizer", "output")) == pytest.approx(requantizer_pj)


@pytest.mark.parametrize("datapath", ["activation_serial", "composable", "shift_add", "bit_serial"])
def test_without_an_anchor_other_datapaths_are_relative_to_the_own_8_by_8(datapath: str) -> None:
    own_pj = HOROWITZ.energy_pj(Action("mac_array", "mac", 8, 8))
    expected_pj = own_pj * STUDY.relative(datapath, 4, 4)
    assert HOROWITZ.mac_pj(datapath, 4, 4) == pytest.approx(expected_pj)


@pytest.mark.parametrize("datapath", BIT_PARALLEL)
def test_without_an_anchor_bit_parallel_datapaths_have_the_tables_own_figures(
    datapath: str,
) -> None:
    assert HOROWITZ.mac_pj(datapath, 4, 4) == pytest.approx(0.05 + 0.125)


def test_reports_are_told_the_anchor() -> None:
    assert SYNTH.notes == (
        "multiply-accumulates: factors of 'nangate45' for output_stationary, relative to 8 x 8 "
        "bits, times 0.3 pJ (M. Horowitz, ISSCC 2014)",
    )
    assert HOROWITZ.notes == ()
    pricing = MacPricing(EDGE.array, load_energy_table("horowitz45"), STUDY)
    assert pricing.rule("composable") == (
        "multiply-accumulates: factors of 'nangate45' for composable, relative to 8 x 8 bits, "
        "times 0.325 pJ, the table's own 8 x 8 figure"
    )


def test_an_unknown_datapath_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        SYNTH.mac_pj("bit_seriel", 8, 8)
    assert str(caught.value) == (
        "datapath factors 'nangate45' have no datapath 'bit_seriel'; did you mean 'bit_serial' "
        "or 'weight_serial'? "
        "(or name other factors in the energy table's datapath_factors)"
    )


def test_a_table_without_factors_refuses_other_datapaths() -> None:
    table = load_energy_table("horowitz45").model_copy(update={"datapath_factors": None})
    model = EnergyModel(EDGE, table)
    assert model.mac_pj("weight_stationary", 8, 8) == pytest.approx(0.325)
    with pytest.raises(UserError) as caught:
        model.mac_pj("composable", 8, 8)
    assert str(caught.value) == (
        "energy table 'horowitz45' has no multiply-accumulate of datapath 'composable'; add "
        "'datapath_factors: …' to it or choose another table"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "synth45.yaml",
            "datapath_factors: nangate45\n",
            "",
            "mac_anchor: needs factors to multiply; add 'datapath_factors: …'",
        ),
        (
            "horowitz45.yaml",
            "sram_table:",
            "clock: separate\nsram_table:",
            "clock: a separate clock needs a mac_anchor; add it or leave out 'clock'",
        ),
        (
            "bitfusion45.yaml",
            "sram_table:",
            "mac_anchor: {source: a test, energy_pj: 1}\nsram_table:",
            "mac_anchor: stands beside mac_pj_by_bit_product; keep one of the two",
        ),
    ],
)
def test_tables_that_contradict_themselves(
    tmp_path: Path, file: str, old: str, new: str, expected: str
) -> None:
    text = (CONFIGS / file).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_energy_table(path)
    assert str(caught.value).endswith(expected)


def test_factors_of_a_users_own_lie_beside_the_table(tmp_path: Path) -> None:
    text = (CONFIGS / "synth45.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(
        text.replace("datapath_factors: nangate45", "datapath_factors: ./study.yaml"),
        encoding="utf-8",
    )
    study = (CONFIGS / "datapaths" / "nangate45.yaml").read_text(encoding="utf-8")
    (tmp_path / "study.yaml").write_text(study.replace("0.37,", "0.74,"), encoding="utf-8")
    model = EnergyModel(EDGE, load_energy_table(tmp_path / "mine.yaml"))
    more_pj = 0.3 * 0.37 / 3.442
    expected_pj = SYNTH.energy_pj(Action("mac_array", "mac", 8, 8)) + more_pj
    assert model.energy_pj(Action("mac_array", "mac", 8, 8)) == pytest.approx(expected_pj)


def test_a_datapath_with_two_forms_is_refused(tmp_path: Path) -> None:
    text = (CONFIGS / "datapaths" / "nangate45.yaml").read_text(encoding="utf-8")
    fit = "    by_weight_bits:\n"
    assert fit in text
    path = tmp_path / "study.yaml"
    path.write_text(text.replace(fit, f"    fit: {{constant: 1}}\n{fit}"), encoding="utf-8")
    with pytest.raises(UserError, match=r"expected exactly one of fit, by_bit_product, by_w"):
        load_datapath_factors(path)


def test_every_kind_has_a_price_on_a_machine_of_any_native_width() -> None:
    data = EDGE.model_dump()
    data["array"]["weight_bits"] = data["array"]["activation_bits"] = 4
    narrow = EnergyModel(Accelerator.model_validate(data), load_energy_table("synth45"))
    for kind in KINDS:
        assert narrow.mac_pj(kind, 8, 8) == pytest.approx(4 * narrow.mac_pj(kind, 4, 4))
