"""Functions of one code."""

import numpy as np
from numpy.typing import ArrayLike

from hwsim.arithmetic.reference.integers import Integers, integers
from hwsim.arithmetic.reference.requantization import requantize
from quant.common.requantization import Requantization


def parametric_relu(
    ifm: ArrayLike,
    bias: int,
    slope: ArrayLike,
    positive: Requantization,
    negative: Requantization,
) -> Integers:
    """Rescale codes above zero in one way and those below, times a slope, in another.

    Args:
        ifm: [..., C].
        bias: the zero point with the sign turned.
        slope: [C] or [1].
        positive: from sums of at least 0 to codes.
        negative: from sums below 0, times their slope, to codes.

    Returns:
        [..., C] codes.
    """
    sums = integers(ifm) + bias
    above, below = requantize(sums, positive), requantize(sums * integers(slope), negative)
    return np.where(sums >= 0, above, below)


def lookup_table(ifm: ArrayLike, table: ArrayLike, low: int) -> Integers:
    """Replace each code by the entry of a table.

    Args:
        ifm: [..., C], codes from ``low`` on.
        table: [C or 1, entries], entry 0 for the code ``low``.
        low: the least code.

    Returns:
        [..., C] entries.
    """
    entries, image = integers(table), integers(ifm)
    channels = image.shape[-1]
    rows = np.arange(channels) if len(entries) == channels else np.zeros(channels, np.int64)
    return entries[rows, image - low]
