"""From sums to codes."""

from numpy.typing import ArrayLike

from hwsim.arithmetic.reference import requantization_modes
from hwsim.arithmetic.reference.integers import Integers, integers, magnitude
from quant.common.requantization import Requantization
from quant.common.requantization_modes import MODES


def requantize(accumulator: ArrayLike, requantization: Requantization) -> Integers:
    """Scale accumulators, round, move by the zero point and clamp, as the named mode defines it.

    Args:
        accumulator: [..., O].
        requantization: with parameters of O channels, or of one for all.

    Raises:
        ValueError: a product, or its sum with a zero point that is added first, could exceed 2^62,
            so that adding half a unit would leave int64.
    """
    values = integers(accumulator)
    factor_bits = MODES[requantization.rounding].factor_bits
    largest_factor = min(magnitude(requantization.multiplier), 2**factor_bits - 1)
    largest = magnitude(values) * largest_factor
    if requantization.zero_point_first:
        largest += abs(requantization.zero_point) << int(requantization.shift.max())
    if largest > 2**62:
        raise ValueError("requantize: products leave 62 bits")
    return requantization_modes.codes(values, requantization)
