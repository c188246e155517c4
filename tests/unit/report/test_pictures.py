"""Comparison pictures of every shape."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hwsim.report.pictures import Panel, draw_comparison, png_bytes

Pixels = NDArray[np.uint8]


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_png_holds_the_very_pixels() -> None:
    image = noise(5, 7)

    with Image.open(io.BytesIO(png_bytes(image))) as opened:
        np.testing.assert_array_equal(np.asarray(opened), image)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (20, 24), (101, 101), (512, 300)])
def test_every_shape_can_be_drawn(size: tuple[int, int]) -> None:
    image = noise(*size)

    drawn = draw_comparison([Panel("one", image, "30.00 dB"), Panel("two", image)])

    assert drawn.dtype == np.uint8
    assert drawn.ndim == 3
    assert max(drawn.shape) < 2000


def test_the_detail_is_where_the_first_two_differ_most_pixel_for_pixel() -> None:
    one = noise(300, 400)
    other = one.copy()
    other[170:210, 220:270] ^= 255

    drawn = draw_comparison([Panel("one", one), Panel("two", other)])

    # The lower row shows the changed region enlarged by whole pixels: every 4 × 4 block is flat.
    below = drawn[-16 - 400 : -16, 16 : 16 + 400]
    blocks = below.reshape(100, 4, 100, 4, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    changed = np.array([one[190, 245]])
    assert (blocks[:, 0, :, 0] == changed).all(axis=2).any()


def test_a_small_picture_is_enlarged_by_whole_pixels() -> None:
    image = noise(10, 20)

    drawn = draw_comparison([Panel("one", image)])

    shown = drawn[64 : 64 + 200, 16 : 16 + 400]
    np.testing.assert_array_equal(shown[::20, ::20], image)


def test_a_title_too_long_for_its_panel_does_not_run_into_the_next() -> None:
    image = noise(20, 20)

    long = draw_comparison([Panel("word " * 100, image), Panel("", image)])
    none = draw_comparison([Panel("", image), Panel("", image)])

    second_panel = slice(16 + 400 + 8, None)
    np.testing.assert_array_equal(long[:, second_panel], none[:, second_panel])
    assert (long != none).any()
