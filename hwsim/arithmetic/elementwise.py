"""Addition and requantization of feature maps, fast.

Each equals its definition in `hwsim.arithmetic.reference` bit for bit.
"""

from functools import lru_cache

import numpy as np

from hwsim.arithmetic import _kernels_elementwise
from hwsim.arithmetic._feature_maps import in_bands, largest_code, narrowest_type, pixels
from hwsim.arithmetic._jit import CODE_TYPES, StoredCodes, Whole, Wide
from hwsim.arithmetic._kernels_requantization import Scaling
from hwsim.arithmetic._requantization import (
    check_requantization,
    check_sums,
    check_vector,
    magnitude,
)
from hwsim.arithmetic._requantization_emitter import CORRECTION, OFFSET, ORIGIN, SHIFT
from hwsim.arithmetic.requantization_modes import kernel_scaling
from quant.common.requantization import Requantization, TermRounding
from quant.common.requantization_modes import RequantizationMode

_NO_BIAS = np.zeros(1, np.int64)


def add_requantize(
    first: StoredCodes,
    second: StoredCodes,
    multipliers: tuple[int, int],
    bias: int,
    requantization: Requantization,
) -> StoredCodes:
    """Add two feature maps on different scales and requantize (``docs/operators/add.md``).

    Args:
        first: [..., C] of a type of `CODE_TYPES`.
        second: of such a type, the same shape.
        multipliers: of the first and the second map, magnitudes below 2^31.
        bias: added to the scaled sum.
        requantization: sum to code, with parameters of C channels or of one for all.

    Returns:
        The inputs' shape, of the narrowest type that holds the codes' low … high.

    Raises:
        ValueError: the maps differ in shape or have another type, a parameter is out of range, or
            a product could exceed 2^62.
    """
    scales = abs(multipliers[0]), abs(multipliers[1])
    if max(scales) >= 2**31:
        raise ValueError(f"addition: multipliers {multipliers} must be below 2^31 in magnitude")
    largest = abs(bias) + sum(
        _largest(codes, "addition", CODE_TYPES) * scale
        for codes, scale in zip((first, second), scales, strict=True)
    )
    scaling = _sum_scaling((first, second), bias, requantization, largest)
    factors = np.int32(multipliers[0]), np.int32(multipliers[1])
    out = np.empty(first.shape, narrowest_type(scaling.low, scaling.high))
    one, other, codes = pixels(first), pixels(second), pixels(out)
    in_bands(
        len(codes),
        codes.shape,
        lambda begin, end: _kernels_elementwise.add_requantize(
            one[begin:end],
            other[begin:end],
            factors,
            bias,
            scaling,
            codes[begin:end],
        ),
    )
    return out


def add_rounded_requantize(
    first: StoredCodes,
    second: StoredCodes,
    multipliers: tuple[int, int],
    terms: TermRounding,
    bias: int,
    requantization: Requantization,
) -> StoredCodes:
    """Add two feature maps that are rounded before the sum (``docs/operators/add.md``).

    Args:
        first: [..., C] of a type of `CODE_TYPES`.
        second: of such a type, the same shape.
        multipliers: of the operands, 0 … 2^31 - 1.
        terms: zero points, shifts of 31 … 62, and the bits by which operands are widened first.
        bias: added to the sum.
        requantization: sum to code, with parameters of C channels or of one for all.

    Returns:
        The operands' shape, of the narrowest type that holds the codes' low … high.

    Raises:
        ValueError: the maps differ in shape or have another type, a parameter is out of range, or
            a widened operand could leave 32 bits.
    """
    channels = first.shape[-1]
    term_scalings, largest = [], abs(bias)
    for codes, factor, shift, zero in zip(
        (first, second), multipliers, terms.shifts, terms.zero_points, strict=True
    ):
        reach = (_largest(codes, "addition", CODE_TYPES) + abs(zero)) << terms.left_shift
        _check_term(reach, factor, shift)
        term_scalings.append(_term_scaling(factor, shift, zero, terms.left_shift, channels))
        largest += (reach * factor >> shift) + 2  # two roundings add less than 2
    scaling = _sum_scaling((first, second), bias, requantization, largest)
    out = np.empty(first.shape, narrowest_type(scaling.low, scaling.high))
    one, other, sums = pixels(first), pixels(second), pixels(out)
    in_bands(
        len(sums),
        sums.shape,
        lambda begin, end: _kernels_elementwise.add_rounded_requantize(
            one[begin:end],
            other[begin:end],
            term_scalings[0],
            term_scalings[1],
            bias,
            scaling,
            sums[begin:end],
        ),
    )
    return out


