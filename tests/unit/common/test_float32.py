"""The fused multiplication and addition against exact fractions."""

from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from quant.common.float32 import fused_multiply_add

factors = st.integers(-(2**16), 2**16)
singles = st.floats(-(2.0**40), 2.0**40, width=32)


def _nearest_single(exact: Fraction) -> Fraction:
    """The nearest float32, of two equally near ones that with an even last bit."""
    guess = np.float32(float(exact))
    candidates = [guess, np.nextafter(guess, np.float32(np.inf)), np.nextafter(guess, -np.inf)]
    singles = [np.float32(candidate) for candidate in candidates]
    nearest = min(singles, key=lambda c: (abs(Fraction(float(c)) - exact), c.view(np.int32) & 1))
    return Fraction(float(nearest))


@given(factor=factors, other=singles, addend=singles)
@example(factor=1, other=float(np.float32(2.0**-40)), addend=1 + 2.0**-23)
@example(factor=16777217 >> 8, other=2.0**-30, addend=3 * 2.0**-1)
def test_it_rounds_once(factor: int, other: float, addend: float) -> None:
    exact = factor * Fraction(other) + Fraction(addend)
    found = fused_multiply_add(factor, other, addend)
    assert found.dtype == np.float32
    assert Fraction(float(found)) == _nearest_single(exact)


def test_a_sum_beside_a_half_is_not_taken_for_the_half() -> None:
    # 1774001 · 38737 = 2^36 + 1, so the sum is 1 + 2^-24 + 2^-60: above half of a last bit, but in
    # float64 exactly half.
    factors = np.float32(1774001 * 2.0**-30), np.float32(38737 * 2.0**-30)
    exact = np.prod(factors, dtype=np.float64)
    assert np.float32(exact + 1) == np.float32(1)  # what two roundings give
    assert fused_multiply_add(*factors, np.float32(1)) == np.float32(1 + 2.0**-23)
    assert fused_multiply_add(-factors[0], factors[1], np.float32(-1)) == np.float32(-1 - 2.0**-23)


def test_arrays_are_broadcast() -> None:
    found = fused_multiply_add(np.arange(6).reshape(2, 3), np.float32(0.5), np.float32(1))
    assert found.tolist() == [[1.0, 1.5, 2.0], [2.5, 3.0, 3.5]]
