"""Parameters derived from scales, against exact fractions and known bit patterns."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.common.requantization_modes import MODES
from quant.common.rescaling import dyadic, float32_bits, quantize_multiplier, rescaling

factors = st.floats(2.0**-40, 2.0**12)
scales = st.floats(2.0**-12, 2.0**4, width=32)


def nearest(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


@given(factor=factors)
def test_quantize_multiplier_keeps_31_bits_rounded_half_up(factor: float) -> None:
    found = quantize_multiplier(np.array([factor]))
    multiplier, shift = int(found.multiplier[0]), int(found.shift[0])
    if multiplier == 0:
        assert factor < 2.0**-31
        return
    assert 2**30 <= multiplier < 2**31
    exact = Fraction(factor) * 2**shift
    # A multiplier that was rounded up to 2^31 is halved, and then even.
    assert multiplier == nearest(exact) or (multiplier == 2**30 and nearest(exact * 2) == 2**31)


@pytest.mark.parametrize(
    ("factor", "multiplier", "shift"),
    [
        (1.0, 2**30, 30),
        (0.5, 2**30, 31),
        (0.75, 3 * 2**29, 31),
        (1 - 2.0**-33, 2**30, 30),
        (2.0**-32, 2**30, 62),
        (2.0**-33, 0, 31),
        (0.0, 0, 31),
        (2.0**29, 2**30, 1),
        (2.0**30, 2**31 - 1, 1),
    ],
)
def test_quantize_multiplier_at_its_ends(factor: float, multiplier: int, shift: int) -> None:
    found = quantize_multiplier(np.array([factor]))
    assert (found.multiplier.tolist(), found.shift.tolist()) == ([multiplier], [shift])


@given(factor=factors, bits=st.integers(13, 31))
def test_dyadic_multipliers_have_the_bits_asked_for(factor: float, bits: int) -> None:
    found = dyadic(np.array([factor]), bits)
    multiplier, shift = int(found.multiplier[0]), int(found.shift[0])
    assert 0 <= multiplier < 2**bits
    assert 0 <= shift <= 62
    unit = Fraction(1, 2**shift)
    assert abs(Fraction(factor) - multiplier * unit) <= unit  # rounded at most twice


def test_a_factor_too_large_for_a_dyadic_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"factor 32.0: expected less than 2\^4; scale it down"):
        dyadic(np.array([32.0]), 4)


@pytest.mark.parametrize("mode", MODES)
@given(x=scales, weights=st.lists(scales, min_size=1, max_size=3), y=scales)
def test_parameters_keep_to_the_limits_and_give_the_factor(
    mode: str, x: float, weights: list[float], y: float
) -> None:
    factor = np.array([Fraction(x) * Fraction(w) / Fraction(y) for w in weights], float)
    if factor.max() >= 2**7 or factor.min() < 2.0**-16:
        return  # beyond what tflite_s64 and nvdla can express
    found, limits = rescaling(mode, x, weights, y), MODES[mode]
    for values, (least, greatest) in (
        (found.multiplier, limits.multipliers),
        (found.shift, limits.shifts),
    ):
        assert values.dtype == np.int64
        assert values.shape == (len(weights),)
        assert least <= values.min() <= values.max() <= greatest
    if limits.is_float:
        real = found.multiplier.astype(np.int32).view(np.float32).astype(float)
        if limits.has_destination_scale:
            real *= float(np.int32(found.destination_scale).view(np.float32))
    else:
        real = np.ldexp(found.multiplier.astype(float), -found.shift)
    tolerance = {"shift": 0.42, "nvdla": 2.0**-14}.get(mode, 2.0**-21)
    if mode != "shift" or factor.max() <= 1:
        assert np.allclose(real, factor, rtol=tolerance, atol=0)


def test_float_modes_round_every_step() -> None:
    x, w, y = (np.float32(value) for value in (0.096, 0.003, 0.07))
    assert rescaling("xnnpack", x, [w], y).multiplier == float32_bits((x * w) / y)
    assert rescaling("onnxruntime", x, [w], y).multiplier == float32_bits((x * w) / y)
    by_reciprocal = float32_bits((x * w) * (np.float32(1) / y))
    assert rescaling("qnnpack", x, [w], y).multiplier == by_reciprocal
    onednn = rescaling("onednn", x, [w], y)
    inverted_twice = np.float32(1) / (np.float32(1) / x)
    assert inverted_twice != x
    assert onednn.multiplier == float32_bits(inverted_twice * w)
    assert [onednn.destination_scale] == float32_bits(np.float32(1) / y).tolist()
    assert rescaling("half_up", x, [w], y).destination_scale == 0
