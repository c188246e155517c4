"""What every requantizing kernel takes: per-channel parameters, and the limits they keep to."""

import numpy as np

from hwsim.arithmetic._jit import Wide

BIAS, MULTIPLIER, HALF, SHIFT = range(4)
"""Rows of a kernel's per-channel parameters; HALF is what half_up adds, ⌊2^shift / 2⌋."""

LARGEST_SHIFT = 62
LARGEST_PRODUCT = 2**62
"""Of a sum and its multiplier: adding half of 2^LARGEST_SHIFT to it still fits 64 bits."""


def channel_parameters(bias: Wide, multiplier: Wide, shift: Wide, channels: int) -> Wide:
    """The parameters of all channels as rows of int64 [4, channels].

    Vectors of length 1 count for every channel; longer ones may leave the last channels 0.
    """
    parameters = np.zeros((4, channels), np.int64)
    for row, values in ((BIAS, bias), (MULTIPLIER, multiplier), (SHIFT, shift)):
        parameters[row, : channels if len(values) == 1 else len(values)] = values
    parameters[HALF] = (1 << parameters[SHIFT]) >> 1
    return parameters


def check_vector(values: Wide, what: str, lengths: tuple[int, ...]) -> None:
    """Raise ValueError unless ``values`` is int64 of one of the lengths."""
    if values.dtype != np.int64 or values.ndim != 1 or len(values) not in lengths:
        expected = " or ".join(str(length) for length in dict.fromkeys(lengths))
        raise ValueError(
            f"{what}: expected int64 of length {expected}, got {values.dtype} {list(values.shape)}"
        )


def check_scaling(
    what: str, multiplier: Wide, shift: Wide, zero_point: int, low: int, high: int
) -> None:
    """Raise ValueError unless the parameters are within what the kernels compute with."""
    if magnitude(multiplier) >= 2**31:
        raise ValueError(
            f"{what}: multiplier {magnitude(multiplier)} is too large; it must be below 2^31"
        )
    if shift.min() < 0 or shift.max() > LARGEST_SHIFT:
        raise ValueError(
            f"{what}: shifts {shift.min()} … {shift.max()} must lie in 0 … {LARGEST_SHIFT}"
        )
    if not -(2**31) <= low <= high < 2**31:
        raise ValueError(f"{what}: the clamp {low} … {high} must be an interval of 32-bit integers")
    if not -(2**31) <= zero_point < 2**31:
        raise ValueError(f"{what}: zero point {zero_point} must be a 32-bit integer")


def magnitude(values: Wide) -> int:
    """The largest absolute value, exact even for -2^63."""
    return max(-int(values.min()), int(values.max()))
