"""A co-search's page, chart and summary show what its JSON says."""

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hwsim.report.codesign import print_codesign
from hwsim.report.codesign_chart import drawn_front, write_codesign_chart
from hwsim.report.codesign_page import codesign_page
from hwsim.report.codesign_page import fronts as fronts_module
from hwsim.report.codesign_page.fronts import fronts_figure
from hwsim.report.measures import MEASURES, limit_of, limit_words, measure_of
from hwsim.report.page.page import render
from hwsim.search import Limits, Resource
from hwsim.search.codesign import CodesignResult, Variant, codesign_json
from tests.html_pages import Element, parsed
from tests.small_codesign import REQUEST, small_codesign, variants
from tests.small_search import PROVENANCE

Json = dict[str, Any]
UNITS = {"energy_uj": 1, "latency_ms": 1, "dram_bytes": 1e6, "sram_bytes": 1024}
"""What is divided by, by key of the JSON."""


def folders() -> dict[str, str]:
    labels = [each.variant.label for each in small_codesign().outcomes]
    return {label: f"folder-{place}" for place, label in enumerate(labels)}


@cache
def tree() -> Element:
    return parsed(render(codesign_page(small_codesign(), PROVENANCE, folders())))


@cache
def record() -> Json:
    written: Json = json.loads(json.dumps(codesign_json(small_codesign(), folders())))
    return written


def figures() -> list[Json]:
    return [json.loads(script.text) for script in tree().all("script", data_of="fronts-chart")]


def by_place() -> list[Json]:
    """The variants, the best first, those without a place last."""
    return sorted(record()["variants"], key=lambda each: each["place"] or math.inf)


def test_every_variant_is_a_row_the_best_first() -> None:
    rows = tree().one("section", id="variants").one("tbody").all("tr")

    assert len(rows) == len(by_place()) + len(record()["rejected"]) == 7
    for row, variant in zip(rows, by_place(), strict=False):
        assert row.one("th").text.startswith(variant["variant"])
        values = [
            float(cell.one("data").attributes["value"]) if cell.all("data") else None
            for cell in row.all("td")
        ]
        *figures, multipliers, sram_kib, dram, logic, area, volume = values
        assert (multipliers, sram_kib, dram) == (
            variant["multipliers"],
            variant["sram_kib"],
            variant["dram_gb_per_s"],
        )
        assert logic == pytest.approx(variant["gate_equivalents"] / 1000)
        assert area == pytest.approx(variant["area_mm2"])
        assert volume == variant["hypervolume"]
        recommended = variant["recommended"]
        if recommended is None:
            assert figures == [None] * 5
            assert variant["reason"] in row.one("th").text
            continue
        costs = [recommended[key] / unit for key, unit in UNITS.items()]
        assert figures == [recommended["psnr_to_float_db"], *costs]
        assert f"{recommended['label']}, {variant['folder']}/" in row.one("th").text
    last = rows[-1].one("th").text
    assert all(words in last for words in record()["rejected"][0].values())


def test_the_recommended_stands_out_with_its_policy() -> None:
    (row,) = tree().all("tr", class_="marked")
    best = record()["recommended"]

    assert row.one("th").text.startswith(best["variant"])
    section = tree().one("section", id="recommended")
    assert section.one("pre").text == best["policy"].strip()
    facts = dict(
        zip(
            [name.text for name in section.all("dl")[-1].all("dt")],
            [value.text for value in section.all("dl")[-1].all("dd")],
            strict=True,
        )
    )
    assert "proven, with a gap of 0." in section.text
    assert "integers, 0 of which differ from the graph's." in section.text
    assert facts["method"] == small_codesign().recommended().variant.method
    assert facts["machine"] == small_codesign().recommended().variant.target.accelerator.name
    assert facts["files"] == folders()[best["variant"]]


def test_the_chart_has_the_unbeaten_policies_of_every_variant_against_every_cost() -> None:
    titles = [figure["layout"]["xaxis"]["title"]["text"] for figure in figures()]
    assert titles == [
        f"{title}, one image"
        for title in ("time [ms]", "energy [µJ]", "DRAM traffic [MB]", "SRAM in use [KiB]")
    ]
    keys = ("latency_ms", "energy_uj", "dram_bytes", "sram_bytes")
    for figure, key in zip(figures(), keys, strict=True):
        of_all, *lines, ring = figure["data"]
        assert len(lines) == 4
        with_points = [each for each in record()["variants"] if each["points"]]
        for line, variant in zip(lines, with_points, strict=True):
            pairs = {(p[key] / UNITS[key], p["psnr_to_float_db"]) for p in variant["points"]}
            unbeaten = {
                (cost, db)
                for cost, db in pairs
                if not any(c <= cost and d >= db and (c, d) != (cost, db) for c, d in pairs)
            }
            assert list(zip(line["x"], line["y"], strict=True)) == sorted(unbeaten)
            assert line["name"] == variant["variant"].replace("<", "&lt;").replace(">", "&gt;")
        assert ring["x"] == [record()["recommended"][key] / UNITS[key]]
        assert sorted(of_all["x"]) == of_all["x"]
        assert sorted(of_all["y"]) == of_all["y"]
        assert figure["layout"]["shapes"][0]["y0"] == 30.0


