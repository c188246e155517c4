"""Float32 arithmetic to the last bit where NumPy has no operation of its own."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]


def fused_multiply_add(factor: ArrayLike, other: ArrayLike, addend: ArrayLike) -> Singles:
    """Factor · other + addend, rounded once, to float32, as the instruction FMA does.

    A product of two float32 is exact in float64. The sum is rounded there to an odd last bit, and
    then to float32: a last bit that is odd wherever something was cut off keeps the second rounding
    from mistaking a sum beside a half for the half. Source: Boldo and Melquiond, "Emulation of a
    FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE Transactions on
    Computers 57 (2008).

    Args:
        factor: float32, or integers of at most 24 bits.
        other: float32.
        addend: float32.

    Returns:
        float32 of the shape the operands broadcast to.
    """
    product = np.asarray(factor, np.float64) * np.asarray(other, np.float64)
    addend = np.asarray(addend, np.float64)
    total = np.atleast_1d(product + addend)
    back = total - product
    error = (product - (total - back)) + (addend - back)  # of the sum, exactly (Knuth's TwoSum)
    even = total.view(np.int64) % 2 == 0
    neighbour = np.nextafter(total, np.where(error > 0, np.inf, -np.inf))
    odd: Doubles = np.where((error != 0) & even, neighbour, total)
    return odd.astype(np.float32).reshape(np.broadcast(product, addend).shape)
