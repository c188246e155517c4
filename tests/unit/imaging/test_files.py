import re
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quant.common.errors import UserError
from quant.imaging.files import read_image, write_png
from tests.unit.imaging.image_bytes import GREY_ALPHA, RGB, RGBA, png_16_bits, png_without_pixels

COLOURS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3) * 4


def test_an_rgb_picture_survives_writing_and_reading(tmp_path: Path) -> None:
    write_png(tmp_path / "new" / "a.png", COLOURS)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "a.png"), COLOURS)


def test_a_grey_picture_gets_three_equal_channels(tmp_path: Path) -> None:
    write_png(tmp_path / "grey.png", COLOURS[:, :, 0])
    np.testing.assert_array_equal(
        read_image(tmp_path / "grey.png"), np.repeat(COLOURS[:, :, :1], 3, axis=2)
    )


def test_transparency_is_dropped_and_the_stored_colours_stay(tmp_path: Path) -> None:
    alpha = np.tile(np.array([0, 1, 128, 254, 255], dtype=np.uint8), (4, 1))
    Image.fromarray(np.dstack([COLOURS, alpha])).save(tmp_path / "rgba.png")
    Image.fromarray(np.dstack([COLOURS[:, :, 0], alpha])).save(tmp_path / "la.png")
    np.testing.assert_array_equal(read_image(tmp_path / "rgba.png"), COLOURS)
    np.testing.assert_array_equal(read_image(tmp_path / "la.png")[:, :, 2], COLOURS[:, :, 0])


@pytest.mark.parametrize("transparency", [None, 1, b"\x00\x80"])
def test_palette_colours_are_looked_up(tmp_path: Path, transparency: int | bytes | None) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    options = {} if transparency is None else {"transparency": transparency}
    image.save(tmp_path / "palette.png", **options)
    assert read_image(tmp_path / "palette.png").tolist() == [[[10, 20, 30], [40, 50, 60]]]


def test_one_bit_pictures_become_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "bilevel.png")
    assert read_image(tmp_path / "bilevel.png").tolist() == [[[0, 0, 0], [255, 255, 255]]]


# Halfway between 8-bit values lies v = 257 k + 128.5: 128 still goes down, 129 goes up.
WORDS = np.array([[0, 128, 129, 257], [385, 386, 65406, 65535]])
NEAREST_BYTES = np.array([[0, 0, 1, 1], [1, 2, 254, 255]])


def test_sixteen_bit_grey_is_rounded_to_eight(tmp_path: Path) -> None:
    Image.fromarray(WORDS.astype(np.uint16)).save(tmp_path / "grey16.png")
    expected = np.repeat(NEAREST_BYTES[:, :, np.newaxis], 3, axis=2)
    np.testing.assert_array_equal(read_image(tmp_path / "grey16.png"), expected)


@pytest.mark.parametrize("colour_type", [RGB, RGBA])
def test_sixteen_bit_colour_is_rounded_to_eight(tmp_path: Path, colour_type: int) -> None:
    samples = np.dstack([WORDS, WORDS[:, ::-1], WORDS[::-1]])
    expected = np.dstack([NEAREST_BYTES, NEAREST_BYTES[:, ::-1], NEAREST_BYTES[::-1]])
    if colour_type == RGBA:
        samples = np.dstack([samples, np.full_like(WORDS, 1234)])
    (tmp_path / "deep.png").write_bytes(png_16_bits(samples, colour_type))
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), expected)


def test_sixteen_bit_grey_with_transparency_keeps_the_high_byte(tmp_path: Path) -> None:
    samples = np.dstack([WORDS, np.full_like(WORDS, 1234)])
    (tmp_path / "deep.png").write_bytes(png_16_bits(samples, GREY_ALPHA))
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png")[:, :, 1], WORDS >> 8)


def test_one_pixel_is_a_picture(tmp_path: Path) -> None:
    write_png(tmp_path / "dot.png", COLOURS[:1, :1])
    assert read_image(tmp_path / "dot.png").shape == (1, 1, 3)


def test_the_orientation_of_a_photograph_is_applied(tmp_path: Path) -> None:
    image = Image.fromarray(np.repeat(np.repeat(COLOURS, 8, axis=0), 8, axis=1))
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was turned: rows run top to bottom on the right
    image.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    turned = read_image(tmp_path / "turned.jpg").astype(int)
    expected = np.rot90(np.asarray(image), k=-1)
    assert turned.shape == expected.shape
    assert np.abs(turned - expected).mean() < 3


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg"])
def test_a_truncated_image_is_named_as_damaged(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(256, size=(64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError) as caught:
        read_image(tmp_path / name)
    assert re.fullmatch(
        re.escape(f"{tmp_path / name}: the image is damaged or cut short (")
        + r".+\); copy or export the file again",
        str(caught.value),
    )


def test_a_place_that_is_a_fraction_is_named_as_damaged(tmp_path: Path) -> None:
    """Pillow raises a TypeError for it."""
    path = tmp_path / "a.tif"
    Image.fromarray(COLOURS).save(path)
    content = bytearray(path.read_bytes())
    entry = content.index(struct.pack("<HHI", 273, 4, 1))  # StripOffsets, one LONG
    struct.pack_into("<HHII", content, entry, 273, 5, 1, 8)  # a RATIONAL
    path.write_bytes(content)
    with pytest.raises(UserError, match="the image is damaged or cut short"):
        read_image(path)


@pytest.mark.parametrize("content", [b"not a picture", b"", png_without_pixels(0, 5)])
def test_a_file_that_is_no_image_is_a_user_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "note.png"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_image(path)
    assert str(caught.value) == (
        f"{path}: expected an image (PNG, JPEG, BMP, TIFF, …), found a file of another kind or "
        "without pixels; give an image file"
    )


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_image(tmp_path / "absent.png")
    assert str(caught.value) == f"{tmp_path / 'absent.png'}: no such image file; check the path"


@pytest.mark.parametrize(
    ("width", "height", "found"), [(10001, 10000, "10001x10000"), (60000, 60000, "far more")]
)
def test_a_huge_picture_is_refused_by_its_header(
    tmp_path: Path, width: int, height: int, found: str
) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png_without_pixels(width, height))
    with pytest.raises(UserError) as caught:
        read_image(path)
    assert str(caught.value) == (
        f"{path}: expected at most 100000000 pixels, found {found}; crop or reduce the picture"
    )


def test_float_samples_have_no_fixed_range(tmp_path: Path) -> None:
    path = tmp_path / "float.tiff"
    Image.fromarray(np.ones((2, 2), dtype=np.float32)).save(path)
    with pytest.raises(UserError) as caught:
        read_image(path)
    assert str(caught.value) == (
        f"{path}: expected 8-bit or 16-bit samples, found 32-bit ones; "
        "export the picture with 8 bits per channel"
    )


def test_an_unwritable_folder_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*file/a.png: .*; choose a folder"):
        write_png(tmp_path / "file" / "a.png", COLOURS)


def test_only_eight_bit_pictures_are_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected an uint8 picture, got float64"):
        write_png(tmp_path / "a.png", COLOURS.astype(np.float64))  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
