import math
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from quant.common.errors import UserError
from quant.imaging import bicubic_downscale, bicubic_upscale, sample_photograph, write_png
from quant.imaging.data_sets import BenchmarkPicture, open_data_set
from quant.imaging.evaluation import by_patches, evaluate, judge

LUMA = np.array([65.738, 129.057, 25.064]) / 256


def _photograph(height: int, width: int) -> np.ndarray:
    return np.ascontiguousarray(sample_photograph("coffee")[60 : 60 + height, 90 : 90 + width])


def _repeat(scale: int):  # type: ignore[no-untyped-def]
    return lambda image: np.repeat(np.repeat(image, scale, axis=0), scale, axis=1)


def test_psnr_is_of_luma_inside_the_border() -> None:
    original = np.full((15, 16, 3), 100, dtype=np.uint8)
    picture = original.copy()
    picture[0, :, :] = 0  # border
    picture[5, 5] = (110, 90, 130)  # luma error 10 r - 10 g + 30 b
    error = (10 * 65.738 - 10 * 129.057 + 30 * 25.064) / 256
    expected = 10 * math.log10(255**2 / (error**2 / (11 * 12)))
    assert judge(original, picture, 2).psnr_db == pytest.approx(expected, abs=1e-9)


def test_ssim_is_scikit_images_on_luma_inside_the_border() -> None:
    original, picture = _photograph(30, 34), _photograph(30, 34)
    picture[8:12, 9:20] //= 2
    first, second = (16 + image[3:-3, 3:-3].astype(float) @ LUMA for image in (original, picture))
    expected = structural_similarity(
        first, second, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert judge(original, picture, 3).ssim == pytest.approx(expected, abs=1e-12)
    assert expected < 0.99


def test_means_are_over_pictures(tmp_path: Path) -> None:
    write_png(tmp_path / "one.png", _photograph(40, 44))
    write_png(tmp_path / "two.png", _photograph(60, 50))
    told: list[tuple[int, int]] = []
    found = evaluate(
        open_data_set(tmp_path, 2),
        {"repeated": _repeat(2), "bicubic": lambda image: bicubic_upscale(image, 2)},
        2,
        lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 2), (2, 2)]
    assert found.name == tmp_path.name
    assert [(p.name, p.height, p.width) for p in found.pictures] == [
        ("one", 40, 44),
        ("two", 60, 50),
    ]
    for means in ("repeated", "bicubic"):
        figures = [picture.by_means[means] for picture in found.pictures]
        assert figures[0].psnr_db != figures[1].psnr_db
        assert found.mean(means).psnr_db == pytest.approx(np.mean([f.psnr_db for f in figures]))
        assert found.mean(means).ssim == pytest.approx(np.mean([f.ssim for f in figures]))
    assert found.mean("bicubic").psnr_db > found.mean("repeated").psnr_db


def test_originals_are_cut_to_a_multiple_of_the_scale(tmp_path: Path) -> None:
    original = _photograph(41, 47)
    write_png(tmp_path / "odd.png", original)
    low, high = open_data_set(tmp_path, 3).pictures[0].read(3)
    np.testing.assert_array_equal(high, original[:39, :45])
    np.testing.assert_array_equal(low, bicubic_downscale(original[:39, :45], 3))


@pytest.mark.parametrize("name", ["a.png", "ax2.png"])
def test_reductions_that_are_given_are_taken(tmp_path: Path, name: str) -> None:
    original, reduction = _photograph(41, 40), _photograph(20, 20)
    write_png(tmp_path / "Set" / "HR" / "a.png", original)
    write_png(tmp_path / "Set" / "LRx2" / name, reduction)
    for folder in (tmp_path / "Set", tmp_path / "Set" / "HR"):
        data_set = open_data_set(folder, 2)
        assert data_set.name == "Set"
        low, high = data_set.pictures[0].read(2)
        np.testing.assert_array_equal(low, reduction)
        np.testing.assert_array_equal(high, original[:40])
    assert open_data_set(tmp_path / "Set", 4).pictures[0].low is None


def test_an_original_without_its_reduction_is_named(tmp_path: Path) -> None:
    write_png(tmp_path / "HR" / "a.png", _photograph(40, 40))
    (tmp_path / "LRx2").mkdir()
    with pytest.raises(UserError) as caught:
        open_data_set(tmp_path, 2)
    assert str(caught.value) == (
        f"{tmp_path / 'LRx2'}: expected the reduction of a.png, ax2.png, found none; add it or "
        "remove the folder to have originals reduced"
    )


def test_a_reduction_of_another_picture_is_a_user_error(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", _photograph(41, 40))
    write_png(tmp_path / "low.png", _photograph(19, 20))
    with pytest.raises(UserError) as caught:
        BenchmarkPicture(tmp_path / "a.png", tmp_path / "low.png").read(2)
    assert str(caught.value) == (
        f"{tmp_path / 'low.png'}: expected the reduction of a.png by 2, 20×20 pixels, found 19×20; "
        "give the reductions of these originals"
    )


def test_pictures_too_small_to_judge_are_named(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", _photograph(18, 40))
    with pytest.raises(UserError) as caught:
        open_data_set(tmp_path, 4).pictures[0].read(4)
    assert str(caught.value) == (
        f"{tmp_path / 'a.png'}: expected at least 19×19 pixels to be judged at ×4, found 18×40; "
        "remove the picture"
    )


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", _photograph(40, 40))
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:900])
    with pytest.raises(UserError, match=r"a\.png: the image is damaged or cut short"):
        evaluate(open_data_set(tmp_path, 2), {"repeated": _repeat(2)}, 2)


def test_patches_cover_the_picture_and_the_last_ones_take_the_rest() -> None:
    sizes = []

    def enlarge(image: np.ndarray) -> np.ndarray:
        sizes.append(image.shape[:2])
        return _repeat(2)(image)  # type: ignore[no-any-return]

    image = _photograph(23, 30)
    np.testing.assert_array_equal(by_patches(enlarge, 10, 2)(image), _repeat(2)(image))
    assert sizes == [(10, 10), (10, 10), (10, 10), (13, 10), (13, 10), (13, 10)]


def test_a_picture_smaller_than_a_patch_is_one_patch() -> None:
    image = _photograph(7, 9)
    np.testing.assert_array_equal(by_patches(_repeat(3), 10, 3)(image), _repeat(3)(image))


def test_patches_see_nothing_of_their_neighbours() -> None:
    def enlarge(image: np.ndarray) -> np.ndarray:
        return bicubic_upscale(image, 2)

    image = _photograph(20, 20)
    patched = by_patches(enlarge, 10, 2)(image)
    np.testing.assert_array_equal(patched[:20, 20:], enlarge(image[:10, 10:]))
    assert not np.array_equal(patched, enlarge(image))


def test_patches_of_nothing_are_a_user_error() -> None:
    with pytest.raises(UserError, match="patches: expected a side of at least 1 pixel, got 0"):
        by_patches(_repeat(2), 0, 2)
