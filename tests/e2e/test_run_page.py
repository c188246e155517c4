"""A run's page in a real browser: charts, pictures to compare, keyboard, theme, paper."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.report.colours import component_colours
from hwsim.report.page.page import write_page
from hwsim.report.recorded_run import RecordedRun
from hwsim.report.run_differences import NamedRun, RunComparison
from hwsim.report.run_page import run_page
from hwsim.report.runs_page import runs_page
from quant.imaging import read_image
from tests.browser import NAMES, Tab, browser_command
from tests.small_run import HOSTILE_NAMES, small_run

pytestmark = pytest.mark.skipif(
    browser_command() is None, reason=f"none of {', '.join(NAMES)} is on PATH"
)

DARK = [{"name": "prefers-color-scheme", "value": "dark"}]
INK = "getComputedStyle(document.querySelector('#energy-chart .xtitle')).fill"
VIEWER = "document.getElementById('picture-viewer')"
HEIGHT, WIDTH = 40, 60
"""Of the pictures in the viewer."""
EDGE = 2
"""Pixels around a picture on the screen that may be mixed with what is beside it."""
RED, BLUE, GREEN = (200, 30, 30), (30, 30, 200), (30, 160, 30)


def coloured_run() -> RecordedRun:
    """A run whose pictures are of one colour each, that of the machine with a white pixel."""
    panels = [
        replace(panel, pixels=np.full((HEIGHT, WIDTH, 3), colour, np.uint8))
        for panel, colour in zip(small_run().panels, (RED, BLUE, GREEN), strict=True)
    ]
    panels[1].pixels[20, 45] = 255
    return replace(small_run(), panels=panels)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(run_page(coloured_run()), path)
    return path


@pytest.fixture
def viewer(tab: Tab) -> Tab:
    """The page, the pictures in the middle of the window."""
    tab.evaluate(f"{VIEWER}.scrollIntoView({{block: 'center'}})")
    return tab


def box(tab: Tab) -> Any:
    """Where the pictures are seen: left, top, width, height in CSS pixels."""
    return tab.evaluate(
        "(() => { const box = [...document.querySelectorAll('.view')].find((view) => !view.hidden)"
        ".getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })()"
    )


def seen(tab: Tab, folder: Path) -> np.ndarray:
    """The pictures as they are on the screen."""
    tab.screenshot(folder / "seen.png")
    left, top, width, height = (round(each) for each in box(tab))
    return read_image(folder / "seen.png")[top : top + height, left : left + width]


def set_line(tab: Tab, percent: float) -> None:
    tab.evaluate(
        f"{{const line = document.querySelector('[data-split]'); line.value = {percent};"
        "line.dispatchEvent(new Event('input'));}"
    )


def zoom(tab: Tab, level: str) -> None:
    tab.evaluate(
        f"{{const zoom = document.querySelector('[data-zoom]'); zoom.value = '{level}';"
        "zoom.dispatchEvent(new Event('change', {bubbles: true}));}"
    )


def press(tab: Tab, key: str, text: str = "") -> None:
    for event in ("keyDown", "keyUp"):
        tab.call("Input.dispatchKeyEvent", type=event, key=key, text=text, code=key)


def test_every_chart_draws_what_it_is_given(tab: Tab) -> None:
    drawn = tab.evaluate(
        "[...document.querySelectorAll('.plot')].map((plot) => [plot.id, plot.querySelectorAll("
        "'.points path, .scatterlayer .js-line').length > 0])"
    )

    charts = ("energy-chart", "cycles-chart", "roofline-chart", "memory-chart")
    assert drawn == [[name, True] for name in charts]


def test_the_bars_are_seen_in_the_components_colours(tab: Tab, tmp_path: Path) -> None:
    tab.evaluate("document.getElementById('energy-chart').scrollIntoView()")

    tab.screenshot(tmp_path / "seen.png")

    colours = component_colours(small_run().result.energy_by_component_uj).values()
    wanted = {tuple(bytes.fromhex(colour.removeprefix("#"))) for colour in colours}
    assert wanted <= {tuple(pixel) for pixel in read_image(tmp_path / "seen.png").reshape(-1, 3)}


def test_hostile_names_are_drawn_as_text(tab: Tab) -> None:
    labels = tab.evaluate(
        "[...document.querySelectorAll('#energy-chart .ytick text')].map((t) => t.textContent)"
    )

    assert set(HOSTILE_NAMES.values()) <= set(labels)
    assert tab.evaluate("document.querySelectorAll('main img').length") == 3


def test_units_at_work_can_be_chosen(tab: Tab) -> None:
    tab.choose("[data-plot=cycles-chart]", "1")

    tab.wait("document.querySelector('#cycles-chart').data.length === 3")
    assert tab.evaluate("document.querySelector('#cycles-chart').data[0].x") == [
        layer.busy_cycles["mac_array"] for layer in small_run().result.layers
    ]


def test_two_pictures_meet_at_the_line(viewer: Tab, tmp_path: Path) -> None:
    zoom(viewer, "4")
    set_line(viewer, 25)

    picture = seen(viewer, tmp_path)

    assert picture.shape[:2] == (4 * HEIGHT, 4 * WIDTH)
    above_labels = picture[EDGE : 2 * HEIGHT, EDGE:-EDGE]
    assert (above_labels[:, : WIDTH - 12] == RED).all()
    right = above_labels[:, WIDTH + 12 :]
    assert ((right == BLUE).all(axis=2) | (right == 255).all(axis=2)).all()


def test_a_pixel_enlarged_is_a_sharp_square(viewer: Tab, tmp_path: Path) -> None:
    zoom(viewer, "8")
    set_line(viewer, 0)

    picture = seen(viewer, tmp_path)

    white = np.argwhere((picture[: 6 * HEIGHT, 40:] == 255).all(axis=2))
    assert len(white) == 64
    assert (white.max(axis=0) - white.min(axis=0) == 7).all()


def test_any_two_pictures_can_be_chosen_the_same_twice_too(viewer: Tab, tmp_path: Path) -> None:
    for side, place in (("left", 2), ("right", 2)):
        viewer.evaluate(
            f"{{const side = document.querySelector('[data-side={side}]'); side.value = '{place}';"
            "side.dispatchEvent(new Event('change', {bubbles: true}));}"
        )
    zoom(viewer, "4")
    set_line(viewer, 50)

    picture = seen(viewer, tmp_path)[EDGE : 2 * HEIGHT, EDGE:-EDGE]

    middle = 2 * WIDTH
    assert (picture[:, : middle - 12] == GREEN).all()
    assert (picture[:, middle + 12 :] == GREEN).all()


def test_the_line_can_be_dragged(viewer: Tab) -> None:
    zoom(viewer, "4")
    left, top, width, height = box(viewer)
    y = top + height / 2

    viewer.call("Input.dispatchMouseEvent", type="mousePressed", x=left + width / 2, y=y,
                button="left", buttons=1, clickCount=1)  # fmt: skip
    viewer.call("Input.dispatchMouseEvent", type="mouseMoved", x=left + width / 4, y=y,
                button="left", buttons=1)  # fmt: skip
    viewer.call("Input.dispatchMouseEvent", type="mouseReleased", x=left + width / 4, y=y,
                button="left", clickCount=1)  # fmt: skip

    viewer.wait("Math.abs(document.querySelector('[data-split]').value - 25) < 1")


def test_the_keyboard_alone_enlarges_and_moves(viewer: Tab) -> None:
    zoom(viewer, "16")
    viewer.call("Emulation.setDeviceMetricsOverride", width=500, height=400, deviceScaleFactor=1,
                mobile=False)  # fmt: skip
    try:
        viewer.evaluate("document.querySelector('.view').focus()")
        offset = "getComputedStyle(document.querySelector('.view')).getPropertyValue('--x')"
        viewer.wait(f"parseFloat({offset}) < 0")
        before = viewer.evaluate(f"parseFloat({offset})")

        press(viewer, "ArrowRight")
        moved = viewer.evaluate(f"parseFloat({offset})")
        press(viewer, "-", "-")

        assert moved < before
        assert viewer.evaluate("document.querySelector('[data-zoom]').value") == "12"
        for _ in range(40):
            press(viewer, "ArrowRight")
        width, seen_width = WIDTH * 12, box(viewer)[2]
        assert viewer.evaluate(f"parseFloat({offset})") == pytest.approx(seen_width - width)
    finally:
        viewer.call("Emulation.clearDeviceMetricsOverride")


def test_every_control_is_reached_with_the_tabulator_and_has_a_name(tab: Tab) -> None:
    controls = tab.evaluate(
        "[...document.querySelectorAll('select, input, .view, summary, .scroll')].map((each) => "
        "[each.tabIndex >= 0, Boolean(each.closest('label')?.textContent.trim() || "
        "each.getAttribute('aria-label') || each.textContent.trim())])"
    )

    assert len(controls) > 10
    assert all(reached and named for reached, named in controls)


def test_charts_follow_the_theme_and_text_can_be_read(tab: Tab, tmp_path: Path) -> None:
    light = tab.evaluate(INK)
    tab.screenshot(tmp_path / "light.png")

    tab.call("Emulation.setEmulatedMedia", features=DARK)

    try:
        tab.wait(f"{INK} !== '{light}'")
        tab.screenshot(tmp_path / "dark.png")
    finally:
        tab.call("Emulation.setEmulatedMedia", features=[])
    grounds = [read_image(tmp_path / f"{theme}.png")[5, 5].mean() for theme in ("light", "dark")]
    assert grounds[0] > 240
    assert grounds[1] < 40


def test_paper_gets_all_pictures_and_everything_unfolded(tab: Tab) -> None:
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.call("Emulation.setEmulatedMedia", media="print")

    try:
        shown = "document.querySelectorAll('.picture img')"
        sizes = tab.evaluate(f"[...{shown}].map((i) => [i.offsetWidth, i.offsetHeight])")
        assert sizes == [[WIDTH, HEIGHT]] * 3
        tops = tab.evaluate(f"[...{shown}].map((image) => image.getBoundingClientRect().right)")
        assert len(set(tops)) > 1
        assert tab.evaluate("document.querySelectorAll('details:not([open])').length") == 0
        for hidden in (".line", ".hint", ".choose", "nav"):
            assert tab.evaluate(
                f"[...document.querySelectorAll('{hidden}')].every((e) => !e.offsetParent)"
            )
    finally:
        tab.call("Emulation.setEmulatedMedia", media="")
        tab.evaluate("dispatchEvent(new Event('afterprint'))")


def test_it_prints(tab: Tab) -> None:
    printed = base64.b64decode(tab.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") >= 8


def test_a_narrow_window_needs_no_scrolling_sideways(tab: Tab) -> None:
    tab.call("Emulation.setDeviceMetricsOverride", width=420, height=800, deviceScaleFactor=1,
             mobile=True)  # fmt: skip

    try:
        tab.wait("document.querySelector('#energy-chart .main-svg').clientWidth < 420")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 420
    finally:
        tab.call("Emulation.clearDeviceMetricsOverride")


def test_runs_side_by_side_draw_too(browser: Tab, tmp_path: Path) -> None:
    runs = (NamedRun("<b>small</b>", "a", small_run()), NamedRun("large", "b", small_run(64)))
    write_page(runs_page(RunComparison(runs)), tmp_path / "compare.html")
    browser.complaints.clear()

    browser.open(tmp_path / "compare.html")

    assert browser.complaints == []
    names = browser.evaluate("[...document.querySelectorAll('.plot')].map((plot) => plot.id)")
    assert names == ["components-chart", "layers-chart"]
    labels = browser.evaluate(
        "[...document.querySelectorAll('#components-chart .ytick text')].map((t) => t.textContent)"
    )
    assert sorted(labels) == ["<b>small</b>", "large"]
    browser.choose("[data-plot=layers-chart]", "2")
    browser.wait("document.querySelector('#layers-chart .xtitle').textContent.includes('bytes')")
    titles = browser.evaluate(
        "[...document.querySelectorAll('.picture.left, .picture.right')].map((e) => "
        "e.querySelector('figcaption').firstChild.textContent.trim())"
    )
    assert titles == ["<b>small</b>", "large"]
