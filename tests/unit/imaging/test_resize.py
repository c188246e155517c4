import numpy as np
import pytest
from PIL import Image

from quant.imaging.files import read_image
from quant.imaging.resize import bicubic_downscale, bicubic_upscale, crop_to_multiple
from quant.imaging.samples import sample_photograph
from tests.shared_data import shared_file

# Keys' kernel, a = -0.5, at distances 1/4, 3/4, 5/4, 7/4, worked out by hand.
KERNEL = (0.8671875, 0.2265625, -0.0703125, -0.0234375)


def _row_picture(row: list[int]) -> np.ndarray:
    """A picture whose rows are all equal, so that only the column direction does anything."""
    return np.tile(np.array(row, dtype=np.uint8)[np.newaxis, :, np.newaxis], (16, 1, 3))


def test_reduction_by_two_of_a_single_bright_column() -> None:
    row = [100] * 16
    row[8] = 200
    # Column 8 is 0.5, 1.5, 2.5, 3.5 source pixels from the centres of outputs 4, 3, 5, 2; the
    # kernel is twice as wide, so its values at half those distances count, halved.
    expected = [100] * 8
    for column, weight in zip((4, 3, 5, 2), KERNEL, strict=True):
        expected[column] = round(100 + 100 * weight / 2)
    small = bicubic_downscale(_row_picture(row), 2)
    assert small.shape == (8, 8, 3)
    assert small[4, :, 1].tolist() == expected == [100, 100, 99, 111, 143, 96, 100, 100]


def test_enlargement_by_two_of_a_single_bright_column() -> None:
    row = [100] * 16
    row[8] = 200
    large = bicubic_upscale(_row_picture(row), 2)
    # Outputs 16 and 17 lie a quarter pixel left and right of the middle of column 8, outputs 15
    # and 18 three quarters, and so on.
    near, next_, far, farthest = (round(100 + 100 * weight) for weight in KERNEL)
    assert large.shape == (32, 32, 3)
    assert large[5, 12:22, 0].tolist() == [
        100, farthest, far, next_, near, near, next_, far, farthest, 100,
    ]  # fmt: skip


def test_halves_are_rounded_away_from_zero() -> None:
    # Away from the borders each output is the mean of 2 and 3; half to even would give 2.
    assert bicubic_downscale(_row_picture([2, 3] * 8), 2)[0, 2:-2, 0].tolist() == [3] * 4


def test_a_flat_picture_stays_flat() -> None:
    flat = np.full((7, 9, 3), 77, dtype=np.uint8)
    for scale in (1, 2, 3, 4):
        assert np.unique(bicubic_downscale(flat, scale)).tolist() == [77]
        assert np.unique(bicubic_upscale(flat, scale)).tolist() == [77]


def test_scale_one_changes_nothing() -> None:
    picture = sample_photograph("chelsea")[:20, :30]
    np.testing.assert_array_equal(bicubic_downscale(picture, 1), picture)
    np.testing.assert_array_equal(bicubic_upscale(picture, 1), picture)


def test_overshoot_is_clamped() -> None:
    enlarged = bicubic_upscale(_row_picture([0] * 8 + [255] * 8), 2)
    assert enlarged[0, :14, 0].tolist() == [0] * 14
    assert enlarged[0, 18:, 0].tolist() == [255] * 14


def test_borders_are_mirrored() -> None:
    picture = sample_photograph("coffee")[:12, :12]
    mirrored = np.pad(picture, ((12, 12), (12, 12), (0, 0)), mode="symmetric")
    for scale in (2, 3, 4):
        inside = slice(12 // scale, 24 // scale)
        np.testing.assert_array_equal(
            bicubic_downscale(picture, scale), bicubic_downscale(mirrored, scale)[inside, inside]
        )


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_agrees_with_pillow_inside(scale: int) -> None:
    # Pillow has the same kernel in fixed point. It filters columns first, hence the transposition,
    # and cuts the kernel at the borders, hence the margin.
    picture = sample_photograph("astronaut")[:240, :240]
    ours = bicubic_downscale(picture, scale).astype(int)
    turned = Image.fromarray(picture.transpose(1, 0, 2).copy())
    reduced = turned.resize((240 // scale, 240 // scale), Image.Resampling.BICUBIC)
    difference = ours - np.asarray(reduced).transpose(1, 0, 2)
    assert np.abs(difference)[4:-4, 4:-4].max() <= 1


def test_a_picture_is_cropped_to_a_multiple_first() -> None:
    picture = sample_photograph("rocket")[:23, :34]
    assert crop_to_multiple(picture, 4).shape == (20, 32, 3)
    np.testing.assert_array_equal(
        bicubic_downscale(picture, 4), bicubic_downscale(picture[:20, :32], 4)
    )


@pytest.mark.parametrize(("shape", "scale"), [((1, 5, 3), 2), ((5, 5, 3), 0)])
def test_impossible_reductions_raise(shape: tuple[int, ...], scale: int) -> None:
    with pytest.raises(ValueError, match="picture of shape"):
        bicubic_downscale(np.zeros(shape, dtype=np.uint8), scale)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "scale", "pictures"),
    [("Set5", 2, 5), ("Set5", 3, 5), ("Set5", 4, 5), ("Set14", 2, 14), ("Set14", 3, 14),
     ("Set14", 4, 14), ("B100", 2, 100), ("B100", 4, 100)],
)  # fmt: skip
def test_the_published_low_resolution_files_are_reproduced_exactly(
    name: str, scale: int, pictures: int
) -> None:
    originals = sorted(shared_file("images", name, "HR").glob("*.png"))
    folder = shared_file("images", name, f"LRx{scale}")
    assert len(originals) == pictures
    for original in originals:
        published = read_image(folder / f"{original.stem}x{scale}.png")
        np.testing.assert_array_equal(bicubic_downscale(read_image(original), scale), published)
