import math

import numpy as np
import pytest

from quant.common.errors import UserError
from quant.imaging.metrics import luma_psnr_db, luma_ssim
from quant.imaging.resize import bicubic_downscale, bicubic_upscale
from quant.imaging.samples import sample_photograph
from tests.shared_data import shared_file


def _grey(height: int, width: int, value: int = 100) -> np.ndarray:
    return np.full((height, width, 3), value, dtype=np.uint8)


def test_psnr_of_one_level_everywhere() -> None:
    # The weights add up to 219.859 / 256, so one level of grey is 0.859 levels of luma.
    expected_db = 20 * math.log10(255 / (219.859 / 256))
    assert luma_psnr_db(_grey(8, 8), _grey(8, 8, 101), 2) == pytest.approx(expected_db, rel=1e-12)


@pytest.mark.parametrize(("channel", "weight"), [(0, 65.738), (1, 129.057), (2, 25.064)])
def test_psnr_of_one_channel_of_one_pixel(channel: int, weight: float) -> None:
    image = _grey(4, 4)
    image[1, 2, channel] += 10
    mean_square = (10 * weight / 256) ** 2 / 4  # a border of 1 leaves 2 x 2 pixels
    expected_db = 10 * math.log10(255**2 / mean_square)
    assert luma_psnr_db(_grey(4, 4), image, 1) == pytest.approx(expected_db, rel=1e-12)


def test_the_border_does_not_count() -> None:
    image = _grey(6, 6)
    image[:2] = image[-2:] = image[:, :2] = image[:, -2:] = 0
    assert luma_psnr_db(_grey(6, 6), image, 2) == math.inf
    assert luma_psnr_db(_grey(6, 6), image, 1) < 20


def test_a_larger_original_is_cropped() -> None:
    original = sample_photograph("astronaut")[:31, :33]
    assert luma_psnr_db(original, original[:30, :32], 2) == math.inf
    assert luma_ssim(original, original[:30, :32], 2) == 1.0


def test_ssim_equals_its_definition() -> None:
    original = sample_photograph("coffee")[100:117, 200:215]
    image = bicubic_upscale(bicubic_downscale(sample_photograph("coffee"), 2), 2)[100:117, 200:215]
    assert luma_ssim(original, image, 2) == pytest.approx(_ssim(original, image, 2), abs=1e-12)


def _ssim(original: np.ndarray, image: np.ndarray, border: int) -> float:
    """Equations 13 to 17 of the 2004 paper, window by window."""
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    luma_weights = np.array([65.738, 129.057, 25.064]) / 256
    x = 16 + original[border:-border, border:-border] @ luma_weights
    y = 16 + image[border:-border, border:-border] @ luma_weights
    values = []
    for row in range(x.shape[0] - 10):
        for column in range(x.shape[1] - 10):
            a, b = (p[row : row + 11, column : column + 11] for p in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            variance_a = (window * (a - mean_a) ** 2).sum()
            variance_b = (window * (b - mean_b) ** 2).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
            structure = (2 * covariance + c2) / (variance_a + variance_b + c2)
            values.append(luminance * structure)
    return float(np.mean(values))


@pytest.mark.parametrize(("height", "width"), [(9, 12), (10, 11), (18, 12), (10, 20)])
def test_an_original_of_another_size_is_a_user_error(height: int, width: int) -> None:
    with pytest.raises(UserError) as caught:
        luma_psnr_db(_grey(height, width), _grey(10, 12), 2)
    assert str(caught.value) == (
        "cannot compare with the original: expected 12x10 pixels (the size of the result) or up "
        f"to 7 more each way, it has {width}x{height}; "
        "give the high-resolution original of this very image"
    )
    assert luma_psnr_db(_grey(17, 19), _grey(10, 12), 2) == math.inf


@pytest.mark.parametrize(("judge", "minimum"), [(luma_psnr_db, 5), (luma_ssim, 15)])
def test_a_picture_of_nothing_but_border_is_a_user_error(judge, minimum: int) -> None:  # type: ignore[no-untyped-def]
    image = _grey(minimum - 1, 40)
    with pytest.raises(UserError) as caught:
        judge(image, image, 2)
    assert str(caught.value) == (
        f"cannot judge a picture of 40x{minimum - 1} pixels with a border of 2 pixels left out: "
        f"expected at least {minimum} pixels each way; give a larger image or no original"
    )
    judge(_grey(minimum, 40), _grey(minimum, 40), 2)


@pytest.mark.shared
def test_bicubic_on_set5_has_its_published_quality() -> None:
    from quant.imaging.files import read_image

    pairs = [
        (original, bicubic_upscale(bicubic_downscale(original, 2), 2))
        for file in sorted(shared_file("images", "Set5", "HR").glob("*.png"))
        for original in [read_image(file)]
    ]
    psnr_db = np.mean([luma_psnr_db(a, b, 2) for a, b in pairs])
    ssim = np.mean([luma_ssim(a, b, 2) for a, b in pairs])
    # The literature gives 33.66 dB and 0.9299, from MATLAB's rounding of the luma itself.
    assert psnr_db == pytest.approx(33.66, abs=0.03)
    assert ssim == pytest.approx(0.9299, abs=0.001)
