import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.graph.fixed_point import common_fixed_point, fixed_point

FACTORS = st.floats(2.0**-30, 2.0**17)


@given(FACTORS, st.integers(2, 62))
def test_a_factor_keeps_all_the_bits_its_sum_leaves(factor: float, width: int) -> None:
    multiplier, shift = fixed_point(np.array([factor]), width)
    bits = min(31, 63 - width)
    assert 0 <= multiplier[0] < 1 << bits
    assert 0 <= shift[0] <= 62
    # Half a unit of the last bit; a whole one where it would have been rounded up to 2^bits.
    if bits >= 18:
        assert abs(multiplier[0] / 2.0 ** shift[0] - factor) <= factor * 2.0**-bits * 2


@given(st.floats(0, 1e300))
def test_every_factor_has_a_multiplier(factor: float) -> None:
    multiplier, shift = fixed_point(np.array([factor]), 20)
    assert 0 <= multiplier[0] < 1 << 31
    assert 0 <= shift[0] <= 62
    if factor < 2.0**17:
        assert abs(multiplier[0] / 2.0 ** shift[0] - factor) <= max(factor * 2.0**-30, 2.0**-63)


def test_powers_of_two_are_exact() -> None:
    factors = np.ldexp(np.ones(47), np.arange(-30, 17))
    multiplier, shift = fixed_point(factors, 20)
    np.testing.assert_array_equal(multiplier / 2.0**shift, factors)


@pytest.mark.parametrize("factor", [2.0**17, 1e9, np.inf])
def test_a_huge_factor_saturates_every_code(factor: float) -> None:
    multiplier, shift = fixed_point(np.array([factor]), 40)
    assert multiplier[0] >> shift[0] >= 1 << 16


@given(FACTORS, FACTORS)
def test_two_factors_over_one_shift(first: float, second: float) -> None:
    multipliers, shift = common_fixed_point((first, second))
    unit = 2.0**-shift
    assert max(multipliers) < 1 << 31
    assert max(multipliers) >= 1 << 29
    assert abs(multipliers[0] * unit - first) <= unit
    assert abs(multipliers[1] * unit - second) <= unit
