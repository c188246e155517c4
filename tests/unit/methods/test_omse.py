"""Ranges of least squared error: at least as good as every other that was tried, and whole where
nothing is gained by a cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quant.lowering import MapEncoding, TensorStatistics, symmetric_weights, unsigned_encoding
from quant.lowering.statistics import _statistics
from quant.methods.omse import least_error_range, least_error_reach

Reals = NDArray[np.float64]


def statistics_of(values: Reals) -> TensorStatistics:
    return _statistics(values.astype(np.float32), histograms=True)


def error(values: Reals, encoding: MapEncoding) -> float:
    codes = np.round(values / encoding.scale) + encoding.zero[0]
    inside = np.clip(codes, encoding.integer.low, encoding.integer.high) - encoding.zero[0]
    return float(((values - encoding.scale * inside) ** 2).sum())


def long_tails(seed: int) -> Reals:
    values = np.random.default_rng(seed).laplace(size=2000) + seed / 10
    return values.astype(np.float32).astype(np.float64)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 20), bits=st.integers(1, 8))
def test_a_range_loses_no_more_than_the_whole_one(seed: int, bits: int) -> None:
    values = long_tails(seed)
    low, high = least_error_range(statistics_of(values), bits)
    whole = unsigned_encoding(values.min(), values.max(), bits)
    # Values of a histogram are those of its bins, within 1/256 of their size.
    assert error(values, unsigned_encoding(low, high, bits)) <= 1.05 * error(values, whole)
    assert min(values.min(), 0) <= low <= 0 <= high <= max(values.max(), 0)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_few_bits_cut_long_tails_and_win_by_it(bits: int) -> None:
    values = long_tails(3)
    low, high = least_error_range(statistics_of(values), bits)
    assert high < 0.8 * values.max()
    whole = unsigned_encoding(values.min(), values.max(), bits)
    assert error(values, unsigned_encoding(low, high, bits)) < 0.8 * error(values, whole)


def test_values_that_have_codes_are_kept_whole() -> None:
    values = np.repeat(np.arange(16.0), 50)
    assert least_error_range(statistics_of(values), 4) == (0.0, 15.0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 20), bits=st.integers(2, 8))
def test_weights_lose_no_more_than_without_a_cut(seed: int, bits: int) -> None:
    weight = np.random.default_rng(seed).laplace(size=(3, 3, 3, 8))
    no_bound = np.zeros(3)
    losses = []
    for largest in (None, least_error_reach(weight, bits)):
        encoding = symmetric_weights(weight, bits, no_bound, largest=largest)
        real = encoding.weight * encoding.scale[:, None, None, None]
        losses.append(((weight - real) ** 2).sum(axis=(1, 2, 3)))
    assert (losses[1] <= losses[0] * (1 + 1e-12)).all()
    assert bits > 3 or losses[1].sum() < 0.9 * losses[0].sum()


def test_one_bit_clips_nothing() -> None:
    weight = long_tails(1).reshape(4, 1, 1, 500)
    assert (least_error_reach(weight, 1) == np.abs(weight).max(axis=(1, 2, 3))).all()


def test_a_layer_of_zeros_has_a_reach_of_zero() -> None:
    assert (least_error_reach(np.zeros((2, 3, 3, 4)), 4) == 0).all()
