"""The limits that sums, multipliers and shifts of a requantization keep to, checked."""

import numpy as np

from hwsim.arithmetic._jit import Wide
from hwsim.arithmetic._kernels_requantization import LARGEST_FLOAT_CODE
from quant.common.requantization import Requantization
from quant.common.requantization_modes import LARGEST_FLOAT32, MODES, RequantizationMode

LARGEST_PRODUCT = 2**62
"""Of a sum and its multiplier: adding almost 2^62 to it, to round, still fits 64 bits."""


def check_vector(values: Wide, what: str, lengths: tuple[int, ...]) -> None:
    """Raise ValueError unless ``values`` is int64 of one of the lengths."""
    if values.dtype != np.int64 or values.ndim != 1 or len(values) not in lengths:
        expected = " or ".join(str(length) for length in dict.fromkeys(lengths))
        raise ValueError(
            f"{what}: expected int64 of length {expected}, got {values.dtype} {list(values.shape)}"
        )


def check_requantization(
    what: str, requantization: Requantization, channels: int
) -> RequantizationMode:
    """The mode named; raise ValueError unless all is within its limits, for that many channels."""
    mode_name = requantization.rounding
    if mode_name not in MODES:
        raise ValueError(
            f"{what}: no requantization mode '{mode_name}'; choose one of {', '.join(MODES)}"
        )
    mode = MODES[mode_name]
    for values, name, (least, greatest) in (
        (requantization.multiplier, "multiplier", mode.multipliers),
        (requantization.shift, "shift", mode.shifts),
    ):
        check_vector(values, f"{what} {name}", (channels, 1))
        if values.min() < least or values.max() > greatest:
            raise ValueError(
                f"{what}: {name}s {values.min()} … {values.max()} must lie in {least} … {greatest} "
                f"({mode_name})"
            )
    scale = requantization.destination_scale
    if mode.has_destination_scale != (0 < scale <= LARGEST_FLOAT32):
        raise ValueError(
            f"{what}: {'a' if mode.has_destination_scale else 'no'} positive float32 destination "
            f"scale is part of {mode_name}; given the bit pattern {scale}"
        )
    _check_clamp(what, mode, requantization.zero_point, requantization.low, requantization.high)
    return mode


def check_sums(
    what: str, largest: int, mode: RequantizationMode, requantization: Requantization
) -> None:
    """Raise ValueError unless a mode is exact for sums of up to this magnitude."""
    problem = sums_problem(largest, mode, requantization)
    if problem is not None:
        raise ValueError(f"{what}: {problem}")


def sums_problem(
    largest: int, mode: RequantizationMode, requantization: Requantization
) -> str | None:
    """Why a mode may not be exact for sums of up to this magnitude; None where it is."""
    product = largest_product(largest, mode, requantization.multiplier)
    if requantization.zero_point_first and not mode.is_float:
        product += abs(requantization.zero_point) << max(31, int(requantization.shift.max()))
    if product > LARGEST_PRODUCT:
        return f"products can reach {product}, more than 2^62; use narrower multipliers"
    if largest.bit_length() >= mode.sum_bits:
        return (
            f"sums can reach {largest}, but {mode.name} takes sums of {mode.sum_bits} bits "
            "with sign; narrow an operand or choose another mode"
        )
    return None


def largest_product(largest_sum: int, mode: RequantizationMode, multiplier: Wide) -> int:
    """Bound of the magnitude of sums times what takes part of their multipliers, at least 1."""
    return largest_sum * max(1, min(magnitude(multiplier), (1 << mode.factor_bits) - 1))


def magnitude(values: Wide) -> int:
    """The largest absolute value, exact even for -2^63."""
    return max(-int(values.min()), int(values.max()))


def _check_clamp(what: str, mode: RequantizationMode, zero_point: int, low: int, high: int) -> None:
    if not -(2**31) <= low <= high < 2**31:
        raise ValueError(f"{what}: the clamp {low} … {high} must be an interval of 32-bit integers")
    if not -(2**31) <= zero_point < 2**31:
        raise ValueError(f"{what}: zero point {zero_point} must be a 32-bit integer")
    if mode.is_float:
        reach = max(abs(low), abs(high)) + abs(zero_point)
        if reach > LARGEST_FLOAT_CODE:
            raise ValueError(
                f"{what}: {mode.name} rounds codes of up to {LARGEST_FLOAT_CODE} in magnitude; the "
                f"clamp {low} … {high} and the zero point {zero_point} reach {reach}"
            )
