"""The pictures of a run: the output as a file, and a comparison with what it should look like."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

_PANEL, _GAP, _CAPTION = 400, 16, 48  # pixels: side of a panel, space around, height of a caption
_ZOOM = 4  # screen pixels per picture pixel in the lower row
_BACKGROUND, _INK, _FAINT_INK = "#ffffff", "#111111", "#555555"
_FRAMES = (("#000000", 4), ("#f0e442", 2))  # colour and width; dark below bright shows anywhere
_FONT_SIZES = (17, 14)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One picture of a comparison.

    Attributes:
        title: what it is.
        pixels: uint8 [height, width, 3]; all panels of a comparison have one size.
        note: a figure about it, such as its PSNR.
    """

    title: str
    pixels: Pixels
    note: str = ""


def png_bytes(image: Pixels) -> bytes:
    """A picture as the content of a PNG file.

    Args:
        image: uint8 [height, width, 3].
    """
    content = io.BytesIO()
    Image.fromarray(image).save(content, format="PNG")
    return content.getvalue()


def draw_comparison(panels: Sequence[Panel]) -> Pixels:
    """Panels side by side: whole pictures above, below them a detail, enlarged without smoothing.

    The detail is where the first panel and the second differ most. Pictures too small to have a
    detail are shown whole only.

    Args:
        panels: one or more, of equal size.

    Returns:
        uint8 [height, width, 3].
    """
    side = _PANEL // _ZOOM
    height, width = panels[0].pixels.shape[:2]
    has_detail = len(panels) > 1 and min(height, width) > side
    fitted = [_fitted(panel.pixels) for panel in panels]
    row_height = fitted[0].height
    rows = row_height + (_PANEL + _GAP if has_detail else 0)
    canvas = Image.new(
        "RGB", (len(panels) * (_PANEL + _GAP) + _GAP, _CAPTION + rows + 2 * _GAP), _BACKGROUND
    )
    draw = ImageDraw.Draw(canvas)
    corner = (
        most_different_square(panels[0].pixels, panels[1].pixels, side) if has_detail else (0, 0)
    )
    for index, (panel, picture) in enumerate(zip(panels, fitted, strict=True)):
        x, y = _GAP + index * (_PANEL + _GAP), _GAP
        _write_line(draw, (x, y), panel.title, _INK, _FONT_SIZES[0])
        _write_line(draw, (x, y + 22), panel.note, _FAINT_INK, _FONT_SIZES[1])
        y += _CAPTION
        canvas.paste(picture, (x, y))
        if has_detail:
            canvas.paste(_detail(panel.pixels, corner, side), (x, y + row_height + _GAP))
            box = _box_on(picture, (x, y), corner, side, width)
            for colour, thickness in _FRAMES:
                draw.rectangle(box, outline=colour, width=thickness)
    return np.asarray(canvas)


def _fitted(pixels: Pixels) -> Image.Image:
    """A picture in a panel: reduced smoothly, or enlarged by whole pixels as far as fits."""
    image = Image.fromarray(pixels)
    longest = max(image.size)
    if longest > _PANEL:
        shape = tuple(max(1, round(side * _PANEL / longest)) for side in image.size)
        return image.resize((shape[0], shape[1]), Image.Resampling.LANCZOS)
    factor = _PANEL // longest
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def _detail(pixels: Pixels, corner: tuple[int, int], side: int) -> Image.Image:
    row, column = corner
    crop = Image.fromarray(pixels[row : row + side, column : column + side])
    return crop.resize((side * _ZOOM, side * _ZOOM), Image.Resampling.NEAREST)


def _box_on(
    picture: Image.Image, at: tuple[int, int], corner: tuple[int, int], side: int, width: int
) -> tuple[float, float, float, float]:
    """Where the detail lies on the fitted picture, as left, top, right, bottom."""
    scale = picture.width / width
    left, top = at[0] + corner[1] * scale, at[1] + corner[0] * scale
    return left, top, left + side * scale, top + side * scale


def most_different_square(one: Pixels, other: Pixels, side: int) -> tuple[int, int]:
    """Top-left corner, as row and column, of the square in which two pictures differ most.

    Args:
        one: uint8 [height, width, 3].
        other: of the same size.
        side: of the square, in pixels; at most height and width.
    """
    difference = np.abs(one.astype(np.int64) - other).sum(axis=2)
    table = np.pad(difference.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))  # summed areas
    sums = table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
    row, column = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(row), int(column)


def _write_line(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, colour: str, size: int
) -> None:
    """Text no wider than a panel; what is too long ends in an ellipsis."""
    font = ImageFont.load_default(size)
    shown = text
    while draw.textlength(shown, font) > _PANEL:
        shown = shown.removesuffix("…")[:-1] + "…"
    draw.text(at, shown, colour, font)
