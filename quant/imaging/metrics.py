"""Quality of a picture against its original, on luma, as the literature counts it."""

import math

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError

LUMA_WEIGHTS = (65.738 / 256, 129.057 / 256, 25.064 / 256)
"""Red, green and blue weights of luma (ITU-R BT.601, studio range 16..235, for 8-bit RGB)."""

_MAXIMUM_EXCESS_PIXELS = 7  # reducing by 8, the largest factor in use, drops at most so many
SSIM_WINDOW_PIXELS = 11
"""Side of the Gaussian window of SSIM: sigma 1.5, cut at 3.5 sigma."""


def luma_psnr_db(reference: NDArray[np.uint8], image: NDArray[np.uint8], border: int) -> float:
    """Peak signal-to-noise ratio of the luma of a picture, in decibels.

    ``10 log10(255^2 / mean((Y(reference) - Y(image))^2))`` with ``LUMA_WEIGHTS``; the offset of
    luma cancels in the difference. A reference that is a few pixels larger than the picture is
    cropped to it (a network's output is a multiple of its scale), and ``border`` pixels are left
    out on each side, the scale by custom.

    Args:
        reference: the original, uint8, height x width x 3.
        image: the picture judged, uint8, as large as ``reference`` or up to 7 pixels smaller.
        border: pixels left out on each side.

    Returns:
        The ratio in dB; infinity for identical pictures.

    Raises:
        UserError: the reference is of another size, or nothing is left inside the border.
    """
    original, judged = _matched(reference, image, border, minimum=1)
    difference = original.astype(np.float64) - judged.astype(np.float64)
    mean_square = float(np.mean((difference @ np.array(LUMA_WEIGHTS)) ** 2))
    return math.inf if mean_square == 0 else 10 * math.log10(255**2 / mean_square)


def luma_ssim(reference: NDArray[np.uint8], image: NDArray[np.uint8], border: int) -> float:
    """Structural similarity of the luma of a picture, 1 for identical pictures.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", IEEE TIP 13(4), 2004: Gaussian 11 x 11 window of sigma 1.5, K1 = 0.01,
    K2 = 0.03, population covariances, on luma (with its offset 16) in 0..255, averaged over the
    windows that lie wholly inside the picture.

    Args:
        reference: the original, uint8, height x width x 3.
        image: the picture judged, uint8, as large as ``reference`` or up to 7 pixels smaller.
        border: pixels left out on each side before anything else.

    Returns:
        The mean similarity, in -1..1.

    Raises:
        UserError: the reference is of another size, or less than one window is left inside the
            border.
    """
    from skimage.metrics import structural_similarity  # slow to import, and only needed here

    original, judged = _matched(reference, image, border, minimum=SSIM_WINDOW_PIXELS)
    similarity = structural_similarity(  # type: ignore[no-untyped-call]
        _luma(original),
        _luma(judged),
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity)


def _luma(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    luma: NDArray[np.float64] = 16 + image.astype(np.float64) @ np.array(LUMA_WEIGHTS)
    return luma


def _matched(
    reference: NDArray[np.uint8], image: NDArray[np.uint8], border: int, minimum: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both pictures cut to the judged region, at least ``minimum`` pixels each way."""
    height, width = image.shape[:2]
    excess = (reference.shape[0] - height, reference.shape[1] - width)
    if min(excess) < 0 or max(excess) > _MAXIMUM_EXCESS_PIXELS:
        raise UserError(
            f"cannot compare with the original: expected {width}x{height} pixels (the size of the "
            f"result) or up to {_MAXIMUM_EXCESS_PIXELS} more each way, it has "
            f"{reference.shape[1]}x{reference.shape[0]}; "
            "give the high-resolution original of this very image"
        )
    if min(height, width) < minimum + 2 * border:
        raise UserError(
            f"cannot judge a picture of {width}x{height} pixels with a border of {border} pixels "
            f"left out: expected at least {minimum + 2 * border} pixels each way; "
            "give a larger image or no original"
        )
    inside = (slice(border, height - border), slice(border, width - border))
    return reference[inside], image[inside]
