"""The integers every definition works on."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]


def integers(values: ArrayLike) -> Integers:
    """The values as int64; a float among them is a mistake, never truncated."""
    return np.asarray(values).astype(np.int64, casting="safe")


def magnitude(values: Integers) -> int:
    """The largest absolute value, as a Python integer, which cannot overflow."""
    return max(-int(values.min()), int(values.max()))
