"""Pictures inside pages: whole where they are small, else reduced, with a detail pixel by pixel."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hwsim.report import page_pictures
from hwsim.report.page.blocks import Pictures
from hwsim.report.page_pictures import pictures_block
from hwsim.report.pictures import Panel

Pixels = NDArray[np.uint8]


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def pixels_of(block: Pictures, view: int, picture: int) -> Pixels:
    with Image.open(io.BytesIO(block.views[view].pictures[picture].png)) as image:
        return np.asarray(image)


def test_small_pictures_are_whole_and_exact() -> None:
    one, other = noise(30, 40), noise(30, 40, 1)

    block = pictures_block("p", "Words.", [Panel("one", one, "1 dB"), Panel("other", other)], 0, 1)

    (view,) = block.views
    assert (view.height, view.width) == (30, 40)
    assert view.label == "whole, 30×40 pixels"
    assert [(each.title, each.note) for each in view.pictures] == [("one", "1 dB"), ("other", "")]
    np.testing.assert_array_equal(pixels_of(block, 0, 0), one)
    np.testing.assert_array_equal(pixels_of(block, 0, 1), other)
    assert block.words == "Words."


@pytest.mark.parametrize("size", [(101, 300), (300, 101), (40, 900)])
def test_large_pictures_are_reduced_with_the_detail_that_differs_most(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(page_pictures, "MOST_PIXELS", 10_000)
    monkeypatch.setattr(page_pictures, "DETAIL_SIDE", 32)
    one = noise(*size)
    other = one.copy()
    other[8:20, 50:60] ^= 255
    panels = [Panel("one", one), Panel("other", other), Panel("third", noise(*size, 2))]

    block = pictures_block("p", "Words.", panels, 0, 1)

    detail, whole = block.views
    assert whole.height * whole.width <= 10_000
    assert whole.height / whole.width == pytest.approx(size[0] / size[1], rel=0.1)
    assert f"{size[0]}×{size[1]} pixels, reduced to {whole.height}×{whole.width}" in whole.label
    assert (detail.height, detail.width) == (32, 32)
    row, column = _corner(detail.label)
    np.testing.assert_array_equal(pixels_of(block, 0, 0), one[row : row + 32, column : column + 32])
    assert row <= 8
    assert row + 32 >= 20
    assert column <= 50
    assert column + 32 >= 60
    assert "more than 10,000 pixels are shown reduced" in block.words
    assert len(detail.pictures) == len(whole.pictures) == 3


def _corner(label: str) -> tuple[int, int]:
    words = label.replace(",", "").split()
    return int(words[2]), int(words[6])
