"""Operators that sum over pixels, or sit between them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from hwsim.arithmetic.reference.integers import Integers, integers

STATISTICS: dict[str, Callable[[Integers, Integers], Integers]] = {
    "sum": np.add,
    "minimum": np.minimum,
    "maximum": np.maximum,
}
"""What two pixels become."""


def bilinear(ifm: ArrayLike, factor: int, half_pixel_centers: bool, bias: int) -> Integers:
    """The weighted sums of a bilinear interpolation, in units of 2^-20 codes.

    Args:
        ifm: [H, W, C].
        factor: output pixels per input pixel, down and across.
        half_pixel_centers: whether pixels are squares with a centre, not points.
        bias: added to each sum.

    Returns:
        [H · factor, W · factor, C].
    """
    image = integers(ifm)
    height, width, channels = image.shape
    sums = np.empty((height * factor, width * factor, channels), np.int64)
    for y in range(height * factor):
        for x in range(width * factor):
            top, bottom, down = _between(y, height, factor, half_pixel_centers)
            left, right, across = _between(x, width, factor, half_pixel_centers)
            upper = image[top, left] * (1024 - across) + image[top, right] * across
            lower = image[bottom, left] * (1024 - across) + image[bottom, right] * across
            sums[y, x] = upper * (1024 - down) + lower * down + bias
    return sums


def _between(place: int, size: int, factor: int, half_pixel_centers: bool) -> tuple[int, int, int]:
    """The two input pixels an output pixel lies between, and how far, in 1024ths."""
    scale = (1024 * size + size * factor // 2) // (size * factor)
    position = place * scale
    if half_pixel_centers:
        position += scale // 2 - 512
    before = min(max(position // 1024, 0), size - 1)
    behind = min(max((position + 1023) // 1024, 0), size - 1)
    return before, behind, position - 1024 * before


def window_sums(
    ifm: ArrayLike, kernel: tuple[int, int], stride: tuple[int, int], bias: int
) -> Integers:
    """Each channel's sum over windows of pixels that lie within the image.

    Args:
        ifm: [H, W, C].
        kernel: rows and columns of a window.
        stride: rows and columns between neighbouring windows.
        bias: added to each sum.

    Returns:
        [(H - kernel[0]) // stride[0] + 1, (W - kernel[1]) // stride[1] + 1, C].
    """
    image = integers(ifm)
    height, width = ((image.shape[axis] - kernel[axis]) // stride[axis] + 1 for axis in range(2))
    sums = np.full((height, width, image.shape[2]), bias, np.int64)
    for y in range(height):
        for x in range(width):
            for ky in range(kernel[0]):
                for kx in range(kernel[1]):
                    sums[y, x] += image[y * stride[0] + ky, x * stride[1] + kx]
    return sums


def statistics(ifm: ArrayLike, statistic: str) -> Integers:
    """One number for each channel of a whole feature map.

    Args:
        ifm: [H, W, C].
        statistic: a name in `STATISTICS`.

    Returns:
        [1, 1, C].
    """
    image = integers(ifm)
    pixels = image.reshape(-1, image.shape[2])
    result = pixels[0]
    for pixel in pixels[1:]:
        result = STATISTICS[statistic](result, pixel)
    one: Integers = result.reshape(1, 1, -1)
    return one
