"""Runs side by side: ratios, layers by how much they differ, the same in JSON, table and page."""

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import plotly.graph_objects
import pytest

from hwsim.report.page.page import render
from hwsim.report.provenance import IMAGE_PIXELS
from hwsim.report.recorded_run import RecordedRun
from hwsim.report.result import Result
from hwsim.report.run_differences import NamedRun, RunComparison
from hwsim.report.run_differences_table import print_differences
from hwsim.report.runs_page import runs_page
from tests.html_pages import Element, parsed
from tests.small_run import HOSTILE_NAMES, small_run

Json = dict[str, Any]


@cache
def compared() -> RunComparison:
    """The same image on a small and on a large memory, and an estimate without pictures."""
    estimate = replace(small_run().result, output=None, psnr_db=None, policy="w8a8")
    return RunComparison(
        (
            NamedRun("<i>small</i>", "runs/small", small_run()),
            NamedRun("large", "runs/large", small_run(64)),
            NamedRun("estimate", "est.json", RecordedRun(result=estimate)),
        )
    )


@cache
def record() -> Json:
    found: Json = json.loads(compared().to_json())
    return found


@cache
def tree() -> Element:
    return parsed(render(runs_page(compared())))


def results() -> list[Result]:
    return [run.result for run in compared().runs]


def test_settings_that_differ_are_named() -> None:
    assert record()["differing"] == ["policy", "accelerator"]
    assert record()["settings"]["policy"] == [None, None, "w8a8"]
    assert record()["settings"]["input_size"] == [[12, 17]] * 3
    assert [run["path"] for run in record()["runs"]] == ["runs/small", "runs/large", "est.json"]


def test_totals_stand_beside_their_ratios_to_the_first() -> None:
    totals = record()["totals"]

    energies = [result.energy_uj for result in results()]
    assert energies[0] != energies[1]
    assert totals["energy_uj"]["values"] == energies
    assert totals["energy_uj"]["ratios"] == [energy / energies[0] for energy in energies]
    assert totals["psnr_db"]["values"] == [results()[0].psnr_db, results()[1].psnr_db, None]
    assert totals["psnr_db"]["ratios"] == [None] * 3
    components = record()["energy_by_component_uj"]
    for place, energy_uj in enumerate(energies):
        assert sum(parts[place] for parts in components.values()) == pytest.approx(energy_uj)


def test_nothing_is_divided_by_nothing() -> None:
    still = replace(results()[0], macs=0, cycles=0, energy_uj=0.0, latency_ms=0.0, layers=())
    found = RunComparison(
        (
            NamedRun("still", "a", RecordedRun(result=still)),
            NamedRun("other", "b", RecordedRun(result=results()[1])),
        )
    )

    assert found.ratios("macs") == [None, None]
    assert {layer.importance for layer in found.layers()} == {0.0}
    render(runs_page(found))


def test_layers_come_by_how_much_they_differ() -> None:
    layers = record()["layers"]
    first = results()[0]

    assert sorted(layer["name"] for layer in layers) == sorted(e.name for e in first.layers)
    shares = [layer["importance"] for layer in layers]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0
    named = [{each.name: each for each in result.layers} for result in results()]
    for layer in layers:
        parts = [found[layer["name"]] for found in named]
        assert layer["energy_uj"] == [part.energy_uj for part in parts]
        assert layer["cycles"] == [part.cycles for part in parts]
        energy = max(abs(part.energy_uj - parts[0].energy_uj) for part in parts) / first.energy_uj
        times = [
            part.cycles * result.latency_ms / result.cycles
            for part, result in zip(parts, results(), strict=True)
        ]
        assert layer["latency_ms"] == pytest.approx(times)
        time = max(abs(each - times[0]) for each in times) / first.latency_ms
        assert layer["importance"] == pytest.approx(max(energy, time))


