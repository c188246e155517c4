"""The table of a comparison as text, Markdown, CSV and picture."""

import csv
import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hwsim.compare import CompareRequest, CompareResult, PictureSet, sweep
from hwsim.compare.pictures import JudgedPicture
from hwsim.report.comparison import markdown, print_comparison
from hwsim.report.comparison_chart import write_comparison_chart
from hwsim.report.comparison_table import comparison_csv
from quant.graph import Size
from quant.imaging import bicubic_upscale, read_image
from quant.policy import BitPolicy
from tests.machines import machine, prices
from tests.unit.compare.adaptive_graphs import Quantizer, entry


@cache
def found() -> CompareResult:
    random = np.random.default_rng(1)
    lows = [
        random.integers(low, high, (12, 14, 3), np.uint8) for low, high in ((0, 60), (190, 256))
    ]
    pictures = tuple(
        JudgedPicture("set", f"p{place}", low, bicubic_upscale(low, 2), f"p{place}")
        for place, low in enumerate(lows)
    )
    request = CompareRequest(
        (entry(Quantizer(), fake=False),),
        ("plain", "adaptive", "broken"),
        {"w8a8": BitPolicy.parse("w8a8"), "w4a4": BitPolicy.parse("w4a4")},
        (prices(machine(64, 8)),),
        {2: PictureSet(2, pictures)},
        Size(8, 10),
        check=lows[0],
    )
    return sweep(request)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_markdown_has_a_table_of_all_rows_and_one_of_shares() -> None:
    lines = markdown(found()).splitlines()
    tables = [place for place, line in enumerate(lines) if line.startswith("|---")]
    assert lines[0].startswith("## small (random weights); set inf dB in float")
    for rule, columns in zip(tables, (12, None), strict=True):
        header, rows = _cells(lines[rule - 1]), lines[rule + 1 : rule + 7]
        assert [_cells(row)[:2] for row in rows] == [
            [method, bits]
            for method in ("plain", "adaptive", "broken")
            for bits in ("w8a8", "w4a4")
        ]  # fmt: skip
        assert {len(_cells(row)) for row in rows} == {len(header)}
        assert columns is None or len(header) == columns
    plain = _cells(lines[tables[1] + 1])[3:]
    shares = [float(cell.rstrip("%")) for cell in plain if cell != "–"]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_figures_that_depend_on_the_image_show_their_range() -> None:
    text = markdown(found())
    adaptive = next(line for line in text.splitlines() if line.startswith("| adaptive | w8a8"))
    assert _cells(adaptive)[4:6] == ["6.00 (4.00–8.00)"] * 2  # all layers, and those that count
    assert "Figures with a range depend on the image" in text
    plain = _cells(next(line for line in text.splitlines() if line.startswith("| plain | w8a8")))
    assert plain[4:6] == ["8.00", "–"]


def test_what_cannot_be_done_is_a_dash_and_a_sentence() -> None:
    lines = markdown(found()).splitlines()
    row = next(line for line in lines if line.startswith("| broken | w8a8"))
    assert set(_cells(row)[3:]) == {"–"}
    accelerator = found().cells[0].accelerator
    assert (
        f"small, broken, w8a8 on {accelerator}: method broken: expected another network, given "
        "this; choose one"
    ) in lines


def test_the_check_on_the_machine_is_told() -> None:
    assert "One picture of 4 rows was run on the simulated machine: 0 of" in markdown(found())


def test_the_terminal_has_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    print_comparison(found(), [Path("out/compare.csv"), Path("out/compare.md")])
    text = " ".join(capsys.readouterr().out.split())
    plain = _cells(
        next(x for x in markdown(found()).splitlines() if x.startswith("| plain | w4a4"))
    )
    assert plain[3] in text
    assert plain[9] in text
    assert "written to out: compare.csv, compare.md" in text


def test_brackets_in_a_machines_name_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    cells = tuple(replace(cell, accelerator="my[rows=8]") for cell in found().cells)
    print_comparison(replace(found(), cells=cells), [])
    assert "my[rows=8]" in capsys.readouterr().out


def test_csv_has_a_line_for_each_row_with_units_in_its_columns() -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv(found()))))
    assert len(rows) == len(found().cells)
    for row, cell in zip(rows, found().cells, strict=True):
        assert row["method"] == cell.combination.method
        energy = cell.spread("energy_uj")
        assert row["energy_uj_mean"] == ("" if energy is None else str(energy.mean))
        quality = found().quality(cell, "set", "integer")
        assert row["set_integer_psnr_db"] == ("" if quality is None else str(quality.psnr_db))
        assert row["set_float_psnr_db"] == ""  # infinite here, where float equals the original
    classes = {name: value for name, value in rows[0].items() if name.startswith("class_")}
    assert sum(float(value) for value in classes.values() if value) == pytest.approx(
        float(rows[0]["energy_uj_mean"])
    )
    assert rows[0]["class_bit selection_energy_uj"] == ""
    assert float(rows[2]["class_bit selection_energy_uj"]) > 0


def test_the_chart_has_a_panel_for_each_machine(tmp_path: Path) -> None:
    one = found()
    two = replace(one, cells=(*one.cells, *(replace(c, accelerator="other") for c in one.cells)))
    for result, name in ((one, "one.png"), (two, "two.png")):
        write_comparison_chart(tmp_path / name, result)
    widths = [read_image(tmp_path / name).shape[1] for name in ("one.png", "two.png")]
    assert widths[1] == 2 * widths[0]
