"""A campaign that goes on where it stopped, and the command from arguments to files."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from accelerators.catalog import load_datapath_factors
from accelerators.synthesis.unit import Unit
from hwsim.calibration import campaign as campaigns
from hwsim.calibration.campaign import Campaign, Measured
from hwsim.calibration.points import RANDOM, WIDER, Point, points
from hwsim.cli import main
from hwsim.cli.commands import calibrate
from tests.rtl.synthesis.gates import needs_synthesis, osu018

pytestmark = needs_synthesis


def nothing(*_: int) -> None:
    """Neither operands of a network nor progress."""


def few_points() -> list[Point]:
    """Elements for 1 and 2 bits, on random operands."""
    kinds = ("output_stationary", "weight_stationary")
    return [
        point
        for point in points((1, 2), nothing)
        if point.datapath in kinds and point.operands == RANDOM
    ]


def measured(folder: Path, given: Sequence[Point]) -> list[Measured]:
    return list(Campaign(osu018(), folder).measure(given, nothing))


def test_what_was_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = few_points()
    first = measured(tmp_path, given[:3])
    synthesized: list[str] = []

    def counted(unit: Unit, *arguments: object) -> object:
        synthesized.append(unit)  # type: ignore[arg-type]
        return synthesize(unit, *arguments)  # type: ignore[arg-type]

    synthesize = campaigns.synthesize
    monkeypatch.setattr(campaigns, "synthesize", counted)
    again = measured(tmp_path, given)
    assert again[:3] == first
    assert len(synthesized) == len(given) - 3
    assert measured(tmp_path, given) == again
    assert len(synthesized) == len(given) - 3


def test_wider_operands_cost_more(tmp_path: Path) -> None:
    found = {
        (point.datapath, point.weight_bits, point.activation_bits): point
        for point in measured(tmp_path, few_points())
    }
    for kind in ("output_stationary", "weight_stationary"):
        narrow, wide = found[kind, 1, 1], found[kind, 2, 2]
        assert narrow.energy.delayed_pj < wide.energy.delayed_pj
        assert narrow.hardware.area_ge < wide.hardware.area_ge
        assert narrow.hardware.flip_flops < wide.hardware.flip_flops


def test_from_arguments_to_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command with a few small points, among them operands of the network."""

    def small(widths: Sequence[int], records: object) -> list[Point]:
        kinds = ("output_stationary", "adder", "multiplier", WIDER)
        found = [point for point in points(widths, records) if point.datapath in kinds]  # type: ignore[arg-type]
        cheapest = [p for p in points(widths, records) if p.datapath == "requantizer"][:1]  # type: ignore[arg-type]
        return [*found, *cheapest]

    monkeypatch.setattr(calibrate, "points", small)
    status = main(
        ["calibrate", "--widths", "8", "--name", "mine", "--out", str(tmp_path), "--quiet"]
    )
    assert status == 0
    files = [tmp_path / "mine.yaml", tmp_path / "mine.csv"]
    assert capsys.readouterr().out.splitlines() == [str(file) for file in files]
    factors = load_datapath_factors(files[0])
    assert factors.relative("output_stationary", 8, 8) == 1
    energy = factors.of("output_stationary")
    ((weight_bits, activation_bits, recorded_pj),) = energy.recorded_pj
    assert (weight_bits, activation_bits) == (8, 8)
    assert 0.5 < recorded_pj / energy.reference_pj < 0.95
    assert factors.provenance is not None
    assert factors.provenance.command == "hwsim calibrate edsr_tiny_x2 --widths 8 --name mine"
    assert factors.provenance.library_sha256 == osu018().sha256
