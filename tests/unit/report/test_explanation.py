"""Explanations for people and programs: tables, picture, JSON."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from hwsim.cost.explanation import CAUSES, explain
from hwsim.report import colours
from hwsim.report.explanation import LABELS, print_explanation
from hwsim.report.explanation_chart import write_explanation_chart
from hwsim.report.explanation_record import ExplanationRecord, explanation_record
from hwsim.report.summary import print_summary
from tests.unit.report.conftest import Priced


@pytest.fixture(scope="module")
def record(priced: Priced) -> ExplanationRecord:
    program, accelerator = priced.estimate.program, priced.energy.accelerator
    return explanation_record(explain(program, accelerator))


def test_every_cause_has_a_label_and_a_colour() -> None:
    assert set(LABELS) == set(CAUSES) == set(colours.CAUSES)
    assert len(set(LABELS.values())) == len(CAUSES)


def test_causes_of_the_record_add_up(priced: Priced, record: ExplanationRecord) -> None:
    assert sum(record.cycles_by_cause.values()) == pytest.approx(priced.cost.cycles, rel=1e-12)
    layers = priced.result.layers
    assert [group.cascade for group in record.groups] == sorted({each.cascade for each in layers})
    for group in record.groups:
        members = [each for each in layers if each.cascade == group.cascade]
        assert group.cycles == sum(each.cycles for each in members)
        assert group.cycles == sum(layer.cycles for layer in group.layers)
        for layer in group.layers:
            assert sum(layer.cycles_by_cause.values()) == pytest.approx(layer.cycles, rel=1e-12)
        assert (group.roofline is None) == (sum(each.macs for each in members) == 0)
    widest = max(group.sram_reserved_bytes for group in record.groups)
    assert widest == priced.cost.sram_peak_bytes


def test_narrow_operands_leave_bits_of_multipliers_idle(record: ExplanationRecord) -> None:
    layers = {layer.name: layer for group in record.groups for layer in group.layers}
    compute, narrow = (
        layers["block0.conv1"].cycles_by_cause[cause] for cause in ("compute", "narrow_operands")
    )
    assert compute / (compute + narrow) == pytest.approx(4 * 6 / 64)
    assert layers["head"].cycles_by_cause["narrow_operands"] == 0


def _title(lines: list[str], start: str) -> int:
    return next(number for number, line in enumerate(lines) if line.startswith(start))


def test_the_tables_have_a_line_for_each_layer_and_group(
    record: ExplanationRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    print_explanation(record)

    lines = capsys.readouterr().out.splitlines()
    cycles, roofs = lines[: (roof := _title(lines, "roofline"))], lines[roof:]
    for group in record.groups:
        first, *last = group.name.split(" … ")
        place = roofs.index(next(line for line in roofs if line.startswith(f"  {first} ")))
        assert f"{group.sram_reserved_bytes / 1024:,.1f}" in roofs[place]
        assert all(roofs[place + 1].strip() == name for name in last)
        for layer in group.layers:
            assert sum(line.startswith(f"  {layer.name} ") for line in cycles) == 1
    (total,) = [line for line in lines if line.startswith("  total")]
    assert total.split()[1] == f"{sum(group.cycles for group in record.groups):,}"
    shares = [float(cell) for cell in total.split()[3:] if cell != "–"]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(CAUSES))
    shown = [cause for cause in CAUSES if record.cycles_by_cause[cause]]
    for cause in CAUSES:
        assert any(CAUSES[cause] in line for line in lines) == (cause in shown)
    assert max(map(len, lines)) <= 110


def test_the_chart_has_a_bar_for_each_layer(record: ExplanationRecord, tmp_path: Path) -> None:
    many = replace(record, groups=record.groups * 8)
    path = tmp_path / "explanation.png"

    write_explanation_chart(path, "a network", many)

    with Image.open(path) as chart:
        assert chart.format == "PNG"
        assert chart.height >= 25 * len(many.groups)


def test_json_has_the_explanation(priced: Priced, record: ExplanationRecord) -> None:
    result = replace(priced.result, explanation=record)
    written = json.loads(result.to_json())["explanation"]
    assert written["groups"][0]["layers"][0]["cycles_by_cause"].keys() == CAUSES.keys()
    assert written["bound"] == record.bound


def test_a_launch_overhead_is_part_of_latency_and_has_a_line_of_its_own(
    priced: Priced, capsys: pytest.CaptureFixture[str]
) -> None:
    cost = replace(priced.cost, launch_overhead_us=860.0)
    assert cost.latency_ms == pytest.approx(priced.cost.latency_ms + 0.86)
    assert cost.cycles == priced.cost.cycles
    print_summary(priced.result)
    assert "launch" not in capsys.readouterr().out
    print_summary(replace(priced.result, launch_overhead_ms=0.86, latency_ms=cost.latency_ms))
    share = 0.86 / cost.latency_ms
    assert f"0.860 ms before the first command, {share:.0%} of latency" in capsys.readouterr().out
