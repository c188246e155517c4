"""The area model beside published areas: the page's table, and how far off the model is."""

from pathlib import Path

from benchmarks.published_areas import Comparison, comparisons, table
from tests.unit.accelerators.area_tables import machine_table

PAGE = (Path(__file__).parents[3] / "docs" / "area-model.md").read_text(encoding="utf-8")


def test_the_page_has_what_is_computed() -> None:
    assert table() in PAGE, "python -m benchmarks.published_areas prints what should stand there"
    assert machine_table() in PAGE, (
        "python -m tests.unit.accelerators.area_tables prints what should stand there"
    )


def test_units_are_within_a_quarter_but_for_the_smallest() -> None:
    units = [each for each in comparisons() if each.subject.startswith("Bit Fusion")]
    assert len(units) == 5
    assert [round(each.error_percent) for each in units] == [65, 23, 21, 19, 23]


def test_composable_units_cost_what_is_published_relative_to_plain_ones() -> None:
    (ratio,) = (each for each in comparisons() if each.unit == "ratio")
    assert abs(ratio.error_percent) < 2.5


def test_nvdla_is_missed_by_nearly_one_factor_in_all_sizes() -> None:
    factors = [
        each.published / each.ours
        for each in comparisons()
        if each.subject.startswith("NVDLA") and each.unit == "mm²"
    ]
    assert len(factors) == 7
    assert (round(min(factors), 1), round(max(factors), 1)) == (3.5, 4.4)


def test_whole_chips() -> None:
    errors = {each.subject: round(each.error_percent) for each in comparisons()}
    assert errors["UNPU, die, 65 nm"] == -21
    assert errors["eCNN, layout, 40 nm, recalled"] == 9
    assert errors["ACNPU, 40 nm, all logic"] == -78
    assert errors["ESSR, 28 nm, all logic"] == -2


def test_an_error_is_ours_over_published() -> None:
    assert Comparison("a chip", "mm²", 2.0, 1.5, "a machine").error_percent == -25
