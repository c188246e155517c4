import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.common.codes import CodeKind
from quant.graph import IntegerType
from quant.lowering import (
    MapEncoding,
    image_encoding,
    signed_encoding,
    smallest_weight_scales,
    symmetric_weights,
    unsigned_encoding,
)
from quant.lowering.float_operators import FloatConvolution, FloatInput, Reals

VALUES = st.floats(-1e6, 1e6, allow_subnormal=False)
BITS = st.integers(1, 16)


def nearest_codes(values: Reals, encoding: MapEncoding) -> Reals:
    codes = np.floor(values / encoding.scale + 0.5) + encoding.zero
    clipped: Reals = np.clip(codes, encoding.integer.low, encoding.integer.high)
    return clipped


@given(VALUES, VALUES, BITS)
def test_unsigned_codes_have_an_exact_zero_and_cover_their_range(
    one: float, other: float, bits: int
) -> None:
    low, high = min(one, other), max(one, other)
    encoding = unsigned_encoding(low, high, bits)
    (zero,) = encoding.zero
    assert encoding.integer == IntegerType(bits, CodeKind.UNSIGNED)
    assert zero == int(zero)
    assert 0 <= zero <= encoding.integer.high
    # Moving the zero to a whole code moves the range by at most half a step.
    ends = np.array([min(low, 0.0), max(high, 0.0)])
    decoded = (nearest_codes(ends, encoding) - zero) * encoding.scale
    assert np.all(np.abs(decoded - ends) <= encoding.scale * (0.5 + 1e-9))


@given(st.floats(1e-3, 1e6), BITS)
def test_positive_values_have_their_zero_at_code_zero(largest: float, bits: int) -> None:
    assert unsigned_encoding(0.0, largest, bits).zero == 0
    assert unsigned_encoding(largest / 2, largest, bits).zero == 0


@given(st.floats(0, 1e6), st.integers(2, 16))
def test_signed_codes_reach_their_largest_value_without_waste(largest: float, bits: int) -> None:
    encoding = signed_encoding(largest, bits)
    reached = encoding.scale * encoding.integer.high
    assert largest <= reached <= largest * (1 + 2.0**-11) + 1e-20
    assert encoding.zero == 0


@pytest.mark.parametrize("low_high", [(0.0, 0.0), (1e-300, 1e-300), (-5e-324, 5e-324)])
def test_a_range_of_nothing_has_a_scale(low_high: tuple[float, float]) -> None:
    for encoding in (unsigned_encoding(*low_high, 8), signed_encoding(low_high[1], 8)):
        assert encoding.scale > 0
        assert encoding.zero == 0


@given(st.floats(1e-3, 1e3), st.integers(0, 1000))
def test_the_last_bits_of_a_range_do_not_matter(largest: float, steps: int) -> None:
    """Ranges that differ by float32 rounding share their scale, unless one is just on an edge."""
    middle = signed_encoding(largest, 8).scale * 127 * (1 - 2.0**-14)
    nudged = middle * (1 - steps * 2.0**-26)
    assert signed_encoding(nudged, 8).scale == signed_encoding(middle, 8).scale


# Images.


MEAN = np.array([114.4, 111.5, 103.0])


def test_eight_bits_and_more_are_the_picture_itself() -> None:
    image = FloatInput(3, 1.0, -MEAN)
    for bits in (8, 12, 16):
        encoding = image_encoding(image, bits)
        assert (encoding.integer.bits, encoding.scale) == (8, 1.0)
        np.testing.assert_array_equal(encoding.zero, MEAN)
        np.testing.assert_array_equal(encoding.zero_codes, [114, 112, 103])


@pytest.mark.parametrize(("bits", "scale"), [(1, 255.0), (2, 85.0), (4, 17.0), (7, 255 / 127)])
def test_fewer_bits_keep_black_and_white(bits: int, scale: float) -> None:
    encoding = image_encoding(FloatInput(3, 0.5, -MEAN / 2), bits)
    assert encoding.scale == 0.5 * scale
    np.testing.assert_allclose(encoding.zero, MEAN / scale, rtol=1e-15)
    white = encoding.scale * (encoding.integer.high - encoding.zero)
    np.testing.assert_allclose(white, 0.5 * (255 - MEAN), rtol=1e-15)


# Weights.


def random_weights(seed: int) -> Reals:
    weights: Reals = np.random.default_rng(seed).normal(size=(5, 3, 3, 4))
    return weights


NO_BOUND = np.full(5, 1e-30)


@given(st.integers(0, 10**6), st.integers(2, 16))
def test_weights_are_rounded_to_the_nearest_of_a_symmetric_grid(seed: int, bits: int) -> None:
    weight = random_weights(seed)
    encoding = symmetric_weights(weight, bits, NO_BOUND)
    limit = (1 << (bits - 1)) - 1
    assert encoding.integer == IntegerType(bits, CodeKind.SIGNED)
    assert np.abs(encoding.weight).max(axis=(1, 2, 3)).tolist() == [limit] * 5
    error = np.abs(encoding.weight * encoding.scale[:, None, None, None] - weight)
    assert np.all(error <= encoding.scale[:, None, None, None] * (0.5 + 1e-9))


def test_one_bit_weights_are_signs_times_the_mean_magnitude() -> None:
    weight = np.array([[1.0, -2.0, 3.0, 0.0], [-0.5, -0.5, 0.5, 0.5]]).reshape(2, 1, 1, 4)
    encoding = symmetric_weights(weight, 1, np.full(2, 1e-30))
    assert str(encoding.integer) == "o1"
    assert encoding.weight.reshape(2, 4).tolist() == [[1, -1, 1, 1], [-1, -1, 1, 1]]
    assert encoding.scale.tolist() == [1.5, 0.5]


@pytest.mark.parametrize("bits", [1, 2, 8, 16])
def test_channels_of_zeros_have_a_scale(bits: int) -> None:
    weight = random_weights(0)
    weight[2] = 0
    encoding = symmetric_weights(weight, bits, NO_BOUND)
    assert np.all(encoding.scale > 0)
    assert bits == 1 or not encoding.weight[2].any()


@given(st.floats(1e-12, 1e12), BITS, BITS)
def test_no_bias_outgrows_its_stored_width(bias: float, weight_bits: int, bits: int) -> None:
    """However small a channel's weights are beside its bias and its input's zero point."""
    weight = random_weights(3) * 10.0 ** np.arange(-12, 3, 3)[:, None, None, None]
    source = unsigned_encoding(-3.0, 5.0, bits)
    convolution = FloatConvolution(weight, np.full(5, bias), (1, 1))
    bound = smallest_weight_scales(convolution, source)
    encoding = symmetric_weights(weight, weight_bits, bound)
    stored = bias / (source.scale * encoding.scale)
    folded = (encoding.weight * source.zero).sum(axis=(1, 2, 3))
    assert np.all(np.abs(stored) <= 2.0**30 * (1 + 1e-9))
    assert np.all(np.abs(stored - folded) < 2.0**39)
