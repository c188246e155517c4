"""Functions of one code, fast: parametric ReLU and lookup tables."""

import numpy as np

from hwsim.arithmetic import _kernels_elementwise
from hwsim.arithmetic._feature_maps import check_map, code_range, in_bands, largest_code, pixels
from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic._requantization import (
    check_requantization,
    check_sums,
    check_vector,
    magnitude,
)
from hwsim.arithmetic.requantization_modes import kernel_scaling
from quant.common.requantization import Requantization

STEEPEST = 2**31
"""Slopes lie below it in magnitude."""


def parametric_relu(
    codes: Codes, bias: int, slope: Wide, positive: Requantization, negative: Requantization
) -> Codes:
    """Rescale codes above zero in one way, those below in another (``docs/operators/prelu.md``).

    Args:
        codes: int32 [H, W, C].
        bias: added to codes.
        slope: int64 [C] or [1], of sums below 0, magnitudes below 2^31.
        positive: sum to code, for sums of at least 0.
        negative: sum times slope to code, for sums below 0.

    Returns:
        int32 [H, W, C].

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or a sum could leave a mode's limits.
    """
    check_map(codes, "parametric ReLU")
    channels = codes.shape[2]
    check_vector(slope, "parametric ReLU slope", (channels, 1))
    steepest = magnitude(slope)
    if steepest >= STEEPEST:
        raise ValueError(f"parametric ReLU: slopes of up to {steepest}; expected less than 2^31")
    largest = largest_code(codes) + abs(bias)
    scalings = []
    for requantization, reach, what in (
        (positive, largest, "parametric ReLU above zero"),
        (negative, largest * steepest, "parametric ReLU below zero"),
    ):
        mode = check_requantization(what, requantization, channels)
        check_sums(what, reach, mode, requantization)
        scalings.append(kernel_scaling(np.array([bias]), requantization, channels))
    slopes = np.ascontiguousarray(np.broadcast_to(slope, channels))
    out = np.empty(codes.shape, np.int32)
    image, result = pixels(codes), pixels(out)
    in_bands(
        len(image),
        out.shape,
        lambda first, end: _kernels_elementwise.parametric_relu(
            image[first:end], slopes, scalings[0], scalings[1], result[first:end]
        ),
    )
    return out


def lookup_table(codes: Codes, table: Codes, low: int) -> Codes:
    """Replace each code by the entry of a table (``docs/operators/lookup_table.md``).

    Args:
        codes: int32 [H, W, C], codes from ``low`` on.
        table: int32 [C or 1, entries], entry 0 for the code ``low``.
        low: the least code.

    Returns:
        int32 [H, W, C].

    Raises:
        ValueError: an array has another type or shape than stated, or a code has no entry.
    """
    check_map(codes, "lookup table")
    channels = codes.shape[2]
    if table.dtype != np.int32 or table.ndim != 2 or len(table) not in (channels, 1):
        raise ValueError(
            f"lookup table: expected int32 [1 or {channels}, entries], got {table.dtype} "
            f"{list(table.shape)}"
        )
    least, greatest = code_range(codes)
    last = low + table.shape[1] - 1
    if least < low or greatest > last:
        raise ValueError(
            f"lookup table: codes {least} … {greatest} have no entry among those of {low} … {last}"
        )
    entries = np.ascontiguousarray(table)
    out = np.empty(codes.shape, np.int32)
    image, result = pixels(codes), pixels(out)
    in_bands(
        len(image),
        out.shape,
        lambda first, end: _kernels_elementwise.lookup_table(
            image[first:end], entries, int(len(entries) > 1), low, result[first:end]
        ),
    )
    return out