def _sum_scaling(
    operands: tuple[StoredCodes, StoredCodes],
    bias: int,
    requantization: Requantization,
    largest: int,
) -> Scaling:
    """The kernel's scaling of a sum that reaches a magnitude, everything checked."""
    first, second = operands
    if first.shape != second.shape:
        raise ValueError(
            f"addition: the shapes {list(first.shape)} and {list(second.shape)} must be equal"
        )
    channels = first.shape[-1]
    mode, scaling = _checked_scaling("addition", (bias,), requantization, channels)
    check_sums("addition", largest, mode, requantization)
    return scaling


@lru_cache(maxsize=256)  # a network's, tile after tile; requantizations are told by identity
def _checked_scaling(
    what: str, bias: tuple[int, ...], requantization: Requantization, channels: int
) -> tuple[RequantizationMode, Scaling]:
    """A requantization within its mode's limits, as kernels take it."""
    mode = check_requantization(what, requantization, channels)
    return mode, kernel_scaling(np.array(bias, np.int64), requantization, channels)


def _check_term(reach: int, multiplier: int, shift: int) -> None:
    if reach >= 2**31 or not 0 <= multiplier < 2**31 or not 31 <= shift <= 62:
        raise ValueError(
            f"addition: operand of up to {reach} with multiplier {multiplier} and shift {shift}; "
            "expected 32 bits, 0 … 2^31 - 1 and 31 … 62"
        )


@lru_cache(maxsize=256)
def _term_scaling(
    multiplier: int, shift: int, zero_point: int, left_shift: int, channels: int
) -> Scaling:
    """The kernel's scaling of an operand that is moved and widened first."""
    rounding = Requantization(
        np.array([multiplier]), np.array([shift]), 0, -(2**31), 2**31 - 1, "tflite_double"
    )
    scaling = kernel_scaling(_NO_BIAS, rounding, channels)
    # The zero point's share of the product comes first, and bits that widening adds to the product
    # are bits that the shift need not drop: all else that is added to it ends in as many zeros.
    parameters = scaling.parameters
    parameters[[ORIGIN, OFFSET, CORRECTION]] >>= left_shift
    parameters[SHIFT] -= left_shift
    parameters[ORIGIN] -= zero_point * multiplier
    return scaling


def requantize_codes(codes: Whole, bias: Wide, requantization: Requantization) -> StoredCodes:
    """Move, scale, round and clamp codes (``docs/operators/requantize.md``).

    Args:
        codes: int32 or int64 [..., C].
        bias: int64 [C] or [1], added before scaling.
        requantization: sum to code, with parameters of C channels or of one for all.

    Returns:
        The codes' shape, of the narrowest type that holds low … high.

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or a product could exceed 2^62.
    """
    largest = _largest(codes, "requantization", (np.int32, np.int64))
    channels = codes.shape[-1]
    check_vector(bias, "requantization bias", (channels, 1))
    mode, scaling = _checked_scaling(
        "requantization", tuple(bias.tolist()), requantization, channels
    )
    check_sums("requantization", largest + magnitude(bias), mode, requantization)
    out = np.empty(codes.shape, narrowest_type(scaling.low, scaling.high))
    source, result = pixels(codes), pixels(out)
    in_bands(
        len(result),
        result.shape,
        lambda first, end: _kernels_elementwise.requantize_codes(
            source[first:end], scaling, result[first:end]
        ),
    )
    return out


def _largest(codes: StoredCodes, what: str, types: tuple[type, ...]) -> int:
    """A bound of the magnitude of codes [..., C] of one of some types: narrow types' own."""
    if codes.dtype not in types or codes.ndim == 0:
        expected = " or ".join(element.__name__ for element in types)
        raise ValueError(
            f"{what}: expected {expected} codes, got {codes.dtype} {list(codes.shape)}"
        )
    if codes.dtype.itemsize == 1:
        limits = np.iinfo(codes.dtype)
        return max(-limits.min, limits.max)
    return largest_code(codes) if codes.size else 0
