"""A co-search's page in a real browser: it draws, answers, and loads nothing."""

from pathlib import Path

import pytest

from hwsim.report.codesign_page import codesign_page
from hwsim.report.page.page import write_page
from tests.browser import NAMES, Tab, browser_command
from tests.small_codesign import small_codesign
from tests.small_search import PROVENANCE

pytestmark = pytest.mark.skipif(
    browser_command() is None, reason=f"none of {', '.join(NAMES)} is on PATH"
)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = small_codesign()
    path = tmp_path_factory.mktemp("page") / "codesign.html"
    folders = {outcome.variant.label: "folder" for outcome in found.outcomes}
    write_page(codesign_page(found, PROVENANCE, folders), path)
    return path


def test_every_variant_is_drawn_and_named(tab: Tab) -> None:
    names = tab.evaluate(
        "[...document.querySelectorAll('#fronts-chart .legendtext')].map((t) => t.textContent)"
    )

    labels = [each.variant.label for each in small_codesign().outcomes if each.found]
    assert names == ["all variants", *labels, "recommended"]
    assert tab.evaluate("document.querySelectorAll('main b, main i').length") == 0


def test_a_chosen_policy_shows_its_bits_and_stands_out(tab: Tab) -> None:
    tab.choose("[data-items=policies]", "choice-3")

    tab.wait(
        "document.getElementById('fronts-chart').data.some((trace) => (trace.selectedpoints || [])"
        ".some((point) => trace.customdata[point] === 'choice-3'))"
    )
    shown = tab.evaluate(
        "[...document.querySelectorAll('#policies .item')].filter((item) => !item.hidden).length"
    )
    assert shown == 1


def test_the_cost_can_be_chosen(tab: Tab) -> None:
    tab.choose("[data-plot=fronts-chart]", "1")

    tab.wait(
        "document.querySelector('#fronts-chart .xtitle').textContent === 'energy [µJ], one image'"
    )
