"""Memory that begins at a cache line, so that no register of 64 bytes is read across two."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE_BYTES = 64
"""Of a cache line on x86-64 and most Arm processors, and of a row of a tile register."""


def aligned_empty(count: int, kind: type[np.integer[Any]] | np.dtype[Any]) -> NDArray[Any]:
    """A vector of unknown content at a multiple of `LINE_BYTES`.

    Args:
        count: of its elements.
        kind: their type.
    """
    size_bytes = count * np.dtype(kind).itemsize
    memory = np.empty(size_bytes + LINE_BYTES, np.uint8)
    start = -memory.__array_interface__["data"][0] % LINE_BYTES  # quicker than .ctypes.data
    return memory[start : start + size_bytes].view(kind)


def aligned_copy(values: NDArray[Any]) -> NDArray[Any]:
    """A vector with the same elements at a multiple of `LINE_BYTES`."""
    copy = aligned_empty(values.size, values.dtype)
    copy[:] = values
    return copy
