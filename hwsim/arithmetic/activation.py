"""Functions of one code, fast: parametric ReLU and lookup tables."""

import numpy as np

from hwsim.arithmetic import _kernels_elementwise
from hwsim.arithmetic._feature_maps import (
    check_map,
    code_range,
    in_bands,
    largest_code,
    narrowest_type,
    pixels,
)
from hwsim.arithmetic._jit import CODE_TYPES, Codes, StoredCodes, Wide
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
    codes: StoredCodes,
    bias: int,
    slope: Wide,
    positive: Requantization,
    negative: Requantization,
) -> StoredCodes:
    """Rescale codes above zero in one way, those below in another (``docs/operators/prelu.md``).

    Args:
        codes: [H, W, C] of a type of `CODE_TYPES`.
        bias: added to codes.
        slope: int64 [C] or [1], of sums below 0, magnitudes below 2^31.
        positive: sum to code, for sums of at least 0.
        negative: sum times slope to code, for sums below 0.

    Returns:
        [H, W, C], of the narrowest type that holds the codes of both requantizations.

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or a sum could leave a mode's limits.
    """
    check_map(codes, "parametric ReLU", CODE_TYPES)
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
        scalings.append(kernel_scaling(np.zeros(1, np.int64), requantization, channels))
    slopes = np.ascontiguousarray(np.broadcast_to(slope, channels))
    kind = narrowest_type(min(positive.low, negative.low), max(positive.high, negative.high))
    out = np.empty(codes.shape, kind)
    image, result = pixels(codes), pixels(out)
    in_bands(
        len(image),
        out.shape,
        lambda first, end: _kernels_elementwise.parametric_relu(
            image[first:end], bias, slopes, scalings[0], scalings[1], result[first:end]
        ),
    )
    return out


def lookup_table(codes: StoredCodes, table: Codes, low: int) -> StoredCodes:
    """Replace each code by the entry of a table (``docs/operators/lookup_table.md``).

    Args:
        codes: [H, W, C] of a type of `CODE_TYPES`, codes from ``low`` on.
        table: int32 [C or 1, entries], entry 0 for the code ``low``.
        low: the least code.

    Returns:
        [H, W, C], of the narrowest type that holds the entries.

    Raises:
        ValueError: an array has another type or shape than stated, or a code has no entry.
    """
    check_map(codes, "lookup table", CODE_TYPES)
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
    out = np.empty(codes.shape, narrowest_type(int(entries.min()), int(entries.max())))
    image, result = pixels(codes), pixels(out)
    in_bands(
        len(image),
        out.shape,
        lambda first, end: _kernels_elementwise.lookup_table(
            image[first:end], entries, int(len(entries) > 1), low, result[first:end]
        ),
    )
    return out
