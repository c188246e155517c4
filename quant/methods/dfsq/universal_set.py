"""The universal set: all points a subset may have, sums of four words of powers of two."""

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from quant.common.run_time_scaling import LARGEST_POINT

_WORDS = (
    (0, -1, -5),
    (0, -2, -6),
    (0, -3, -7),
    (0, -4, -8),
)
"""Exponents of two, of which a word has one or is 0; a point is a quarter of the four's sum."""


@lru_cache(maxsize=1)
def universal_set() -> NDArray[np.int64]:
    """The 377 points, ascending, in units of 2^-10."""
    quarter = LARGEST_POINT // len(_WORDS)
    words = [(0, *(int(quarter * 2.0**exponent) for exponent in word)) for word in _WORDS]
    sums = {sum(chosen) for chosen in product(*words)}
    return np.array(sorted(sums | {-total for total in sums}), np.int64)
