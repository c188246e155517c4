"""Operators that move codes and change none."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from hwsim.arithmetic.reference.integers import Integers, integers


def pixel_shuffle(ifm: ArrayLike, factor: int, order: str = "dcr") -> Integers:
    """Move channels into space.

    Args:
        ifm: [H, W, factor² · C].
        factor: how much larger the image becomes in each direction.
        order: of the input's channels, ``dcr`` or ``crd``.

    Returns:
        [H · factor, W · factor, C], where pixel (y·factor + dy, x·factor + dx) holds channels
        (dy·factor + dx)·C … of input pixel (y, x) in the order ``dcr``, and every factor²-th
        channel from dy·factor + dx on in the order ``crd``.
    """
    image = integers(ifm)
    height, width, depth = image.shape
    channels = depth // factor**2
    shuffled = np.empty((height * factor, width * factor, channels), np.int64)
    for dy in range(factor):
        for dx in range(factor):
            place = dy * factor + dx
            if order == "dcr":
                part = image[:, :, place * channels : (place + 1) * channels]
            else:
                part = image[:, :, place :: factor**2]
            shuffled[dy::factor, dx::factor] = part
    return shuffled


def nearest_resize(ifm: ArrayLike, factor: int) -> Integers:
    """Repeat every pixel.

    Args:
        ifm: [H, W, C].
        factor: how often, down and across.

    Returns:
        [H · factor, W · factor, C].
    """
    image = integers(ifm)
    height, width, channels = image.shape
    large = np.empty((height * factor, width * factor, channels), np.int64)
    for dy in range(factor):
        for dx in range(factor):
            large[dy::factor, dx::factor] = image
    return large


def concatenate(maps: Sequence[ArrayLike]) -> Integers:
    """Put the channels of feature maps of one size side by side, in order.

    Args:
        maps: each [H, W, C of its own].

    Returns:
        [H, W, sum of all C].
    """
    images = [integers(codes) for codes in maps]
    height, width, _ = images[0].shape
    wide = np.empty((height, width, sum(image.shape[2] for image in images)), np.int64)
    first = 0
    for image in images:
        wide[:, :, first : first + image.shape[2]] = image
        first += image.shape[2]
    return wide
