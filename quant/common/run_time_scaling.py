"""Fixed-point formats of feature maps that are normalized per channel and image, as DFSQ does.

A pixel's value x of channel c is encoded as the nearest of a few points p of [−1, 1] to
(x − mean)/reach; ``docs/operators/normalization.md``, ``encode.md`` and ``scaled_convolution.md``
define the three operators that take part.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

POINT_FRACTION_BITS = 10
"""Points are multiples of 2^-10: the grid of DFSQ's universal set."""
LARGEST_POINT = 1 << POINT_FRACTION_BITS
"""The point 1, in units of 2^-10."""
POINT_BITS = 12
"""Signed bits of a point between -1024 and 1024, and of the sum of two neighbouring ones."""
MOST_ENCODED_BITS = 8
"""Of a code: the universal set has 377 points, and 189 that are not negative."""

RECIPROCAL_FRACTION_BITS = 15
"""A reach of e bits has the reciprocal 2^(15+e) / reach, rounded: 16 bits, or 2^16 exactly."""
FACTOR_BITS = 24
"""Stored width of a mean, a reach and a reciprocal: three whole bytes."""
LARGEST_REACH = (1 << 16) - 1
"""Of a channel of codes of 16 bits: the distance of its extremes at most."""

PLACEMENTS = ("partial_sums", "activations", "weights")
"""What a machine multiplies by a channel's reach: each channel's sum of products for each output,
each table entry once for an image, or each weight once for an image. The integers are the same."""


def nearest_point_thresholds(points: Integers) -> Integers:
    """Thresholds at which the nearest point changes; halfway between two, the lower one is nearest.

    Args:
        points: int64 [channels, codes], ascending, in units of 2^-10.

    Returns:
        int64 [channels, codes − 1], in units of 2^-11. The sum of two points 1024 is one less than
        it is, to fit 12 bits; both codes stand for the same point.
    """
    most = (1 << POINT_BITS - 1) - 1
    thresholds: Integers = np.minimum(points[:, :-1] + points[:, 1:], most)
    return thresholds
