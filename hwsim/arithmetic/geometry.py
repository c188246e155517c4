"""How a convolution's window moves and which channels it reads."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Geometry:
    """Stride, dilation and groups of a convolution (``docs/operators/convolution.md``).

    Attributes:
        stride: rows and columns between neighbouring outputs' windows.
        dilation: rows and columns between neighbouring taps of a window.
        groups: into how many equal parts input and output channels are cut; an output channel
            reads the input channels of its own part.

    Raises:
        ValueError: a number is not positive.
    """

    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        """Refuse what no window can do."""
        if min(*self.stride, *self.dilation, self.groups) < 1:
            raise ValueError(f"convolution geometry: {self} must hold positive integers")

    def window(self, kernel: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns from a window's first tap to its last, both counted."""
        return (
            (kernel[0] - 1) * self.dilation[0] + 1,
            (kernel[1] - 1) * self.dilation[1] + 1,
        )

    def output_size(self, size: tuple[int, int], kernel: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the output of a padded image; below 1 where no window fits."""
        window = self.window(kernel)
        return (
            (size[0] - window[0]) // self.stride[0] + 1,
            (size[1] - window[1]) // self.stride[1] + 1,
        )

    def check_channels(self, weight_shape: tuple[int, ...]) -> None:
        """Raise ValueError unless the groups divide the O of weights [O, KH, KW, I/groups]."""
        if weight_shape[0] % self.groups:
            raise ValueError(
                f"convolution: {weight_shape[0]} output channels do not divide into "
                f"{self.groups} groups; choose a divisor"
            )


DENSE = Geometry()
"""Every pixel, neighbouring taps, all channels."""


@dataclass(frozen=True, slots=True)
class Padding:
    """Rows and columns of pad codes around a feature map."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __post_init__(self) -> None:
        """Refuse to cut rows or columns off."""
        if min(self.top, self.bottom, self.left, self.right) < 0:
            raise ValueError(f"convolution padding: {self} must not be negative")

    def around(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of an image with this padding around it."""
        return self.top + size[0] + self.bottom, self.left + size[1] + self.right

    def rows(self, first: int, end: int, height: int) -> "tuple[slice, Padding]":
        """The rows ``first`` … ``end`` - 1 of the padded image, of an image of a height.

        Returns:
            The rows of the image among them, and the padding around these.
        """
        inside = range(height)[max(first - self.top, 0) : max(end - self.top, 0)]
        top = min(max(self.top - first, 0), end - first)
        bottom = end - first - top - len(inside)
        return slice(inside.start, inside.stop), Padding(top, bottom, self.left, self.right)


NO_PADDING = Padding()

INTERPOLATION_BITS = 10
"""Of the fraction of a position between two pixels, as in TensorFlow Lite's RESIZE_BILINEAR."""


@lru_cache(maxsize=64)
def interpolation(size: int, factor: int, half_pixel_centers: bool) -> NDArray[np.int64]:
    """Between which pixels the outputs of a bilinear resize lie, along one axis.

    Args:
        size: input pixels.
        factor: output pixels per input pixel.
        half_pixel_centers: whether pixels are squares with a centre, not points.

    Returns:
        int64 [3, size · factor], not to be changed: the pixel before each output, the one behind
        it, and the distance from the first in units of 2^-10 pixels.
    """
    large, one = size * factor, 1 << INTERPOLATION_BITS
    scale = (size * one + large // 2) // large
    positions = np.arange(large) * scale
    if half_pixel_centers:
        positions += scale // 2 - one // 2
    before = np.clip(positions >> INTERPOLATION_BITS, 0, size - 1)
    behind = np.clip((positions + one - 1) >> INTERPOLATION_BITS, 0, size - 1)
    return np.stack([before, behind, positions - (before << INTERPOLATION_BITS)])
