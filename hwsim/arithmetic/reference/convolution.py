"""Convolutions: their padding and their accumulators."""

import numpy as np
from numpy.typing import ArrayLike

from hwsim.arithmetic.geometry import DENSE, Geometry
from hwsim.arithmetic.reference.integers import Integers, integers


def pad(ifm: ArrayLike, padding: tuple[int, int, int, int], pad_code: ArrayLike) -> Integers:
    """Surround an image with the codes that taps outside it read.

    Args:
        ifm: [H, W, I].
        padding: rows above and below, columns left and right.
        pad_code: [I], the code of each channel outside the image.

    Returns:
        [H + top + bottom, W + left + right, I].
    """
    image = integers(ifm)
    top, bottom, left, right = padding
    height, width, channels = image.shape
    padded = np.empty((top + height + bottom, left + width + right, channels), np.int64)
    padded[:, :] = integers(pad_code)
    padded[top : top + height, left : left + width] = image
    return padded


def replicate(ifm: ArrayLike, padding: tuple[int, int, int, int]) -> Integers:
    """Surround an image with its own outermost pixels.

    Args:
        ifm: [H, W, I].
        padding: rows above and below, columns left and right.

    Returns:
        [H + top + bottom, W + left + right, I]; each place holds the nearest pixel of the image.
    """
    image = integers(ifm)
    top, bottom, left, right = padding
    height, width, _ = image.shape
    rows = np.clip(np.arange(-top, height + bottom), 0, height - 1)
    columns = np.clip(np.arange(-left, width + right), 0, width - 1)
    replicated: Integers = image[np.ix_(rows, columns)]
    return replicated


def convolve(
    ifm: ArrayLike, weight: ArrayLike, bias: ArrayLike, geometry: Geometry = DENSE
) -> Integers:
    """The accumulators of a convolution: correlation, as neural networks mean it.

    Args:
        ifm: [H, W, I], already padded.
        weight: [O, KH, KW, I/groups].
        bias: [O].
        geometry: stride, dilation and groups; groups divide I and O.

    Returns:
        [(H - window height) // stride + 1, (W - window width) // stride + 1, O], where a window
        spans (K - 1) · dilation + 1 rows or columns.
    """
    image, kernel = integers(ifm), integers(weight)
    outputs, kernel_height, kernel_width, group_inputs = kernel.shape
    height, width = geometry.output_size(image.shape[:2], (kernel_height, kernel_width))
    accumulator = np.zeros((height, width, outputs), np.int64)
    for group in range(geometry.groups):
        members = _part(group, outputs // geometry.groups)
        channels = image[:, :, _part(group, group_inputs)]
        for ky in range(kernel_height):
            for kx in range(kernel_width):
                rows = every(geometry.stride[0], ky * geometry.dilation[0], height)
                columns = every(geometry.stride[1], kx * geometry.dilation[1], width)
                taps = kernel[members, ky, kx]
                accumulator[:, :, members] += channels[rows, columns] @ taps.T
    return accumulator + integers(bias)


def tap_offsets(
    size: tuple[int, int],
    padding: tuple[int, int, int, int],
    offset: ArrayLike,
    geometry: Geometry = DENSE,
) -> Integers:
    """What the taps inside an image add to the sums of a convolution.

    Args:
        size: rows and columns of the image.
        padding: rows above and below, columns left and right.
        offset: [O, KH, KW], of each tap.
        geometry: stride and dilation.

    Returns:
        What is added to each of the sums that `convolve` gives for the padded image.
    """
    of_taps = integers(offset)[..., np.newaxis]
    inside = pad(np.ones((*size, 1), np.int64), padding, [0])
    return convolve(inside, of_taps, [0], Geometry(geometry.stride, geometry.dilation))


def _part(index: int, size: int) -> slice:
    """Part ``index`` of something cut into parts of a size."""
    return slice(index * size, (index + 1) * size)


def every(stride: int, first: int, count: int) -> slice:
    """``count`` places from the first on, a stride apart."""
    return slice(first, first + (count - 1) * stride + 1, stride)


def spread(ifm: ArrayLike, stride: tuple[int, int], pad_code: ArrayLike) -> Integers:
    """Put pad codes between the pixels of an image, as a transposed convolution reads it.

    Args:
        ifm: [H, W, I].
        stride: from one pixel to the next, down and across.
        pad_code: [I], the code of each channel between pixels.

    Returns:
        [(H - 1) · stride[0] + 1, (W - 1) · stride[1] + 1, I].
    """
    image = integers(ifm)
    (height, width, channels), (down, across) = image.shape, stride
    far = np.empty(((height - 1) * down + 1, (width - 1) * across + 1, channels), np.int64)
    far[:, :] = integers(pad_code)
    far[::down, ::across] = image
    return far
