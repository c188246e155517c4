"""Additions on the stepped vector unit: their codes, and the cycles they took."""

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.stepped import _kernels as kernels

Wide = NDArray[np.int64]


def stepped_addition(first: Wide, second: Wide, scale: Wide, lanes: int) -> tuple[Wide, int]:
    """Two operands rescaled, added and clamped, one element a lane and cycle.

    Args:
        first: [elements].
        second: [elements].
        scale: offset, multiplier and shift of each operand, then zero point, lowest and highest
            code, [9]; shifts round half up.
        lanes: elements the unit takes a cycle.

    Returns:
        Codes [elements], and cycles from the first operand in to the last code out.
    """
    codes = np.zeros(len(first), np.int64)
    return codes, kernels.step_addition(first, second, scale, lanes, codes)
