"""The skeleton: everything escaped, nothing from outside, the same bytes each time."""

import base64
import hashlib
import json
from dataclasses import fields
from pathlib import Path

import pytest

from hwsim.report.page.blocks import (
    Alternative,
    Block,
    Card,
    Cards,
    Cell,
    Choice,
    Facts,
    Figure,
    Folded,
    Item,
    Picture,
    Pictures,
    Row,
    Strip,
    Strips,
    Swatch,
    Table,
    Text,
    View,
    plot_text,
)
from hwsim.report.page.page import Page, Section, render, write_page
from tests.html_pages import Element, parsed

EVIL = (
    "</script></pre></td></option><script>alert(1)</script>"
    "<img src=x onerror=alert(1)>\"'&amp;{{7*7}}"
)
FIGURE = Figure("chart", "words", 300, (Alternative("only", ({"y": [1]},), {}),))
STRIP = Strip(EVIL, (EVIL,), {EVIL: (Swatch(EVIL, "#fff", "#000"),)})
PICTURE = Picture(EVIL, b"\x89PNG", EVIL)
EVERY_BLOCK: tuple[Block, ...] = (
    Text(EVIL),
    Cards((Card(EVIL, EVIL, EVIL),)),
    Facts({EVIL: EVIL}, fixed_width=True),
    Folded(EVIL, (EVIL, EVIL)),
    Table(EVIL, (EVIL, EVIL), (Row((Cell(EVIL, below=EVIL), Cell(EVIL, 0.1)), marked=True),)),
    Figure(
        "chart",
        EVIL,
        300,
        (Alternative(EVIL, ({"text": EVIL},), {"title": EVIL}), Alternative("b", (), {})),
        EVIL,
    ),
    Choice("items", EVIL, (Item(EVIL, EVIL, EVIL, (STRIP,)),)),
    Strips(EVIL, (STRIP,)),
    Pictures("pictures", EVIL, (View(EVIL, 3, 2, (PICTURE,)), View(EVIL, 1, 1, (PICTURE,))), 0, 0),
)


def page(*blocks: Block, title: str = "title") -> Page:
    return Page(title, "subtitle", (Section("part", "Part", blocks),), "footer")


def evil_page() -> Element:
    section = Section("part", EVIL, EVERY_BLOCK)
    return parsed(render(Page(EVIL, EVIL, (section,), EVIL)))


def test_hostile_text_stays_text_in_every_block() -> None:
    tree = evil_page()

    assert {kind.kind for kind in EVERY_BLOCK} == {kind.kind for kind in Block.__args__}
    assert [image.attributes["src"] for image in tree.all("img")] == [PICTURE.address] * 2
    data = [script for script in tree.all("script") if "type" in script.attributes]
    assert len(tree.all("script")) == 3 + len(data)
    assert json.loads(data[0].text)["layout"]["title"] == EVIL
    assert not any(name.startswith("on") for element in tree.all() for name in element.attributes)
    assert [tree.one(tag).text for tag in ("title", "h1", "h2", "footer")] == [EVIL] * 4
    assert tree.one("summary").text == EVIL
    assert tree.one("pre").text == f"{EVIL}\n{EVIL}"
    assert tree.one("option", value=EVIL).text == EVIL
    assert [cell.text for cell in tree.one("table", class_="figures").all("td")] == [EVIL]
    for strip in tree.all("table", class_="strip"):
        assert strip.one("td").text == strip.one("span").text == EVIL
    for image in tree.all("img"):
        assert image.attributes["alt"] == f"{EVIL}: {EVIL}"


def test_text_in_figures_is_no_markup_of_plotly() -> None:
    assert plot_text("<a href='x'>a & b</a>") == "&lt;a href='x'&gt;a &amp; b&lt;/a&gt;"


