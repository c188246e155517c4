"""Parameters of additions, against their definitions in exact fractions."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from quant.common.add_rescaling import tflite_add, xnnpack_add

scales = st.floats(2.0**-9, 2.0**-3, width=32)


def _real(multiplier: int, shift: int) -> Fraction:
    return Fraction(multiplier, 2**shift)


@given(first=scales, second=scales, output=scales)
def test_tflite_add_scales_by_half_the_larger(first: float, second: float, output: float) -> None:
    found = tflite_add((first, second), output)
    larger = max(first, second)
    for scale, multiplier, shift in zip(
        (first, second), found.multipliers, found.shifts, strict=True
    ):
        assert 31 <= shift <= 62
        assert abs(_real(multiplier, shift) * 2 * Fraction(larger) / Fraction(scale) - 1) < 2**-29
    whole = _real(found.sum_multiplier, found.sum_shift) * 2**20 * Fraction(output)
    assert abs(whole / (2 * Fraction(larger)) - 1) < 2**-29


def test_equal_scales_are_halved_exactly() -> None:
    found = tflite_add((0.1, 0.1), 0.2)
    assert found.multipliers == (2**30, 2**30)
    assert found.shifts == (31, 31)


@given(first=scales, second=scales, output=scales)
def test_xnnpack_add_gives_the_larger_operand_21_bits(
    first: float, second: float, output: float
) -> None:
    found = xnnpack_add((first, second), output)
    assert 2**20 <= max(found.multipliers) <= 2**21
    for scale, multiplier in zip((first, second), found.multipliers, strict=True):
        exact = Fraction(scale) / Fraction(output) * 2**found.shift
        assert abs(multiplier - exact) <= Fraction(1, 2) + exact * Fraction(1, 2**23)
