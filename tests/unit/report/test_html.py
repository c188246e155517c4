"""Results as HTML for notebooks."""

import base64
import io
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from hwsim.report.html import picture_html, result_html, table_html, text_html
from tests.unit.report.conftest import Priced

HOSTILE = '<script>alert("x")</script>'


class Tags(HTMLParser):
    """Every tag opened is closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag != "img":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_a_result_has_its_figures_and_every_layer(priced: Priced) -> None:
    html = priced.result._repr_html_()
    tags = Tags(html)

    assert tags.seen.count("table") == 2
    assert f"{len(priced.result.layers)} layers" in html
    assert all(layer.name in html for layer in priced.result.layers)
    assert f"{priced.result.energy_uj:,.1f} µJ" in html
    assert "modelled, not measured" in html


def test_names_are_no_markup(priced: Priced) -> None:
    layers = (replace(priced.result.layers[0], name=HOSTILE), *priced.result.layers[1:])
    html = result_html(replace(priced.result, network=HOSTILE, layers=layers))

    assert "script" not in Tags(html).seen
    assert html.count("&lt;script&gt;") == 2
    assert "<script" not in text_html(HOSTILE) + table_html((HOSTILE,), [[HOSTILE]])


def test_numbers_stand_to_the_right_of_words() -> None:
    html = table_html(("name", "kind", "figure"), [["a", "b", "1"]], words=2)

    assert html.count("text-align: left") == 4
    assert html.count("text-align: right") == 2
    assert "thead" not in table_html(("", ""), [["a", "b"]])


def test_a_picture_is_in_the_text_pixel_for_pixel() -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)

    html = picture_html(pixels, 'a "picture"')

    content = base64.b64decode(html.split("base64,")[1].split('"')[0])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)
    assert 'alt="a &quot;picture&quot;"' in html
