"""A search's page in a real browser: it draws, answers, prints, and loads nothing."""

import json
from pathlib import Path

import pytest

from hwsim.report.page.page import write_page
from hwsim.report.search_page import search_page
from hwsim.search.chart import SERIES
from quant.imaging import read_image
from tests.browser import NAMES, Tab, browser_command
from tests.small_search import HOSTILE_NAMES, PROVENANCE, small_search

pytestmark = pytest.mark.skipif(
    browser_command() is None, reason=f"none of {', '.join(NAMES)} is on PATH"
)

DARK = [{"name": "prefers-color-scheme", "value": "dark"}]
INK = "getComputedStyle(document.querySelector('#front-chart .xtitle')).fill"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "search.html"
    found = small_search()
    write_page(search_page(found, found.recommended(), PROVENANCE), path)
    return path


def test_every_chart_draws_what_it_is_given(tab: Tab) -> None:
    drawn = tab.evaluate(
        "[...document.querySelectorAll('.plot')].map((plot) => "
        "[plot.id, plot.querySelectorAll('.points path, .heatmaplayer image').length > 0])"
    )

    assert drawn == [
        ["front-chart", True],
        ["front-bits-chart", True],
        ["agreement-chart", True],
        ["sensitivity-chart", True],
    ]


def test_markers_are_seen_in_their_colours(tab: Tab, tmp_path: Path) -> None:
    tab.evaluate("document.getElementById('front-chart').scrollIntoView()")

    tab.screenshot(tmp_path / "seen.png")

    seen = {tuple(colour) for colour in read_image(tmp_path / "seen.png").reshape(-1, 3)}
    wanted = [tuple(bytes.fromhex(series.colour.removeprefix("#"))) for series in SERIES]
    assert set(wanted) <= seen


def test_hostile_layer_names_are_drawn_as_text(tab: Tab) -> None:
    labels = tab.evaluate(
        "[...document.querySelectorAll('#sensitivity-chart .ytick text')].map((t) => t.textContent)"
    )

    assert set(HOSTILE_NAMES.values()) < set(labels)
    assert tab.evaluate("document.querySelectorAll('main img, .plot a[*|href]').length") == 0


def test_the_cost_can_be_chosen(tab: Tab) -> None:
    tab.choose("[data-plot=front-chart]", "1")

    tab.wait("document.querySelector('#front-chart .xtitle').textContent === 'cycles, one image'")
    assert tab.evaluate("document.querySelector('#front-chart').data[1].x[0]") == (
        small_search().points[2].measured.cycles
    )


def test_a_chosen_policy_shows_its_bits_and_stands_out(tab: Tab) -> None:
    assert shown(tab) == [f"recommended: {small_search().recommended().label}"]

    tab.choose("[data-items=policies]", "policy-3")

    label = small_search().points[2].label
    assert shown(tab) == [label]
    for chart in ("front-chart", "agreement-chart"):
        tab.wait(
            f"document.getElementById('{chart}').data.some((trace) => (trace.selectedpoints || [])"
            ".some((point) => trace.customdata[point] === 'policy-3'))"
        )


def test_a_click_on_a_point_chooses_its_policy(tab: Tab) -> None:
    """The cheapest of the front, which no other point is near."""
    item, x, y = tab.evaluate(
        "(() => { const chart = document.getElementById('front-chart');"
        "chart.scrollIntoView({block: 'center'});"
        "const trace = chart.data.findIndex((each) => each.name === 'front, measured');"
        "const box = chart.querySelectorAll('.scatterlayer .trace')[trace]"
        ".querySelector('.points path').getBoundingClientRect();"
        "return [chart.data[trace].customdata[0], box.x + box.width / 2, box.y + box.height / 2];"
        "})()"
    )
    point = small_search().points[int(item.removeprefix("policy-")) - 1]

    tab.move(x, y)
    words = f"{point.label}fidelity {point.measured.psnr_db:.2f} dB"
    tab.wait(
        "document.querySelector('#front-chart .hoverlayer').textContent"
        f".startsWith({json.dumps(words)})"
    )
    tab.click(x, y)

    tab.wait(f"document.querySelector('[data-items=policies]').value === '{item}'")
    assert shown(tab) == [point.label]


def test_charts_follow_the_theme(tab: Tab) -> None:
    light = tab.evaluate(INK)

    tab.call("Emulation.setEmulatedMedia", features=DARK)

    try:
        tab.wait(f"{INK} !== '{light}'")
    finally:
        tab.call("Emulation.setEmulatedMedia", features=[])
    tab.wait(f"{INK} === '{light}'")


def test_paper_gets_everything_unfolded_and_within_its_width(tab: Tab) -> None:
    folded = "document.querySelectorAll('details:not([open])').length"
    width = "document.querySelector('#front-chart .main-svg').getAttribute('width')"
    closed, wide = tab.evaluate(folded), float(tab.evaluate(width))
    assert closed == 3

    tab.evaluate("dispatchEvent(new Event('beforeprint'))")

    tab.wait(f"Number({width}) === 680")
    assert tab.evaluate(folded) == 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    tab.wait(f"Number({width}) === {wide}")
    assert tab.evaluate(folded) == closed


def test_a_chart_can_be_saved_as_a_picture(tab: Tab) -> None:
    picture = tab.evaluate(
        "Plotly.toImage('front-chart', {format: 'png', width: 300, height: 200})"
    )

    assert picture.startswith("data:image/png;base64,")


def test_a_narrow_window_needs_no_scrolling_sideways(tab: Tab) -> None:
    tab.call("Emulation.setDeviceMetricsOverride", width=420, height=800, deviceScaleFactor=1,
             mobile=True)  # fmt: skip

    try:
        tab.wait("document.querySelector('#front-chart .main-svg').clientWidth < 420")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 420
    finally:
        tab.call("Emulation.clearDeviceMetricsOverride")


def shown(tab: Tab) -> list[str]:
    """The policies whose strips are to be seen."""
    labels: list[str] = tab.evaluate(
        "[...document.querySelectorAll('#policies .item')].filter((item) => !item.hidden)"
        ".map((item) => item.querySelector('strong').textContent)"
    )
    return labels
