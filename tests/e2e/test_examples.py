"""The worked studies run, on a small network and a small picture."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from examples import adaptive_bits, smallest_accelerator, uniform_against_mixed
from examples.subject import held_out
from hwsim.compare.pictures import JudgedPicture
from quant.graph import Size

CROP = 64


def small(_: Path | None, scale: int) -> list[JudgedPicture]:
    """A part of the shipped photograph."""
    (whole,) = held_out(None, scale)
    low = whole.low[:CROP, :CROP]
    return [replace(whole, low=low, high=whole.high[: CROP * scale, : CROP * scale])]


def rows(printed: str) -> list[list[str]]:
    """The cells of all tables' rows."""
    lines = [line for line in printed.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_mixed_bits_are_no_worse_than_uniform_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(uniform_against_mixed, "held_out", small)
    command = "x --network mobile_sr_x2 --size 24 32 --widths 3 6 --budgets 1 --out"
    monkeypatch.setattr(sys, "argv", [*command.split(), str(tmp_path)])
    uniform_against_mixed.main()
    printed = capsys.readouterr().out
    header, row = rows(printed)
    cells = dict(zip(header, row, strict=True))
    assert float(cells["gain, dB"]) > -0.05
    assert cells["integers on the machine, mismatches"] == f"{2 * (2 * CROP) ** 2 * 3:,}, 0"
    assert float(cells["mixed, energy, mJ"]) <= float(cells["energy at most, mJ"])


def test_the_smallest_machine_is_fast_enough_and_the_next_smaller_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(smallest_accelerator, "held_out", small)
    monkeypatch.setattr(smallest_accelerator, "IMAGE", Size(32, 48))
    monkeypatch.setattr(smallest_accelerator, "WIDTHS", (6, 8))
    monkeypatch.setattr(smallest_accelerator, "FIDELITIES_DB", (40.0, 40.5, 1.0))
    monkeypatch.setattr(smallest_accelerator, "SRAM_KIB", (64, 128))
    monkeypatch.setattr(smallest_accelerator, "MOST_MS", 0.2)
    shapes = {"edge_npu": [(8, 16), (16, 16), (32, 16)], "edge_sr_npu": [(2, 8)]}
    monkeypatch.setattr(smallest_accelerator, "SHAPES", shapes)
    monkeypatch.setattr(sys, "argv", ["x", "--out", str(tmp_path)])
    smallest_accelerator.main()
    printed = capsys.readouterr().out
    found = [row for row in rows(printed) if row[0] in shapes]
    assert [row[0] for row in found] == list(shapes)
    for row in found:
        if row[1] != "none of those tried":
            assert float(row[7]) <= 0.2
            assert float(row[5]) > 0.5
            assert f"{row[0]}: {row[2]} multipliers are too few" not in printed


def test_pictures_choose_bits_or_are_given_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(adaptive_bits, "held_out", small)
    monkeypatch.setattr(adaptive_bits, "IMAGE", Size(24, 32))
    monkeypatch.setattr(adaptive_bits, "MACHINES", ("edge_npu",))
    monkeypatch.setattr(adaptive_bits, "PATCH_PIXELS", 32)
    monkeypatch.setattr(sys, "argv", ["x", "--network", "edsr_tiny_x2", "--bits", "w8a8"])
    adaptive_bits.main()
    whole, patches = [row for row in rows(capsys.readouterr().out) if row[0] != "who chooses"][:2]
    assert (whole[0], patches[0]) == ("whole pictures", "patches of 32")
    for row in (whole, patches):
        shares = [float(share.rstrip("%")) / 100 for share in row[1].split(",")]
        fixed = np.array([float(decibels) for decibels in row[2:5]])
        assert abs(sum(shares) - 1) < 0.02
        assert abs(float(row[6]) - fixed @ shares) < 0.02 * fixed.max()
        assert fixed.min() - 0.5 <= float(row[5]) <= fixed.max() + 0.5
