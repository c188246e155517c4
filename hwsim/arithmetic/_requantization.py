"""The limits that sums, multipliers and shifts of a requantization keep to, checked."""

import numpy as np

from hwsim.arithmetic._jit import Wide
from hwsim.arithmetic._kernels_requantization import LARGEST_FLOAT_CODE
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


def check_scaling(
    what: str,
    multiplier: Wide,
    shift: Wide,
    zero_point: int,
    low: int,
    high: int,
    rounding: str = "half_up",
    destination_scale: int = 0,
) -> RequantizationMode:
    """The mode of that name; raise ValueError unless the parameters are within its limits."""
    if rounding not in MODES:
        raise ValueError(
            f"{what}: no requantization mode '{rounding}'; choose one of {', '.join(MODES)}"
        )
    mode = MODES[rounding]
    for values, name, (least, greatest) in (
        (multiplier, "multipliers", mode.multipliers),
        (shift, "shifts", mode.shifts),
    ):
        if values.min() < least or values.max() > greatest:
            raise ValueError(
                f"{what}: {name} {values.min()} … {values.max()} must lie in {least} … {greatest} "
                f"({rounding})"
            )
    if mode.has_destination_scale != (0 < destination_scale <= LARGEST_FLOAT32):
        raise ValueError(
            f"{what}: {'a' if mode.has_destination_scale else 'no'} positive float32 destination "
            f"scale is part of {rounding}; given the bit pattern {destination_scale}"
        )
    _check_clamp(what, mode, zero_point, low, high)
    return mode


def check_sums(what: str, largest: int, mode: RequantizationMode, multiplier: Wide) -> None:
    """Raise ValueError unless a mode is exact for sums of up to this magnitude."""
    product = largest_product(largest, mode, multiplier)
    if product > LARGEST_PRODUCT:
        raise ValueError(
            f"{what}: products can reach {product}, more than 2^62; use narrower multipliers"
        )
    if largest.bit_length() >= mode.sum_bits:
        raise ValueError(
            f"{what}: sums can reach {largest}, but {mode.name} takes sums of {mode.sum_bits} bits "
            "with sign; narrow an operand or choose another mode"
        )


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
