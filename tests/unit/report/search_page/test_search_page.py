"""A search's page shows what its JSON says, for every policy, in tables and charts."""

import json
import math
from dataclasses import replace
from functools import cache
from typing import Any

import plotly.graph_objects
import pytest

from hwsim.report.page.page import render
from hwsim.report.search_page import predicted_front, search_page
from hwsim.report.search_page.front import front_figure
from hwsim.report.search_page.points import series_of
from hwsim.report.search_page.predicted_front import drawn_front
from hwsim.report.search_page.quantities import COSTS, quantity_of, signed
from hwsim.search import Origin
from hwsim.search.chart import SERIES
from tests.html_pages import Element, parsed
from tests.small_search import HOSTILE_NAMES, PROVENANCE, RULE, small_search

Json = dict[str, Any]
UNITS = {"energy_uj": 1, "cycles": 1, "dram_bytes": 1e6, "sram_bytes": 1024}
"""What the page divides by, by key of the JSON."""


@cache
def html() -> str:
    found = small_search()
    return render(search_page(found, found.recommended(), PROVENANCE))


@cache
def tree() -> Element:
    return parsed(html())


@cache
def record() -> Json:
    written: Json = json.loads(json.dumps(small_search().to_json()))
    return written


def figures_of(name: str) -> list[Json]:
    """The alternatives of a chart."""
    return [json.loads(script.text) for script in tree().all("script", data_of=name)]


def cells_of(row: Element) -> list[str]:
    """The exact figures of a table's row, words where there is none."""
    return [
        cell.one("data").attributes["value"] if cell.all("data") else cell.text
        for cell in row.all("td")
    ]


def traces_by_name(figure: Json) -> dict[str, Json]:
    return {trace["name"]: trace for trace in figure["data"]}


def test_every_measured_policy_is_a_row_with_the_figures_of_the_json() -> None:
    rows = tree().one("section", id="front").all("tbody")[0].all("tr")

    points = sorted(record()["points"], key=lambda point: point["measured"]["energy_uj"])
    assert len(rows) == len(points) > 10
    for row, point in zip(rows, points, strict=True):
        assert row.one("th").text.startswith(point["label"])
        origin, unbeaten, fidelity, *costs, weights, activations = cells_of(row)
        measured = point["measured"]
        assert origin == point["origin"]
        assert unbeaten == ("yes" if point["best_measured"] else "no")
        assert float(fidelity) == measured["psnr_to_float_db"]
        assert [float(cost) for cost in costs] == [measured[k] / unit for k, unit in UNITS.items()]
        pairs = [bits.removeprefix("w").split("a") for bits in point["bits"].values()]
        for side, mean in enumerate((weights, activations)):
            assert float(mean) == pytest.approx(sum(int(p[side]) for p in pairs) / len(pairs))
        below = [cell.one("small").text for cell in row.all("td") if cell.all("small")]
        predicted = point["predicted"]
        assert bool(below) is (predicted is not None)
        if predicted is not None:
            assert below[0] == f"{predicted['psnr_to_float_db']:.2f}"
            assert below[1:] == [
                cost.rounded(predicted[key] / unit)
                for cost, (key, unit) in zip(COSTS, UNITS.items(), strict=True)
            ]
        assert ("bits not allowed" in row.text) is not point["permitted"]


def test_the_recommended_policy_stands_out() -> None:
    recommended = small_search().recommended()
    (row,) = tree().all("tr", class_="marked")
    assert row.one("th").text.startswith(recommended.label)
    cards = [card.text for card in tree().one("section", id="recommended").all("dd")]
    assert f"{recommended.measured.psnr_db:.2f} dB" in cards
    assert f"{recommended.measured.energy_uj:.4g} µJ" in cards
    change = recommended.measured.energy_fj / small_search().base.energy_fj - 1
    assert f"{signed(100 * change, 1)} % vs w8a8" in cards
    policy = tree().one("section", id="recommended").one("pre").text
    assert policy == recommended.policy.to_yaml().strip()