def test_a_layer_that_a_run_lacks_counts_as_nothing_there() -> None:
    less = replace(results()[0], layers=results()[0].layers[1:])
    found = RunComparison(
        (
            NamedRun("whole", "a", RecordedRun(result=results()[0])),
            NamedRun("less", "b", RecordedRun(result=less)),
        )
    )

    missing = found.layers()[0]
    assert missing.name == results()[0].layers[0].name
    assert missing.values("cycles") == [results()[0].layers[0].cycles, None]
    whole = results()[0]
    time = whole.layers[0].cycles / whole.cycles
    assert missing.importance == pytest.approx(
        max(whole.layers[0].energy_uj / whole.energy_uj, time)
    )


def test_the_tables_have_every_run_and_its_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    print_differences(compared(), [])

    out = capsys.readouterr().out
    (policy,) = [line for line in out.splitlines() if line.startswith("  policy ")]
    assert policy.split() == ["policy", "–", "–", "w8a8"]
    ratio = results()[1].energy_uj / results()[0].energy_uj
    assert f"{results()[1].energy_uj:,.1f} ×{ratio:,.3f}" in out
    assert record()["layers"][0]["name"] in out
    assert "<i>small</i>" in out


def test_the_page_has_the_figures_of_the_json() -> None:
    section = tree().one("section", id="totals")

    rows = {row.one("th").text: row for row in section.all("tbody")[0].all("tr")}
    energies = [float(data.attributes["value"]) for data in rows["energy [µJ]"].all("data")]
    assert energies == record()["totals"]["energy_uj"]["values"]
    assert rows["cycles"].all("small")[0].text.startswith("×")
    (figure,) = tree().all("script", data_of="components-chart")
    chart = json.loads(figure.text)
    totals = [sum(trace["x"][place] for trace in chart["data"]) for place in range(3)]
    assert totals == pytest.approx(energies)
    charts = [json.loads(each.text) for each in tree().all("script", data_of="layers-chart")]
    assert len(charts) == 3
    for trace, run in zip(charts[0]["data"], results()[1:], strict=True):
        change = sum(layer.energy_uj for layer in run.layers) - sum(
            layer.energy_uj for layer in results()[0].layers
        )
        assert sum(trace["x"]) == pytest.approx(change)


def test_pictures_of_runs_lie_over_one_another() -> None:
    viewer = tree().one("figure", id="picture-viewer")

    titles = [option.text for option in viewer.all("select")[0].all("option")]
    assert titles == ["<i>small</i>", "large", "bicubic", "original"]
    assert len(viewer.all("img")) == 4
    assert "not of one image" not in viewer.text


def test_what_differs_stands_out_and_runs_of_other_images_are_told() -> None:
    first, second = compared().runs[:2]
    assert second.recorded.record is not None
    provenance = second.recorded.record.provenance
    other = replace(provenance, hashes={**provenance.hashes, IMAGE_PIXELS: "3" * 64})
    record = replace(second.recorded.record, provenance=other)
    changed = replace(second, recorded=replace(second.recorded, record=record))

    page = parsed(render(runs_page(RunComparison((first, changed)))))

    assert "The runs are not of one image." in page.one("section", id="pictures").text
    rows = page.one("section", id="provenance").all("tr", class_="marked")
    assert [row.one("th").text for row in rows] == ["read from", "command", IMAGE_PIXELS]


def test_pictures_of_other_sizes_or_none_are_told() -> None:
    first, second, estimate = compared().runs
    panel = second.recorded.panels[0]
    panels = [replace(each, pixels=panel.pixels[1:]) for each in second.recorded.panels]
    cut = replace(second, recorded=replace(second.recorded, panels=panels))

    for runs, words in (
        ((first, cut), "differ in size"),
        ((first, estimate), "Fewer than two of these runs have pictures."),
    ):
        page = parsed(render(runs_page(RunComparison(runs))))
        assert words in page.one("section", id="pictures").text


def test_hostile_names_are_text_and_charts_are_what_plotly_knows() -> None:
    assert tree().one("h1").text == "<i>small</i> and large and estimate"
    assert len(tree().all("i")) == 0
    names = [name.text for name in tree().one("section", id="layers").all("th", scope="row")]
    assert set(HOSTILE_NAMES.values()) < set(names)
    for script in tree().all("script", type="application/json"):
        plotly.graph_objects.Figure(json.loads(re.sub(r"var\(--\w+\)", "#fff", script.text)))
