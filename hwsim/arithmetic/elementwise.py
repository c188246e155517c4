"""Addition and requantization of feature maps, fast.

Each equals its definition in `hwsim.arithmetic.reference` bit for bit.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from hwsim.arithmetic import _kernels_elementwise
from hwsim.arithmetic._feature_maps import in_bands, largest_code, narrowest_type, pixels
from hwsim.arithmetic._jit import CODE_TYPES, StoredCodes, Wide
from hwsim.arithmetic._kernels_requantization import Scaling
from hwsim.arithmetic._requantization import (
    check_requantization,
    check_sums,
    check_vector,
    sums_problem,
)
from hwsim.arithmetic._requantization_emitter import CORRECTION, OFFSET, ORIGIN, SHIFT
from hwsim.arithmetic.requantization_modes import kernel_scaling
from quant.common.requantization import Requantization, TermRounding
from quant.common.requantization_modes import MODES

Largest = Callable[[StoredCodes], int]
"""From codes to a bound of their magnitudes."""

_NO_BIAS = np.zeros(1, np.int64)
_NO_OFFSET = (0,)
"""Of additions, whose kernels add the bias to the scaled operands themselves."""


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
        Of the inputs' shape, in the narrowest type that holds the requantization's codes.

    Raises:
        ValueError: the maps differ in shape or have another type, a parameter is out of range, or
            a product could exceed 2^62.
    """
    scales = abs(multipliers[0]), abs(multipliers[1])
    if max(scales) >= 2**31:
        raise ValueError(f"addition: multipliers {multipliers} must be below 2^31 in magnitude")
    _check_terms(first, second)
    scaling = _checked_scaling("addition", _NO_OFFSET, requantization, first.shape[-1])
    _check_reach(
        "addition",
        lambda largest: abs(bias) + largest(first) * scales[0] + largest(second) * scales[1],
        requantization,
    )
    factors = np.int32(multipliers[0]), np.int32(multipliers[1])
    out = _empty_codes(first.shape, requantization)
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
        Of the operands' shape, in the narrowest type that holds the requantization's codes.

    Raises:
        ValueError: the maps differ in shape or have another type, a parameter is out of range, or
            a widened operand could leave 32 bits.
    """
    _check_terms(first, second)
    channels, operands = first.shape[-1], (first, second)
    reaches = _term_reaches(operands, terms, _largest_of_type)
    largest = abs(bias) + _largest_terms(reaches, multipliers, terms)
    if max(reaches) >= 2**31 or not _is_exact(largest, requantization):
        reaches = _term_reaches(operands, terms, _largest_found)
        largest = abs(bias) + _largest_terms(reaches, multipliers, terms)
    for reach, factor, shift in zip(reaches, multipliers, terms.shifts, strict=True):
        _check_term(reach, factor, shift)
    scaling = _checked_scaling("addition", _NO_OFFSET, requantization, channels)
    check_sums("addition", largest, MODES[requantization.rounding], requantization)
    term_scalings = [
        _term_scaling(factor, shift, zero, terms.left_shift, channels)
        for factor, shift, zero in zip(multipliers, terms.shifts, terms.zero_points, strict=True)
    ]
    out = _empty_codes(first.shape, requantization)
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


def _check_terms(first: StoredCodes, second: StoredCodes) -> None:
    """Raise ValueError unless both are codes of one shape."""
    for codes in (first, second):
        _check_type(codes, "addition", CODE_TYPES)
    if first.shape != second.shape:
        raise ValueError(
            f"addition: the shapes {list(first.shape)} and {list(second.shape)} must be equal"
        )


@lru_cache(maxsize=256)  # a network's, tile after tile; requantizations are told by identity
def _checked_scaling(
    what: str, bias: tuple[int, ...], requantization: Requantization, channels: int
) -> Scaling:
    """A requantization within its mode's limits, as kernels take it."""
    check_requantization(what, requantization, channels)
    return kernel_scaling(np.array(bias, np.int64), requantization, channels)


def _check_reach(
    what: str, reach: Callable[[Largest], int], requantization: Requantization
) -> None:
    """Raise ValueError unless a mode is exact for sums of a magnitude that depends on codes'.

    Codes are looked at only where sums of all that their types hold would be too large.
    """
    if not _is_exact(reach(_largest_of_type), requantization):
        mode = MODES[requantization.rounding]
        check_sums(what, reach(_largest_found), mode, requantization)


@lru_cache(maxsize=1024)
def _is_exact(largest: int, requantization: Requantization) -> bool:
    return sums_problem(largest, MODES[requantization.rounding], requantization) is None


def _largest_of_type(codes: StoredCodes) -> int:
    """The largest magnitude of any integer of the codes' type."""
    return _LARGEST[codes.dtype.type]


def _largest_found(codes: StoredCodes) -> int:
    """The largest magnitude of the codes, 0 if there are none."""
    return largest_code(codes) if codes.size else 0


_LARGEST: dict[type, int] = {
    kind: max(-int(np.iinfo(kind).min), int(np.iinfo(kind).max)) for kind in (*CODE_TYPES, np.int64)
}


def _empty_codes(shape: tuple[int, ...], requantization: Requantization) -> StoredCodes:
    """Room for codes in the narrowest type that holds them."""
    return np.empty(shape, narrowest_type(requantization.low, requantization.high))


def _term_reaches(
    operands: tuple[StoredCodes, StoredCodes], terms: TermRounding, largest: Largest
) -> list[int]:
    """The largest magnitude of each operand that was moved and widened."""
    return [
        (largest(codes) + abs(zero)) << terms.left_shift
        for codes, zero in zip(operands, terms.zero_points, strict=True)
    ]


def _largest_terms(reaches: list[int], multipliers: tuple[int, int], terms: TermRounding) -> int:
    """A bound of the sum of both rounded operands: two roundings each add less than 2."""
    return sum(
        (reach * factor >> max(shift, 0)) + 2
        for reach, factor, shift in zip(reaches, multipliers, terms.shifts, strict=True)
    )


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


def requantize_codes(codes: StoredCodes, bias: Wide, requantization: Requantization) -> StoredCodes:
    """Move, scale, round and clamp codes (``docs/operators/requantize.md``).

    Args:
        codes: [..., C] of a type of `CODE_TYPES`, or int64.
        bias: int64 [C] or [1], added before scaling.
        requantization: sum to code, with parameters of C channels or of one for all.

    Returns:
        Of the codes' shape, in the narrowest type that holds the requantization's codes.

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or a product could exceed 2^62.
    """
    _check_type(codes, "requantization", (*CODE_TYPES, np.int64))
    channels = codes.shape[-1]
    check_vector(bias, "requantization bias", (channels, 1))
    offset = tuple(bias.tolist())
    scaling = _checked_scaling("requantization", offset, requantization, channels)
    largest_offset = max(map(abs, offset))
    _check_reach("requantization", lambda largest: largest(codes) + largest_offset, requantization)
    out = _empty_codes(codes.shape, requantization)
    source, result = pixels(codes), pixels(out)
    in_bands(
        len(result),
        result.shape,
        lambda first, end: _kernels_elementwise.requantize_codes(
            source[first:end], scaling, result[first:end]
        ),
    )
    return out


def _check_type(codes: StoredCodes, what: str, types: tuple[type, ...]) -> None:
    """Raise ValueError unless codes [..., C] are of one of some types."""
    right_type = codes.dtype.type in types and codes.dtype.isnative
    if not right_type or codes.ndim == 0:
        expected = " or ".join(element.__name__ for element in types)
        raise ValueError(
            f"{what}: expected {expected} codes, got {codes.dtype} {list(codes.shape)}"
        )
