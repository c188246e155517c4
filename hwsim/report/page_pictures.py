"""Pictures as a page holds them: whole where they are small, else reduced, and a detail."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from hwsim.report.page.blocks import Picture, Pictures, View
from hwsim.report.pictures import Panel, Pixels, most_different_square, png_bytes

MOST_PIXELS = 2**20
"""Of a whole picture inside a page. Larger ones are reduced to that: a PNG file of noise has 3 MiB
then, and a page with four of them, spelled in base 64, 16 MiB."""

DETAIL_SIDE = 512
"""Pixels on a side of the detail that is shown as it is of larger pictures."""


def pictures_block(
    name: str, words: str, panels: Sequence[Panel], left: int, right: int
) -> Pictures:
    """Pictures to be compared.

    Args:
        name: of the block.
        words: what the pictures are.
        panels: one or more, of equal size.
        left: place of the one that is seen first on the left.
        right: the same on the right; the detail is where these two differ most.
    """
    height, width = panels[0].pixels.shape[:2]
    views: tuple[View, ...]
    if height * width <= MOST_PIXELS:
        views = (_view(f"whole, {height}×{width} pixels", panels, 1.0),)
        limits = ""
    else:
        views = (_detail(panels, left, right), _reduced(panels))
        limits = (
            f" Pictures of more than {MOST_PIXELS:,} pixels are shown reduced, and as they are "
            f"where the two differ most, at most {DETAIL_SIDE} pixels high and wide."
        )
    return Pictures(
        name,
        f"{words}{limits}",
        views,
        left,
        right,
    )


def _reduced(panels: Sequence[Panel]) -> View:
    height, width = panels[0].pixels.shape[:2]
    share = math.sqrt(MOST_PIXELS / (height * width))
    label = (
        f"whole, {height}×{width} pixels, reduced to "
        f"{_reduced_side(height, share)}×{_reduced_side(width, share)}"
    )
    return _view(label, panels, share)


def _detail(panels: Sequence[Panel], left: int, right: int) -> View:
    height, width = panels[0].pixels.shape[:2]
    side = min(DETAIL_SIDE, height, width)
    row, column = most_different_square(panels[left].pixels, panels[right].pixels, side)
    cut = [
        Panel(panel.title, panel.pixels[row : row + side, column : column + side], panel.note)
        for panel in panels
    ]
    return _view(
        f"detail, rows {row} to {row + side - 1}, columns {column} to {column + side - 1}", cut, 1.0
    )


def _view(label: str, panels: Sequence[Panel], share: float) -> View:
    shown = [_resized(panel.pixels, share) for panel in panels]
    pictures = tuple(
        Picture(panel.title, png_bytes(pixels), panel.note)
        for panel, pixels in zip(panels, shown, strict=True)
    )
    height, width = shown[0].shape[:2]
    return View(label, width, height, pictures)


def _resized(pixels: Pixels, share: float) -> Pixels:
    if share == 1.0:
        return pixels
    height, width = (_reduced_side(side, share) for side in pixels.shape[:2])
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _reduced_side(side: int, share: float) -> int:
    return max(1, math.floor(side * share))
