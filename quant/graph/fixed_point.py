"""Real factors as integer multipliers and shifts."""

import numpy as np
from numpy.typing import NDArray

from quant.graph.operators import Integers
from quant.graph.requantization_rules import MAXIMUM_SHIFT, MULTIPLIER_BITS, PRODUCT_BITS

Reals = NDArray[np.float64]

LARGEST_FACTOR = 2.0**17
"""Beyond it every sum but 0 saturates a code of at most 16 bits, so a larger factor is the same."""


def fixed_point(factor: Reals, width: int) -> tuple[Integers, Integers]:
    """Multipliers and shifts with factor ≈ multiplier / 2^shift, the error at most 2^-31 of it.

    Fewer bits remain where the sum is so wide that a full multiplier would overflow 64 bits, and
    for factors below 2^-32, which contribute nothing.

    Args:
        factor: float64 [n], at least 0.
        width: signed bits of the sums that will be multiplied.

    Returns:
        int64 [n] multipliers and int64 [n] shifts.
    """
    return _leading_bits(factor, min(MULTIPLIER_BITS, PRODUCT_BITS - width))


def common_fixed_point(
    factors: tuple[float, float], bits: int = MULTIPLIER_BITS, longest_shift: int = MAXIMUM_SHIFT
) -> tuple[tuple[int, int], int]:
    """Two multipliers over one shift: factors[i] ≈ multipliers[i] / 2^shift.

    The larger one has all bits a multiplier may have; both are off by at most half a unit.

    Args:
        factors: at least 0.
        bits: of a multiplier.
        longest_shift: the most there may be; small factors that need more keep fewer bits.
    """
    _, shift = _leading_bits(np.array([max(factors)]), bits, longest_shift)
    capped = [min(factor, LARGEST_FACTOR) for factor in factors]
    largest = (1 << bits) - 1
    first, second = (
        min(int(np.floor(np.ldexp(factor, shift[0]) + 0.5)), largest) for factor in capped
    )
    return (first, second), int(shift[0])


def _leading_bits(
    factor: Reals, bits: int, longest_shift: int = MAXIMUM_SHIFT
) -> tuple[Integers, Integers]:
    factor = np.minimum(factor, LARGEST_FACTOR)
    _, exponent = np.frexp(factor)
    shift = np.clip(bits - exponent, 0, longest_shift).astype(np.int64)
    multiplier = np.floor(np.ldexp(factor, shift) + 0.5)
    return np.minimum(multiplier, 2.0**bits - 1).astype(np.int64), shift
