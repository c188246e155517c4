"""Bicubic resizing by whole factors, as MATLAB's ``imresize`` computes it.

Super-resolution results are only comparable when the low-resolution input is made in exactly this
way: the kernel is widened on reduction (antialiasing) and pictures are mirrored at their borders.
Source: Keys, "Cubic convolution interpolation for digital image processing", IEEE TASSP 29(6),
1981 (the kernel, a = -0.5), and the documented behaviour of MATLAB's ``imresize``.
"""

import numpy as np
from numpy.typing import NDArray

_KEYS_A = -0.5
_KERNEL_SUPPORT = 4  # the cubic kernel covers four source pixels when nothing is reduced


def crop_to_multiple(image: NDArray[np.uint8], multiple: int) -> NDArray[np.uint8]:
    """The top-left part of a picture whose height and width are multiples of a number.

    Args:
        image: uint8 array, height x width [x channels].
        multiple: positive integer.

    Returns:
        A view of ``image``; empty when the picture is smaller than ``multiple``.
    """
    height, width = image.shape[:2]
    return image[: height - height % multiple, : width - width % multiple]


def bicubic_downscale(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Reduce a picture by a whole factor, cropping it to a multiple of the factor first.

    Args:
        image: uint8 array, height x width x channels, at least ``scale`` pixels each way.
        scale: the factor, 1 or more.

    Returns:
        uint8 array, height // scale x width // scale x channels.

    Raises:
        ValueError: ``scale`` is below 1 or the picture is smaller than ``scale``.
    """
    _check(image, scale)
    cropped = crop_to_multiple(image, scale)
    if cropped.size == 0:
        raise ValueError(f"a picture of shape {image.shape} is too small to reduce by {scale}")
    rows, columns = cropped.shape[0] // scale, cropped.shape[1] // scale
    return _resize(cropped, (rows, columns), 1.0 / scale)


def bicubic_upscale(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Enlarge a picture by a whole factor: the baseline every network has to beat.

    Args:
        image: uint8 array, height x width x channels.
        scale: the factor, 1 or more.

    Returns:
        uint8 array, height * scale x width * scale x channels.

    Raises:
        ValueError: ``scale`` is below 1 or the picture is empty.
    """
    _check(image, scale)
    return _resize(image, (image.shape[0] * scale, image.shape[1] * scale), float(scale))


def _check(image: NDArray[np.uint8], scale: int) -> None:
    if scale < 1 or image.ndim != 3 or image.size == 0:
        raise ValueError(f"cannot resize a picture of shape {image.shape} by {scale}")


def _resize(image: NDArray[np.uint8], size: tuple[int, int], factor: float) -> NDArray[np.uint8]:
    values = image
    for axis in (0, 1):  # equal factors: rows first, then columns; each pass ends in 8 bits
        values = _resize_axis(values, axis, size[axis], factor)
    return values


def _resize_axis(
    values: NDArray[np.uint8], axis: int, size: int, factor: float
) -> NDArray[np.uint8]:
    indices, weights = _contributions(values.shape[axis], size, factor)
    moved = np.moveaxis(values, axis, 0)
    result = np.zeros((size, *moved.shape[1:]))
    for tap in range(indices.shape[1]):
        weight = weights[:, tap].reshape(-1, *([1] * (moved.ndim - 1)))
        result += weight * moved[indices[:, tap]]
    # Halves are rounded away from zero: what is below zero is clamped, so floor(x + 0.5) does it.
    rounded = np.clip(np.floor(result + 0.5), 0, 255).astype(np.uint8)
    return np.moveaxis(rounded, 0, axis)


def _contributions(
    source_size: int, size: int, factor: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which source pixels make each output pixel, and with which weights (size x taps each)."""
    stretch = min(factor, 1.0)  # below 1 the kernel is widened by 1 / factor
    support = _KERNEL_SUPPORT / stretch
    # Pixels are unit squares; centre[i] is where the middle of output pixel i falls in the source.
    centre = (np.arange(size) + 0.5) / factor - 0.5
    first = np.floor(centre - support / 2).astype(np.int64)
    indices = first[:, np.newaxis] + np.arange(int(np.ceil(support)) + 2)
    weights = stretch * _cubic(stretch * (centre[:, np.newaxis] - indices))
    weights /= weights.sum(axis=1, keepdims=True)
    used = np.any(weights != 0, axis=0)
    mirrored = np.concatenate([np.arange(source_size), np.arange(source_size)[::-1]])
    return mirrored[indices[:, used] % (2 * source_size)], weights[:, used]


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel with a = -0.5."""
    x = np.abs(distance)
    near = ((_KEYS_A + 2) * x - (_KEYS_A + 3)) * x * x + 1
    far = ((_KEYS_A * x - 5 * _KEYS_A) * x + 8 * _KEYS_A) * x - 4 * _KEYS_A
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
