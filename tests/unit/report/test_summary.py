"""What people read."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwsim.report.result import BitExact
from hwsim.report.summary import print_summary
from hwsim.report.verification import print_checks
from hwsim.verify import Check
from tests.unit.report.conftest import Priced


def test_an_estimate_shows_costs_and_says_they_are_modelled(
    priced: Priced, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(priced.result)

    text = capsys.readouterr().out
    assert text.splitlines()[0] == ("edsr_random (integer graph) on tiny_npu, 18×26 → 36×52 pixels")
    assert f"{priced.result.cycles:,} cycles" in text
    assert f"{priced.result.energy_uj:,.1f} µJ" in text
    assert "modelled, not measured: energy table horowitz45 (45 nm)" in text
    assert f"{priced.result.area_mm2:,.3f} mm²  (SRAM 35%, vector unit 28%, MAC array 20%" in text
    assert "quality" not in text
    assert "bit-exact" not in text


def test_an_area_that_is_not_known_is_not_shown(
    priced: Priced, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(replace(priced.result, area_mm2=None))

    assert "mm²" not in capsys.readouterr().out


def test_the_three_most_expensive_layers_come_in_order(
    priced: Priced, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(priced.result)

    lines = capsys.readouterr().out.splitlines()
    start = next(i for i, line in enumerate(lines) if "most energy" in line)
    worst = sorted(priced.result.layers, key=lambda layer: -layer.energy_uj)[:3]
    assert [line.split()[0] for line in lines[start + 1 : start + 4]] == [x.name for x in worst]


def test_a_run_shows_quality_exactness_and_files(
    priced: Priced, capsys: pytest.CaptureFixture[str]
) -> None:
    result = replace(
        priced.result,
        psnr_db=31.234,
        psnr_float_db=31.5,
        ssim=0.91234,
        bit_exact=BitExact(reference="int64 reference", values=5616, mismatches=2),
    )

    print_summary(result, [Path("out/output.png"), Path("out/cost.png")])

    text = capsys.readouterr().out
    assert "31.23 dB, SSIM 0.9123  (float network 31.50 dB)" in text
    assert "no: 2 of 5,616 integers differ from the int64 reference" in text
    assert "written to out: output.png, cost.png" in text


def test_checks_are_listed_with_the_place_of_a_mismatch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    checks = [
        Check("convolution", "reference", "odd weights", 3, 3000, 0, None),
        Check("add", "reference", "[signed]", 2, 100, 7, "case 1: row 0, found 3, expected 4"),
    ]

    print_checks(checks)

    text = capsys.readouterr().out
    assert "add, [signed]: case 1: row 0, found 3, expected 4" in text
    assert "2 checks, 3,100 integers compared: 1 of 2 checks failed" in text