def test_the_front_chart_has_every_cost_every_policy_and_the_limits() -> None:
    figures = figures_of("front-chart")

    assert [figure["layout"]["xaxis"]["title"]["text"] for figure in figures] == [
        f"{title}, one image"
        for title in ("energy [µJ]", "cycles", "DRAM traffic [MB]", "SRAM [KiB]")
    ]
    for figure, (key, unit) in zip(figures, UNITS.items(), strict=True):
        traces = traces_by_name(figure)
        for series in SERIES:
            wanted = [
                (point["measured"][key] / unit, point["measured"]["psnr_to_float_db"])
                for point in record()["points"]
                if point["origin"] == series.origin.value
            ]
            trace = traces[series.words]
            assert list(zip(trace["x"], trace["y"], strict=True)) == wanted
        assert figure["layout"]["shapes"][0]["y0"] == 30.0
    assert figures[0]["layout"]["shapes"][1]["x0"] == 0.62
    assert figures[0]["layout"]["annotations"][1]["text"] == "at most 0.62 µJ"
    assert len(figures[1]["layout"]["shapes"]) == 1
    line = traces_by_name(figures[0])["front, predicted"]
    assert line["mode"] == "lines"
    assert line["x"] == record()["predicted_front"]["energy_uj"]
    assert line["y"] == pytest.approx(
        [10 * math.log10(255**2 / mse) for mse in record()["predicted_front"]["mse"]]
    )
    ring = traces_by_name(figures[0])["recommended"]
    assert ring["x"] == [small_search().recommended().measured.energy_uj]


def test_hover_tells_everything_of_a_policy() -> None:
    traces = traces_by_name(figures_of("front-chart")[0])

    text = traces["front, measured"]["text"][0]
    point = next(point for point in record()["points"] if point["origin"] == "front")
    assert text.startswith(f"<b>{point['label']}</b><br>fidelity ")
    for part in ("dB", "energy", "cycles", "DRAM traffic", "SRAM", "mean bits", "(weights)"):
        assert part in text
    assert f"(predicted {point['predicted']['psnr_to_float_db']:.2f})" in text
    # Four bits are in no table.
    assert "predicted" not in traces["uniform, measured"]["text"][1]


def test_every_policy_can_be_chosen_and_shows_its_bits() -> None:
    section = tree().one("section", id="bits")
    options = section.one("select").all("option")

    assert len(options) == len(record()["points"])
    assert options[0].text == f"recommended: {small_search().recommended().label}"
    by_label = {point["label"]: point for point in record()["points"]}
    for option in options:
        point = by_label[option.text.removeprefix("recommended: ")]
        item = section.one("div", data_item=option.attributes["value"])
        names, weights, activations = [], [], []
        for strip in item.all("table"):
            names += [head.attributes["title"] for head in strip.all("th", scope="col")]
            first, second, _ = strip.all("tr")
            weights += [cell.text for cell in first.all("td")]
            activations += [cell.text for cell in second.all("td")]
        shown = [f"w{w}a{a}" for w, a in zip(weights, activations, strict=True)]
        assert dict(zip(names, shown, strict=True)) == point["bits"]


def test_points_of_charts_select_what_they_show() -> None:
    labels = {
        option.attributes["value"]: option.text.removeprefix("recommended: ")
        for option in tree().one("section", id="bits").all("option")
    }
    for name in ("front-chart", "agreement-chart"):
        traces = [trace for trace in figures_of(name)[0]["data"] if "customdata" in trace]
        assert len(traces) >= len(SERIES)
        for trace in traces:
            for item, text in zip(trace["customdata"], trace["text"], strict=True):
                assert text.startswith(f"<b>{labels[item]}</b>")


