"""A run's page shows what its JSON says, in cards, charts and tables."""

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import plotly.graph_objects
import pytest

from hwsim.cost.explanation import CAUSES
from hwsim.report.colours import UNITS
from hwsim.report.labels import component_label, unit_label
from hwsim.report.page.page import render
from hwsim.report.recorded_run import RecordedRun
from hwsim.report.run_page import run_page
from hwsim.report.run_page.roofline import roofline_blocks
from tests.html_pages import Element, parsed
from tests.small_run import HOSTILE_NAMES, small_run

Json = dict[str, Any]
SECTIONS = ["summary", "pictures", "energy", "cycles", "roofline", "memory", "bits", "provenance"]


@cache
def tree() -> Element:
    return parsed(render(run_page(small_run())))


@cache
def record() -> Json:
    written: Json = json.loads(small_run().result.to_json())
    return written


def figure(name: str, place: int = 0, page: Element | None = None) -> Json:
    """An alternative of a chart."""
    scripts = (page or tree()).all("script", data_of=name)
    found: Json = json.loads(scripts[place].text)
    return found


def rows(caption: str) -> dict[str, list[str]]:
    """Exact figures of a table by its rows' names, words where there is none."""
    table = next(
        each
        for each in tree().all("table", class_="figures")
        if each.one("caption").text.startswith(caption)
    )
    return {
        name.children[0] if isinstance(name.children[0], str) else name.text: [
            cell.one("data").attributes["value"] if cell.all("data") else cell.text
            for cell in row.all("td")
        ]
        for row in table.one("tbody").all("tr")
        for name in row.all("th")
    }


def test_every_section_is_there() -> None:
    assert [section.attributes["id"] for section in tree().one("main").all("section")] == SECTIONS
    links = [a.attributes["href"] for a in tree().one("nav").all("a")]
    assert links == [f"#{name}" for name in SECTIONS]


def test_the_cards_have_the_figures_to_be_seen_first() -> None:
    cards = {card.one("dt").text: card for card in tree().one("dl", class_="cards").all("div")}
    result = record()

    assert cards["energy per image"].one("dd", class_="figure").text == (
        f"{result['energy_uj'] / 1000:,.3f} mJ"
    )
    assert cards["latency"].one("dd", class_="figure").text == f"{result['latency_ms']:,.3f} ms"
    assert cards["PSNR"].one("dd", class_="figure").text == f"{result['psnr_db']:.2f} dB"
    assert cards["bit-exact"].one("dd", class_="figure").text == "yes"


def test_the_machine_has_an_area_by_component() -> None:
    cards = {card.one("dt").text: card for card in tree().one("dl", class_="cards").all("div")}
    result = record()

    assert cards["area"].one("dd", class_="figure").text == f"{result['area_mm2']:,.3f} mm²"
    table = rows("Area of the machine by component")
    for component, mm2 in result["area_by_component_mm2"].items():
        (shown,) = table[component_label(component)]
        assert shown == "–" if mm2 is None else float(shown) == mm2
    without = replace(small_run().result, area_mm2=None, gate_equivalents=None)
    page = parsed(render(run_page(replace(small_run(), result=without))))
    assert "area" not in {card.one("dt").text for card in page.one("dl", class_="cards").all("div")}


def test_energy_bars_and_tables_are_those_of_the_json() -> None:
    chart, table = figure("energy-chart"), rows("Energy of each layer by component")
    result = record()

    assert list(table) == [layer["name"] for layer in result["layers"]]
    for place, layer in enumerate(result["layers"]):
        drawn = [trace["x"][place] for trace in chart["data"]]
        energy_uj, _, *parts = map(float, table[layer["name"]])
        assert energy_uj == layer["energy_uj"]
        assert drawn == parts
        assert sorted(filter(None, drawn)) == sorted(layer["energy_by_component_uj"].values())
        assert sum(parts) == pytest.approx(energy_uj)
    whole = rows("Energy by component")
    for component, energy_uj in result["energy_by_component_uj"].items():
        assert float(whole[component_label(component)][0]) == energy_uj


def test_cycle_bars_are_causes_that_add_up_and_units_at_work() -> None:
    causes, units = figure("cycles-chart", 0), figure("cycles-chart", 1)
    run = small_run()

    assert run.explanation is not None
    table = rows("Cycles of each layer by cause")
    layers = [layer for group in run.explanation.groups for layer in group.layers]
    assert sum(sum(trace["x"]) for trace in causes["data"]) == pytest.approx(run.result.cycles)
    for layer in layers:
        cycles, _, *parts = table[layer.name]
        assert int(cycles) == layer.cycles == pytest.approx(sum(map(float, parts)))
    assert len(causes["data"]) == sum(
        run.explanation.cycles_by_cause[cause] > 0 for cause in CAUSES
    )
    for place, layer_cost in enumerate(run.result.layers):
        drawn = {trace["name"]: trace["x"][place] for trace in units["data"]}
        assert drawn == {unit_label(unit): layer_cost.busy_cycles[unit] for unit in UNITS}