def test_nothing_is_loaded_and_only_its_own_scripts_run() -> None:
    tree = evil_page()

    addresses = [
        value
        for element in tree.all()
        for name, value in element.attributes.items()
        if name in ("src", "href", "action", "data", "srcset", "poster")
    ]
    assert addresses == ["data:,", "#part", PICTURE.address, PICTURE.address]
    assert PICTURE.address == "data:image/png;base64,iVBORw=="
    style = tree.one("style").text
    assert "url(" not in style
    assert "@import" not in style
    policy = tree.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    scripts = [script for script in tree.all("script") if "type" not in script.attributes]
    hashes = [hashlib.sha256("".join(map(str, s.children)).encode()).digest() for s in scripts]
    allowed = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in hashes)
    assert f"default-src 'none'; script-src {allowed};" in policy


def test_plotly_comes_once_and_only_with_a_figure() -> None:
    with_figures = render(page(FIGURE, Figure("other", "", 1, FIGURE.alternatives)))

    assert with_figures.count("plotly.js v") == 1
    assert "plotly.js v" not in render(page(Text("words")))


def test_the_same_page_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_page(page(*EVERY_BLOCK, title="µ"), tmp_path / name)

    content = (tmp_path / "a.html").read_bytes()
    assert content == (tmp_path / "b.html").read_bytes()
    assert content.startswith(b"<!DOCTYPE html>")
    assert parsed(content.decode()).one("h1").text == "µ"


def test_a_single_alternative_needs_no_choice() -> None:
    assert parsed(render(page(FIGURE))).all("select") == []


def test_the_viewer_of_pictures_comes_only_with_pictures() -> None:
    scripts = parsed(render(page(Pictures("p", "", (View("", 1, 1, (PICTURE,)),))))).all("script")

    assert len(scripts) == 2
    assert len(parsed(render(page(Text("words")))).all("script")) == 1


def test_a_single_view_needs_no_choice() -> None:
    views = tuple(View(name, 1, 1, (PICTURE, PICTURE)) for name in ("whole", "detail"))

    one = parsed(render(page(Pictures("p", "", views[:1])))).one("figure", id="p")
    two = parsed(render(page(Pictures("p", "", views, left=0, right=1)))).one("figure", id="p")

    assert "data-view" not in [name for each in one.all("select") for name in each.attributes]
    choice = next(each for each in two.all("select") if "data-view" in each.attributes)
    assert [option.text for option in choice.all("option")] == ["whole", "detail"]
    assert (two.attributes["data-left"], two.attributes["data-right"]) == ("0", "1")
    assert len(two.all("img")) == 4


def test_the_first_item_is_shown() -> None:
    items = tuple(Item(name, name, "", ()) for name in ("first", "second", "third"))

    shown = parsed(render(page(Choice("items", "which", items)))).all("div", class_="item")

    assert ["hidden" in item.attributes for item in shown] == [False, True, True]


def test_tables_have_the_figures_for_programs_too() -> None:
    table = Table("caption", ("name", "x"), (Row((Cell("a"), Cell("1,234.6", 1234.5678, "1.2"))),))

    tree = parsed(render(page(table)))

    (cell,) = tree.all("td")
    assert cell.one("data").attributes["value"] == "1234.5678"
    assert (cell.one("data").text, cell.one("small").text) == ("1,234.6", "1.2")
    assert tree.one("th", scope="row").text == "a"


@pytest.mark.parametrize("folded", [True, False])
def test_folded_tables_are_folded(folded: bool) -> None:
    tree = parsed(render(page(Table("caption", ("a",), (), folded))))

    assert bool(tree.all("details")) is folded


def test_names_must_be_unique() -> None:
    with pytest.raises(ValueError, match="must be unique, these are not: part"):
        render(Page("", "", (Section("part", "", ()), Section("part", "", ()))))
    with pytest.raises(ValueError, match="these are not: chart"):
        render(page(FIGURE, FIGURE))


def test_figures_must_be_json() -> None:
    bad = Figure("chart", "", 1, (Alternative("", ({"y": [float("nan")]},), {}),))

    with pytest.raises(ValueError, match="JSON"):
        render(page(bad))


def test_every_field_of_every_block_is_tried() -> None:
    """A field that is added must get hostile text above."""
    counts = {type(block).__name__: len(fields(block)) for block in EVERY_BLOCK}

    assert counts == {"Text": 1, "Cards": 1, "Facts": 2, "Folded": 2, "Table": 4, "Figure": 5,
                      "Choice": 3, "Strips": 2, "Pictures": 5}  # fmt: skip
