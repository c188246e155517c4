"""What each requantization mode computes, slow and obvious, as its page defines it.

A mode is a function of integer sums and the mode's parameters; `ROUNDED` are those that round
to an integer, move it by the zero point and clamp it, `FLOAT` those that do so in float32.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from quant.common.requantization import Requantization

Integers = NDArray[np.int64]
Truth = NDArray[np.bool_]


Divide = Callable[[Integers, Integers], Integers]
"""(product, shift) to an integer near product / 2^shift."""


def floor(product: Integers, shift: Integers) -> Integers:
    """The greatest integer that is not above the quotient."""
    return product // 2**shift


def ceil(product: Integers, shift: Integers) -> Integers:
    """The least integer that is not below the quotient."""
    quotient: Integers = -(-product // 2**shift)
    return quotient


def trunc_zero(product: Integers, shift: Integers) -> Integers:
    """The quotient without its fraction."""
    quotient: Integers = np.sign(product) * (np.abs(product) // 2**shift)
    return quotient


def half_up(product: Integers, shift: Integers) -> Integers:
    """The nearest integer; halves towards plus infinity."""
    return _nearest(product, shift, lambda below: np.ones_like(below, bool))


def half_down(product: Integers, shift: Integers) -> Integers:
    """The nearest integer; halves towards minus infinity."""
    return _nearest(product, shift, lambda below: np.zeros_like(below, bool))


def half_away(product: Integers, shift: Integers) -> Integers:
    """The nearest integer; halves away from zero."""
    return _nearest(product, shift, lambda below: below >= 0)


def half_even(product: Integers, shift: Integers) -> Integers:
    """The nearest integer; halves to the even one."""
    return _nearest(product, shift, lambda below: below % 2 == 1)


def _nearest(product: Integers, shift: Integers, raises: Callable[[Integers], Truth]) -> Integers:
    """The nearest integer; ``raises`` tells of the integer below a half whether to go up."""
    below, rest = np.divmod(product, 2**shift)
    twice, unit = 2 * rest, 2**shift
    nearest: Integers = below + ((twice > unit) | ((twice == unit) & raises(below)))
    return nearest


def _quotient(divide: Divide) -> Callable[[Integers, Requantization], Integers]:
    """A mode that rounds sum · multiplier / 2^shift once."""
    return lambda sums, given: divide(
        sums * given.multiplier + _zero_before(given) * 2**given.shift, given.shift
    )


def _zero_before(given: Requantization) -> int:
    """What is added, in units of codes, before the last rounding."""
    return given.zero_point if given.zero_point_first else 0


_DOUBLED_HIGH_HALF = np.full(1, 31, np.int64)


def _two_roundings(sums: Integers, given: Requantization, last: Divide) -> Integers:
    left = np.maximum(31 - given.shift, 0)
    right = np.maximum(given.shift - 31, 0)
    shifted = (sums * 2**left + 2**31) % 2**32 - 2**31  # 32 bits, two's complement
    upper = half_up(shifted * given.multiplier, _DOUBLED_HIGH_HALF)
    return last(upper + _zero_before(given) * 2**right, right)


def _tflite_s64(sums: Integers, given: Requantization) -> Integers:
    reduced = np.where(
        given.multiplier < 0x7FFF0000, (given.multiplier + 2**15) // 2**16, np.int64(0x7FFF)
    )
    shift = given.shift - 16
    return half_up(sums * reduced + _zero_before(given) * 2**shift, shift)


ROUNDED: dict[str, Callable[[Integers, Requantization], Integers]] = {
    "floor": _quotient(floor),
    "ceil": _quotient(ceil),
    "trunc_zero": _quotient(trunc_zero),
    "half_up": _quotient(half_up),
    "half_down": _quotient(half_down),
    "half_away": _quotient(half_away),
    "half_even": _quotient(half_even),
    "shift": _quotient(half_up),
    "tflite_double": lambda sums, given: _two_roundings(sums, given, half_away),
    "tflite_single": _quotient(half_up),
    "tflite_neon": lambda sums, given: _two_roundings(sums, given, half_up),
    "tflite_s64": _tflite_s64,
    "nvdla": _quotient(half_away),
    "dyadic": _quotient(half_even),
}


_AN_INFINITY_IS_CLAMPED = np.errstate(over="ignore")


def _single(bits: Integers | int) -> NDArray[np.float32]:
    """The float32 of bit patterns."""
    return np.asarray(bits, np.int32).view(np.float32)


@_AN_INFINITY_IS_CLAMPED
def _fp32_rne(sums: Integers, given: Requantization) -> Integers:
    before = _zero_before(given)
    after = given.zero_point - before
    moved = sums.astype(np.float32) * _single(given.multiplier) + np.float32(before)
    limits = np.float32(given.low - after), np.float32(given.high - after)
    rounded: Integers = np.rint(np.clip(moved, *limits)).astype(np.int64)
    return rounded + after


@_AN_INFINITY_IS_CLAMPED
def _onednn(sums: Integers, given: Requantization) -> Integers:
    scaled = sums.astype(np.float32) * _single(given.multiplier)
    moved = scaled * _single(given.destination_scale) + np.float32(given.zero_point)
    clamped = np.clip(moved, np.float32(given.low), np.float32(given.high))
    rounded: Integers = np.rint(clamped).astype(np.int64)
    return rounded


FLOAT: dict[str, Callable[[Integers, Requantization], Integers]] = {
    "xnnpack": _fp32_rne,
    "onnxruntime": _fp32_rne,
    "qnnpack": _fp32_rne,
    "onednn": _onednn,
}


def codes(sums: Integers, given: Requantization) -> Integers:
    """The codes of sums in the given mode: rounded, moved by the zero point and clamped."""
    if given.rounding in FLOAT:
        return FLOAT[given.rounding](sums, given)
    after = given.zero_point - _zero_before(given)
    return np.clip(ROUNDED[given.rounding](sums, given) + after, given.low, given.high)