def test_no_dot_lies_above_the_roof() -> None:
    chart = figure("roofline-chart")
    explanation = small_run().explanation
    assert explanation is not None
    (layers,) = [trace for trace in chart["data"] if trace["name"] == "layers"]
    (cascades,) = [trace for trace in chart["data"] if trace["name"] == "cascades"]

    assert len(layers["x"]) == 6
    assert len(cascades["x"]) == len(explanation.groups)
    highest = max(max(trace["y"]) for trace in chart["data"] if trace["mode"] == "lines")
    for trace in (layers, cascades):
        for intensity, reached in zip(trace["x"], trace["y"], strict=True):
            roof = min(highest, intensity * explanation.dram_bytes_per_cycle)
            assert 0 < reached <= roof * (1 + 1e-9)
    for values in rows("Roofline of each layer and cascade").values():
        *_, roof, reached, share = values
        assert float(reached) <= float(roof) * (1 + 1e-9)
        assert float(share) <= 1 + 1e-9


def test_a_layer_without_traffic_has_no_dot_but_a_row() -> None:
    run = small_run()
    assert run.explanation is not None
    still = replace(run.result.layers[1], dram_bytes=0)
    layers = tuple(still if layer.name == still.name else layer for layer in run.result.layers)

    chart, table = roofline_blocks(replace(run.result, layers=layers), run.explanation)

    (dots,) = [each for each in chart.alternatives[0].data if each["name"] == "layers"]
    assert len(dots["x"]) == 5
    (row,) = [row for row in table.rows if row.cells[0].text == still.name]
    assert row.cells[1].text == "–"


def test_memory_over_time_reaches_the_peaks_and_the_end() -> None:
    chart = figure("memory-chart")
    run = small_run()
    assert run.explanation is not None
    in_use, reserved, dram = chart["data"]

    groups = run.explanation.groups
    assert max(in_use["y"]) * 1024 == max(group.sram_live_bytes for group in groups)
    assert max(reserved["y"]) * 1024 == max(group.sram_reserved_bytes for group in groups)
    assert max(dram["y"]) * 1024 == max(group.dram_live_bytes for group in groups)
    for trace in (in_use, reserved, dram):
        assert trace["x"] == sorted(trace["x"])
        assert trace["x"][-1] == run.result.cycles
    table = rows("Memory of each cascade")
    assert [int(row[1]) for row in table.values()] == [group.cycles for group in groups]


def test_strips_show_the_bits_of_layers_with_weights() -> None:
    (strip,) = tree().one("section", id="bits").all("table", class_="strip")

    weights, activations, _ = (row.all("td") for row in strip.all("tr"))
    layers = [layer for layer in record()["layers"] if layer["weight_bits"]]
    assert [cell.text for cell in weights] == [str(layer["weight_bits"]) for layer in layers]
    assert [cell.text for cell in activations] == [str(e["activation_bits"]) for e in layers]
    table = rows("Bits of each layer")
    assert len(table) == len(record()["layers"])


def test_provenance_has_command_hashes_and_what_is_left_out() -> None:
    section = tree().one("section", id="provenance")

    provenance = small_run().record
    assert provenance is not None
    values = [value.text for value in section.all("dd")]
    assert provenance.provenance.facts["command"] in values
    assert set(provenance.provenance.hashes.values()) <= set(values)
    assert section.one("pre").text == "<u>control</u>"


def test_hostile_names_are_text_everywhere() -> None:
    assert tree().one("h1").text.startswith("<b>network</b> (integer graph) on edge_npu")
    assert [image.attributes["src"][:22] for image in tree().all("img")] == (
        ["data:image/png;base64,"] * 3
    )
    for name in HOSTILE_NAMES.values():
        assert name in rows("Energy of each layer by component")
        for chart in ("energy-chart", "cycles-chart"):
            assert name not in figure(chart)["data"][0]["y"]
            assert (
                name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                in (figure(chart)["data"][0]["y"])
            )


@pytest.mark.parametrize("name", ["energy-chart", "cycles-chart", "roofline-chart", "memory-chart"])
def test_charts_are_what_plotly_knows(name: str) -> None:
    for script in tree().all("script", data_of=name):
        plotly.graph_objects.Figure(json.loads(re.sub(r"var\(--\w+\)", "#fff", script.text)))


def test_the_same_run_is_the_same_page() -> None:
    assert render(run_page(small_run())) == render(run_page(small_run()))


def test_an_estimate_has_no_pictures_and_a_bare_result_says_what_is_missing() -> None:
    result = small_run().result
    estimate = replace(small_run(), result=replace(result, output=None), panels=())
    bare = parsed(render(run_page(RecordedRun(result=result))))

    page = parsed(render(run_page(estimate)))
    ids = [section.attributes["id"] for section in page.one("main").all("section")]
    assert ids == [name for name in SECTIONS if name != "pictures"]
    ids = [section.attributes["id"] for section in bare.one("main").all("section")]
    assert ids == [name for name in SECTIONS if name not in ("roofline", "memory")]
    assert "report.json is missing" in bare.one("section", id="provenance").text
    assert "were not kept" in bare.one("section", id="pictures").text
    assert "were not kept" in bare.one("section", id="cycles").text
