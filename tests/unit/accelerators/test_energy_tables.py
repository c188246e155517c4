"""Reading figures off curves and SRAM tables."""

from math import sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.catalog import (
    dram_table_names,
    load_dram_table,
    load_energy_table,
    load_sram_table,
)
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
            "'cacti45' or 'cacti32' or 'cacti22'? (the path of a .yaml file works too)",
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


@pytest.mark.parametrize(
    ("table", "adder_bit_pj", "bit_pair_pj"),
    [
        ("accelergy45", 0.0075519832759387085, 0.014249873205193875),
        ("accelergy22", 0.002221098049008536, 0.004191000485331583),
    ],
)
def test_accelergys_arithmetic_is_the_component_librarys(
    table: str, adder_bit_pj: float, bit_pair_pj: float
) -> None:
    prices = load_energy_table(table)
    for bits in (1, 2, 3, 4, 6, 8, 10, 12, 16, 24, 32):
        assert prices.adder_pj_by_bits.at(bits) == pytest.approx(bits * adder_bit_pj, abs=1e-6)
        for other in (1, 5, 8, 16):
            price = prices.multiplier_pj_by_bit_product.at(bits * other)
            assert price == pytest.approx(bits * other * bit_pair_pj, rel=1e-6, abs=1e-6)


def test_accelergys_registers() -> None:
    registers = load_energy_table("accelergy22").register_pj_by_bits
    assert registers is not None
    for bits in (1, 8, 16, 32):
        assert registers.at(bits) == pytest.approx(bits * 0.0030460773243545635, abs=1e-6)


@pytest.mark.parametrize(
    ("table", "size_kib", "word_bits", "read_pj", "write_pj", "leakage_mw"),
    [
        ("cacti45", 1, 64, 1.66966, 3.49161, 3.5387600000000007e-05),
        ("cacti45", 2048, 256, 353.9510000000001, 305.34, 0.048265800000000005),
        ("cacti32", 1, 64, 0.895202, 1.8949999999999998, 6.583810000000001e-05),
        ("cacti32", 1, 256, 2.989987589823173, 4.099617630315806, 6.36155e-05),
        ("cacti32", 2048, 128, 114.228, 92.6247, 0.0810099),
        ("cacti22", 1, 64, 0.380161, 0.784551, 0.000268817),
        ("cacti22", 1, 256, 1.2801528612195476, 1.7279230412014808, 0.0002380245),
        ("cacti22", 512, 128, 25.051800000000004, 20.233700000000002, 0.0694088),
        ("cacti22", 2048, 64, 31.600600000000004, 25.6339, 0.27579),
    ],
)
def test_sram_rows_are_the_component_models(
    table: str,
    size_kib: int,
    word_bits: int,
    read_pj: float,
    write_pj: float,
    leakage_mw: float,
) -> None:
    row = load_sram_table(table).macro(size_kib, word_bits)
    found = (row.read_pj, row.write_pj, row.leakage_mw)
    assert found == pytest.approx((read_pj, write_pj, leakage_mw), rel=1e-6)


def test_the_shipped_dram_tables() -> None:
    tables = {name: load_dram_table(name) for name in dram_table_names()}
    assert all(table.name == name for name, table in tables.items())
    assert {name: table.energy_pj_per_bit for name, table in tables.items()} == {
        "bitfusion_dram": 15,
        "ddr3": 70,
        "gddr5": 14,
        "hbm2": 3.9,
        "lpddr": 40,
        "lpddr3": 5.61,
        "lpddr4": 8,
    }
    assert 64 * tables["lpddr4"].energy_pj_per_bit == 512
    assert 64 * tables["ddr3"].energy_pj_per_bit == 4480
    assert 64 * tables["lpddr"].energy_pj_per_bit == 2560


def test_the_device_figures_follow_from_its_currents() -> None:
    table = load_dram_table("lpddr3")
    volts, cycle_ns = 1.2, 1.5
    ras, rp, rfc, refi = 28, 12, 140, 2600
    activate_pj = (40 * (ras + rp) - 20.5 * ras - 20 * rp) * cycle_ns * volts
    standby_mw = (20.5 + (150 - 20.5) * rfc / refi) * volts
    per_bit_pj = (220 - 20.5) * volts / (32 * 1.333)
    assert table.activate_pj == pytest.approx(activate_pj, rel=1e-3)
    assert table.standby_mw == pytest.approx(standby_mw, rel=1e-2)
    assert table.energy_pj_per_bit == pytest.approx(per_bit_pj, rel=1e-3)
    assert table.page_bytes == 1024 * 32 // 8
