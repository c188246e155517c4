"""Operators that move codes and change none."""

import numpy as np
from numpy.typing import ArrayLike

from hwsim.arithmetic.reference.integers import Integers, integers


def pixel_shuffle(ifm: ArrayLike, factor: int) -> Integers:
    """Move channels into space, in depth-column-row (DCR) order, as TFLite's DEPTH_TO_SPACE.

    Args:
        ifm: [H, W, factor² · C].
        factor: how much larger the image becomes in each direction.

    Returns:
        [H · factor, W · factor, C], where pixel (y·factor + dy, x·factor + dx) holds channels
        (dy·factor + dx)·C … of input pixel (y, x).
    """
    image = integers(ifm)
    height, width, depth = image.shape
    channels = depth // factor**2
    shuffled = np.empty((height * factor, width * factor, channels), np.int64)
    for dy in range(factor):
        for dx in range(factor):
            first = (dy * factor + dx) * channels
            shuffled[dy::factor, dx::factor] = image[:, :, first : first + channels]
    return shuffled