def test_points_that_can_be_chosen_have_their_bits_below() -> None:
    section = tree().one("section", id="bits")
    labels = {option.attributes["value"]: option.text for option in section.all("option")}

    assert next(iter(labels.values())).startswith("recommended: ")
    shown = {(each["variant"], each["label"]) for each in record()["front"]}
    shown |= {(v["variant"], v["recommended"]["label"]) for v in by_place() if v["recommended"]}
    assert len(labels) == len(shown)
    known = 0
    for line in figures()[0]["data"][1:-1]:
        for item, text in zip(line["customdata"], line["text"], strict=True):
            if item is not None:
                known += 1
                variant, label = text.split("<br>")[:2]
                words = f"{variant.removeprefix('<b>').removesuffix('</b>')}, {label}"
                unescaped = words.replace("&lt;", "<").replace("&gt;", ">")
                assert labels[item].removeprefix("recommended: ") == unescaped
    assert known >= 4


def test_the_strip_of_the_recommended_has_its_bits() -> None:
    section = tree().one("section", id="bits")
    item = section.one("div", data_item=section.all("option")[0].attributes["value"])
    names = [head.attributes["title"] for head in item.all("th", scope="col")]
    weights, activations, _ = item.one("table").all("tr")

    bits = [
        f"w{w.text}a{a.text}" for w, a in zip(weights.all("td"), activations.all("td"), strict=True)
    ]
    assert dict(zip(names, bits, strict=True)) == record()["recommended"]["bits"]


def test_many_variants_have_no_legend(monkeypatch: pytest.MonkeyPatch) -> None:
    named = fronts_figure(small_codesign())
    monkeypatch.setattr(fronts_module, "MOST_NAMED", 3)

    figure = fronts_figure(small_codesign())

    assert figure.height < named.height
    assert [trace["showlegend"] for trace in figure.alternatives[0].data[1:-1]] == [False] * 4


def limited(limits: Limits) -> list[Variant]:
    return variants(replace(REQUEST, limits=limits))


def test_limits_are_told_in_time_where_they_are_one_time() -> None:
    by_time = [
        replace(
            each,
            request=replace(
                each.request,
                limits=Limits(
                    min_psnr_db=30, max_cycles=round(each.target.accelerator.clock_mhz * 1e3)
                ),
            ),
        )
        for each in variants()
    ]
    by_cycles = limited(Limits(max_energy_uj=5, max_cycles=900_000, min_psnr_db=30))
    latency = measure_of(Resource.LATENCY)

    assert limit_of(by_time, latency) == pytest.approx(1)
    assert limit_words(by_time) == ("at most 1.000 ms", "at least 30 dB")
    assert limit_of(by_cycles, latency) is None
    assert limit_words(by_cycles) == ("at most 5.0 µJ", "at most 900,000 cycles", "at least 30 dB")
    assert limit_of(variants(), measure_of(Resource.DRAM)) is None


def test_the_front_of_one_cost_leaves_out_what_has_no_place_in_decibels() -> None:
    choices = small_codesign().choices()
    first = choices[0]
    flawless = replace(first.point, measured=replace(first.measured, mse=0.0))
    for measure in MEASURES:
        front = drawn_front((*choices, replace(first, point=flawless)), measure)
        assert all(choice.measured.mse > 0 for choice in front)
        assert [measure.amount(each) for each in front] == sorted(map(measure.amount, front))


def test_the_chart_is_a_picture(tmp_path: Path) -> None:
    write_codesign_chart(small_codesign(), tmp_path / "codesign.png")

    assert (tmp_path / "codesign.png").read_bytes().startswith(b"\x89PNG")


def test_the_summary_tells_every_variant_and_why_some_have_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_codesign(small_codesign(), [Path("out/a/search.json"), Path("out/codesign.json")])

    words = " ".join(capsys.readouterr().out.split())
    best = small_codesign().recommended()
    assert f"» recommended: {best.variant.label}, {best.point.label}:" in words
    assert "array.rows=32, clock_mhz=200], <b>dark</b>" in " ".join(words.split())
    assert f"{by_place()[-1]['variant']}: operator 'tail.0.0'" in words
    assert "edge_npu[array.rows=256]: sram: too few <banks>" in words
    assert "written to out: codesign.json, and a folder for each variant" in words
    assert "On this machine: The optimum has the least latency" in words
    assert "0 of which differ from the graph's." in words
    assert words.endswith("Energy table horowitz45.")


def test_different_energy_tables_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    from accelerators import EnergyModel, load_energy_table

    outcome = small_codesign().outcomes[0]
    machine = outcome.variant.target.accelerator
    energy = EnergyModel(machine, load_energy_table("synth45"))
    target = replace(outcome.variant.target, energy=energy)
    other = replace(outcome, variant=replace(outcome.variant, target=target))

    print_codesign(CodesignResult((outcome, other)), [])

    words = " ".join(capsys.readouterr().out.split())
    assert "priced by different energy tables (horowitz45, synth45), which disagree" in words
