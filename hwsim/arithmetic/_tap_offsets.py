"""What taps outside an image take from sums, by where a window lies.

``docs/operators/convolution.md`` defines it. Sums begin with the bias and the offsets of all taps.
Windows that reach beyond the image lack some of them: as many different sets of rows as there are
rows of padding, and one more, and so of columns. A border class is such a set; class 0 lacks
nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._jit import Wide
from hwsim.arithmetic.geometry import NO_PADDING, Geometry, Padding

Inside = NDArray[np.bool_]


class Border(NamedTuple):
    """What is added to the sums of some output rows, as kernels take it.

    Attributes:
        rows: int64 [rows], the class of each row of windows.
        columns: int64 [columns], the class of each column of windows.
        offsets: int64 [row classes, column classes, O], 0 where both classes are 0.
    """

    rows: Wide
    columns: Wide
    offsets: Wide


NO_BORDER = Border(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 0, 0), np.int64))
"""Nothing is added anywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class TapOffsets:
    """What each tap inside the image adds to a sum.

    Attributes:
        offset: int64 [O, KH, KW].
        geometry: stride and dilation of the convolution.
    """

    offset: Wide
    geometry: Geometry

    def border(self, size: tuple[int, int], padding: Padding) -> Border:
        """What windows lack that reach beyond an image of so many rows and columns, or a part."""
        if padding == NO_PADDING:
            return NO_BORDER
        return _border(self, size, padding)


@lru_cache(maxsize=1024)  # bands and tiles have few sizes; offsets are told by identity
def _border(taps: TapOffsets, size: tuple[int, int], padding: Padding) -> Border:
    offset, geometry = taps.offset, taps.geometry
    kernel = offset.shape[1], offset.shape[2]
    outputs = geometry.output_size(padding.around(size), kernel)
    classes, sets = [], []
    for axis, before in enumerate((padding.top, padding.left)):
        first = np.arange(outputs[axis])[:, np.newaxis] * geometry.stride[axis] - before
        places = first + np.arange(kernel[axis]) * geometry.dilation[axis]
        numbers, distinct = _classes((places >= 0) & (places < size[axis]))
        classes.append(numbers)
        sets.append(distinct.astype(np.int64))
    held = np.einsum("rk,cl,okl->rco", *sets, offset)
    return Border(classes[0], classes[1], held - offset.sum(axis=(1, 2)))


def _classes(inside: Inside) -> tuple[Wide, Inside]:
    """The class of each window [windows, K], and the taps inside of each class [classes, K]."""
    complete = np.ones((1, inside.shape[1]), bool)
    distinct, numbers = np.unique(np.concatenate([complete, inside]), axis=0, return_inverse=True)
    # Sorted, the complete set is the last; it shall be the first.
    numbers = len(distinct) - 1 - numbers.reshape(-1)
    return np.ascontiguousarray(numbers[1:]), distinct[::-1]
