"""Reading figures off curves and SRAM tables."""

from math import sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.catalog import load_energy_table, load_sram_table
from accelerators.energy_tables import Curve
from quant.common.errors import UserError

CONFIGS = Path(__file__).parents[3] / "configs" / "energy_tables"
CACTI = load_sram_table("cacti45")


def curve(below: str, *points: tuple[float, float]) -> Curve:
    return Curve.model_validate({"source": "a test", "points": points, "below_first_point": below})


@pytest.mark.parametrize(
    ("width", "price"), [(4, 1), (8, 2), (12, 3), (16, 4), (24, 8), (32, 12), (48, 20)]
)
def test_a_curve_is_linear_between_its_points(width: float, price: float) -> None:
    assert curve("proportional", (8, 2), (16, 4), (32, 12)).at(width) == price


def test_below_the_first_point() -> None:
    assert curve("proportional", (8, 2), (16, 10)).at(2) == 0.5
    assert curve("constant", (8, 2), (16, 10)).at(2) == 2
    assert curve("constant", (8, 2), (16, 10)).at(12) == 6


def test_one_point_is_a_line_through_the_origin() -> None:
    assert curve("proportional", (64, 0.5)).at(256) == 2


@given(
    steps=st.lists(st.tuples(st.floats(0.1, 100), st.floats(0, 100)), min_size=1, max_size=5),
    below=st.sampled_from(["proportional", "constant"]),
    width=st.floats(0, 500),
    more=st.floats(0, 100),
)
def test_curves_never_fall(
    steps: list[tuple[float, float]], below: str, width: float, more: float
) -> None:
    points, x, y = [], 0.0, 1.0
    for dx, dy in steps:
        x, y = x + dx, y + dy
        points.append((x, y))
    line = curve(below, *points)
    assert line.at(width + more) >= line.at(width) * (1 - 1e-12)


def table_message(folder: Path, file: str, old: str, new: str) -> str:
    text = (CONFIGS / file).read_text(encoding="utf-8")
    assert old in text
    path = folder / "mine.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    load = load_sram_table if "sram" in file else load_energy_table
    with pytest.raises(UserError) as caught:
        load(path)
    return str(caught.value).replace(f"{folder}/", "").split(": ", 1)[1]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "[16, 0.05]",
            "[16, 0.02]",
            "adder_pj_by_bits.points[1]: expected a larger width and no smaller price than the "
            "point before",
        ),
        (
            "[32, 0.1]",
            "[32]",
            "adder_pj_by_bits.points[2]: expected a list of at least 2, got a list of 1 entries",
        ),
        (
            "cacti45\n",
            "cacti54\n",
            "sram_table: SRAM table 'cacti54': no such name, did you mean "
            "'cacti45'? (the path of a .yaml file works too)",
        ),
        (
            "technology_nm: 45",
            "technology_nm: 22",
            "sram_table: SRAM table 'cacti45' is for 45 nm, "
            "but energy table 'horowitz45' has technology_nm 22; choose a table of the same node",
        ),
    ],
)
def test_refused_energy_tables(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert table_message(tmp_path, "horowitz45.yaml", old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "{size_kib: 2, word_bits: 64,",
            "{size_kib: 1, word_bits: 64,",
            "rows[1]: this size and width has a row already; keep one",
        ),
        (
            "{size_kib: 2, word_bits: 64,",
            "{size_kib: 3, word_bits: 64,",
            "rows: expected a row for 2 KiB and 64 bits; add it",
        ),
    ],
)
def test_refused_sram_tables(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert table_message(tmp_path, "sram/cacti45.yaml", old, new).startswith(expected)


def test_the_sram_table_is_the_published_grid() -> None:
    assert CACTI.sizes_kib == [2.0**i for i in range(12)]
    assert CACTI.widths_bits == [64, 128, 256]
    row = CACTI.macro(32, 128)
    assert (row.read_pj, row.write_pj, row.leakage_mw) == (20.3074, 27.5274, 0.000927107)


def test_between_rows_prices_are_geometric_means() -> None:
    low, high = CACTI.macro(32, 128), CACTI.macro(64, 128)
    middle = CACTI.macro(32 * sqrt(2), 128)
    assert middle.read_pj == pytest.approx(sqrt(low.read_pj * high.read_pj), rel=1e-12)
    narrow, wide = CACTI.macro(4, 64), CACTI.macro(4, 128)
    middle = CACTI.macro(4, 64 * sqrt(2))
    assert middle.write_pj == pytest.approx(sqrt(narrow.write_pj * wide.write_pj), rel=1e-12)
    assert middle.leakage_mw == pytest.approx(sqrt(narrow.leakage_mw * wide.leakage_mw), rel=1e-12)


@given(word_bits=st.integers(64, 256), size_kib=st.floats(0.01, 1))
def test_banks_below_the_smallest_macro_cost_as_much(word_bits: int, size_kib: float) -> None:
    assert CACTI.macro(size_kib, word_bits).read_pj == CACTI.macro(1, word_bits).read_pj


@given(word_bits=st.integers(64, 256), size_kib=st.floats(0.5, 2048), factor=st.floats(1, 4))
def test_larger_banks_never_cost_less(word_bits: int, size_kib: float, factor: float) -> None:
    small = CACTI.macro(size_kib, word_bits)
    large = CACTI.macro(min(size_kib * factor, 2048), word_bits)
    for price in ("read_pj", "write_pj", "leakage_mw"):
        assert getattr(large, price) >= getattr(small, price) * (1 - 1e-12)


@pytest.mark.parametrize(("size_kib", "word_bits"), [(2049, 64), (32, 63), (32, 257)])
def test_outside_the_table_is_an_error_that_names_its_range(
    size_kib: float, word_bits: float
) -> None:
    with pytest.raises(UserError) as caught:
        CACTI.macro(size_kib, word_bits)
    assert str(caught.value) == (
        "SRAM table 'cacti45' covers banks of up to 2048 KiB and words of 64 to 256 bits, got a "
        f"bank of {size_kib} KiB with {word_bits}-bit words; change sram.size_kib, sram.banks or "
        "sram.word_bits"
    )