def test_bits_along_the_front_are_those_of_the_solver() -> None:
    (figure,) = figures_of("front-bits-chart")
    front = small_search().front

    weights, activations = figure["data"]
    assert weights["x"] == pytest.approx(
        [10 * math.log10(255**2 / mse) for mse in record()["predicted_front"]["mse"]]
    )
    for place in (0, len(front) // 2, len(front) - 1):
        bits = front.bits(place).values()
        assert [row[place] for row in weights["z"]] == [each.weight_bits for each in bits]
        assert [row[place] for row in activations["z"]] == [each.activation_bits for each in bits]


def test_a_width_has_one_colour_in_strips_and_along_the_front() -> None:
    section = tree().one("section", id="bits")
    strips = {
        cell.text: cell.attributes["style"].split(";")[0].removeprefix("background: ")
        for cell in section.all("td")
    }
    (figure,) = figures_of("front-bits-chart")
    heat = figure["data"][0]

    assert set(strips) == {"2", "4", "8"}
    for width, colour in strips.items():
        place = (int(width) - heat["zmin"]) / (heat["zmax"] - heat["zmin"])
        below = [step for step in heat["colorscale"] if step[0] < place]
        assert below[-1][1] == colour


def test_predictions_stand_beside_what_was_simulated() -> None:
    (figure,) = figures_of("agreement-chart")
    points = {
        point["label"]: point for point in record()["points"] if point["predicted"] is not None
    }

    drawn = set()
    for trace in figure["data"]:
        key, unit = ("energy_uj", 1) if trace.get("xaxis") == "x2" else ("psnr_to_float_db", 1)
        for x, y, text in zip(trace["x"], trace["y"], trace["text"], strict=True):
            label = text.removeprefix("<b>").split("</b>")[0]
            drawn.add(label)
            assert (x * unit, y * unit) == (
                points[label]["predicted"][key],
                points[label]["measured"][key],
            )
    assert drawn == set(points)


def test_rank_correlations_and_the_worst_errors_are_told() -> None:
    cards = tree().one("section", id="agreement").all("dd", class_="figure")
    correlation = record()["rank_correlation"]
    pairs = [
        (point["predicted"], point["measured"])
        for point in record()["points"]
        if point["predicted"] is not None
    ]
    worst_db = max((p["psnr_to_float_db"] - m["psnr_to_float_db"] for p, m in pairs), key=abs)
    worst = max((p["energy_uj"] / m["energy_uj"] - 1 for p, m in pairs), key=abs)

    assert [card.text for card in cards] == [
        f"{correlation['mse']:.4f}",
        f"{correlation['energy']:.4f}",
        f"{signed(worst_db, 2)} dB",
        f"{signed(100 * worst, 1)} %",
    ]


def test_sensitivity_is_the_quality_table() -> None:
    both, weights, activations = figures_of("sensitivity-chart")
    choices, increase = record()["choices"], record()["mse_increase"]
    available = record()["available"]

    assert choices == ["w2a2", "w2a8", "w8a2", "w8a8"]
    assert both["data"][0]["x"] == [["w2", "w2", "w8", "w8"], ["a2", "a8", "a2", "a8"]]
    for row, added, there in zip(both["data"][0]["z"], increase, available, strict=True):
        for exponent, each, known in zip(row, added, there, strict=True):
            assert (exponent is not None) == known
            if known and each > 0:
                assert 10**exponent == pytest.approx(each)
    assert weights["data"][0]["x"] == [["w2", "w8"], ["a8", "a8"]]
    assert activations["data"][0]["x"] == [["w8", "w8"], ["a2", "a8"]]
    assert [row[0] for row in weights["data"][0]["z"]] == [row[1] for row in both["data"][0]["z"]]
    (body,) = tree().one("section", id="sensitivity").all("tbody")
    cells = [cell for row in body.all("tr") for cell in cells_of(row)[1:]]
    assert cells == [
        str(float(added)) if known else "–"
        for row, there in zip(increase, available, strict=True)
        for added, known in zip(row, there, strict=True)
    ]


def test_what_a_layer_may_not_have_is_blank() -> None:
    layer, allowed = RULE
    row = small_search().model.layers.index(layer)
    blank = [bits not in map(str, allowed) for bits in record()["choices"]]

    assert blank == [True, False, True, False]
    drawn = figures_of("sensitivity-chart")[0]["data"][0]["z"][row]
    assert [exponent is None for exponent in drawn] == blank


def test_hostile_names_are_text_everywhere() -> None:
    assert tree().all("img") == []
    assert tree().all("b") == tree().all("i") == tree().all("u") == []
    runnable = [s for s in tree().all("script") if "type" not in s.attributes]
    assert len(runnable) == 2
    names = {
        head.attributes["title"]
        for head in tree().all("th", scope="col")
        if head.attributes.get("title")
    }
    assert set(HOSTILE_NAMES.values()) < names
    for chart in ("front-bits-chart", "sensitivity-chart"):
        trace = figures_of(chart)[0]["data"][0]
        assert not any("<" in name for name in trace["y"])
        assert trace["y"][0] == "&lt;/script&gt;&lt;script&gt;alert('head')&lt;/script&gt;"
    assert tree().one("h1").text.startswith("Bits of <b>network</b> on edge_npu")


def test_provenance_is_told() -> None:
    section = tree().one("section", id="provenance")

    facts = dict(
        zip((e.text for e in section.all("dt")), (e.text for e in section.all("dd")), strict=True)
    )
    assert facts == {**PROVENANCE.facts, **PROVENANCE.hashes}
    assert section.one("pre").text == "<u>control</u>"


def test_the_same_search_is_the_same_page() -> None:
    found = small_search()

    assert render(search_page(found, found.recommended(), PROVENANCE)) == html()


def test_plotly_knows_every_property_of_the_charts() -> None:
    names = ("front-chart", "front-bits-chart", "agreement-chart", "sensitivity-chart")
    for name in names:
        for figure in figures_of(name):
            text = json.dumps(figure).replace("var(--paper)", "#fff").replace("var(--ink)", "#000")
            plotly.graph_objects.Figure(json.loads(text))


def test_every_reason_to_measure_has_a_marker() -> None:
    found = small_search()
    points = tuple(replace(found.points[0], origin=origin) for origin in Origin)

    traces = series_of(replace(found, points=points), points)

    assert {points[0].origin for _, points in traces} == set(Origin)
    assert len({trace["marker"]["symbol"] for trace, _ in traces}) == len(Origin)
    assert len({trace["marker"]["color"] for trace, _ in traces}) == len(Origin)


def test_large_fronts_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    found, every = small_search(), drawn_front(small_search())
    assert [policy.number for policy in every] == list(range(1, len(found.front) + 1))
    assert "are drawn" not in tree().one("section", id="front").one("figcaption").text

    monkeypatch.setattr(predicted_front, "MOST_DRAWN", 10)

    some = drawn_front(found)
    assert 2 < len(some) <= 10
    assert (some[0].number, some[-1].number) == (1, len(every))
    words = front_figure(found, found.recommended()).words
    assert f"{len(every)} policies on the predicted front" in words
    assert f"of which {len(some)} are drawn" in words


@pytest.mark.parametrize(
    ("change", "words"), [(-0.04, "+0.0"), (-1.26, "−1.3"), (math.inf, "+∞"), (2.0, "+2.0")]
)
def test_changes_have_signs(change: float, words: str) -> None:
    assert signed(change, 1) == words


def test_small_amounts_keep_their_digits() -> None:
    energy = quantity_of(small_search().request.resource)

    assert energy is COSTS[0]
    assert [energy.rounded(amount) for amount in (0.61234, 99.87, 4400.23)] == [
        "0.6123",
        "99.9",
        "4,400.2",
    ]
