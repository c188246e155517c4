"""Summaries, normalizations, encoders and scaled convolutions: pages, reference and kernels."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import Geometry, Padding
from hwsim.arithmetic.normalization import encode, joined_summaries, normalization, summary
from hwsim.arithmetic.scaled_convolution import (
    LARGEST_EXACT_FLOAT64,
    ScaledKernel,
    scaled_convolve,
)
from quant.common.requantization import Requantization
from quant.common.run_time_scaling import nearest_point_thresholds
from tests.unit.arithmetic.operator_pages import integers, table

THRESHOLDS = np.array([[-1024, 512, 1536]])
POINTS = np.array([[-1024, 0, 512, 1024]])
FAR = 2**31 - 1
UNSCALED = Requantization(np.array([1]), np.array([0]), 0, -FAR, FAR)


def factors_of(mean: int, reach: int) -> NDArray[np.int64]:
    """The factors of one channel."""
    low, high = mean - reach, mean + reach
    found = reference.normalization(np.array([[[2 * mean, low, high, 2]]]), True)
    assert found.ravel()[:2].tolist() == [mean, reach]
    return found


@pytest.mark.parametrize(
    "row",
    table("normalization", "sum", "pixels", "minimum", "maximum", "mean", "reach", "reciprocal"),
)
def test_normalization_table(row: tuple[str, ...]) -> None:
    total, pixels, minimum, maximum, *expected = (int(cell) for cell in row)
    of_map = np.array([[[total, minimum, maximum, pixels]]])
    assert reference.normalization(of_map, True).ravel().tolist() == expected
    assert normalization(of_map, True).ravel().tolist() == expected


@pytest.mark.parametrize("row", table("encode", "value", "mean", "reach", "normalized", "code"))
def test_encode_table(row: tuple[str, ...]) -> None:
    value, mean, reach, normalized, code = (int(cell) for cell in row)
    ifm, factors = np.full((1, 1, 1), value, np.int32), factors_of(mean, reach)
    # With a threshold at each integer around it, the code says where the value itself lies.
    around = np.arange(normalized - 2, normalized + 2)[None]
    for found in (reference.encode, encode):
        assert found(ifm, factors, THRESHOLDS).item() == code
        assert found(ifm, factors, around).item() == 2


@pytest.mark.parametrize(
    "row",
    table("scaled_convolution", "codes", "mean", "reach", "centred", "weight", "sums"),
)
def test_scaled_convolution_table(row: tuple[str, ...]) -> None:
    ifm = np.array(integers(row[0]), np.int32).reshape(1, -1, 1)
    factors, is_centred = factors_of(int(row[1]), int(row[2])), row[3] == "yes"
    weight = np.array(integers(row[4])).reshape(1, 1, 3, 1)
    operands = reference.scaled_operands(ifm, factors, POINTS, is_centred)
    padded = reference.pad(operands, (0, 0, 1, 1), [0])
    assert reference.convolve(padded, weight, [0]).ravel().tolist() == integers(row[5])
    kernel = ScaledKernel(weight, np.zeros(1, np.int64), POINTS, is_centred, UNSCALED)
    found = scaled_convolve(kernel, ifm, factors, Padding(left=1, right=1))
    assert found.ravel().tolist() == integers(row[5])


@st.composite
def maps(draw: st.DrawFn) -> NDArray[np.int32]:
    """Small maps of signed or unsigned codes, often of a few values only."""
    low, high = draw(st.sampled_from([(0, 1), (0, 65535), (-32768, 32767), (-3, 4), (5, 5)]))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return generator.integers(low, high, shape, np.int32, endpoint=True)


@settings(deadline=None)
@given(maps())
def test_the_kernels_of_summary_and_normalization_equal_the_reference(ifm: Any) -> None:
    found = summary(ifm)
    assert found.tolist() == reference.summary(ifm).tolist()
    for is_centred in (True, False):
        expected = reference.normalization(found, is_centred)
        assert normalization(found, is_centred).tolist() == expected.tolist()


@settings(deadline=None)
@given(maps(), st.integers(0, 5))
def test_summaries_of_parts_make_that_of_the_whole(ifm: Any, cut: int) -> None:
    parts = [part for part in (ifm[:cut], ifm[cut:]) if len(part)]
    joined = summary(parts[0])
    for part in parts[1:]:
        joined = joined_summaries(joined, summary(part))
    assert joined.tolist() == summary(ifm).tolist()


@settings(deadline=None)
@given(maps())
def test_the_reach_is_the_largest_distance_from_the_mean(ifm: Any) -> None:
    means, reaches, _ = normalization(summary(ifm), True).reshape(3, -1)
    assert reaches.tolist() == np.abs(ifm - means).max(axis=(0, 1)).tolist()
    exact = ifm.mean(axis=(0, 1))
    assert (np.abs(means - exact) <= 0.5).all()


@settings(deadline=None)
@given(maps(), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_the_encoder_equals_the_reference_and_finds_the_nearest_point(
    ifm: Any, bits: int, seed: int
) -> None:
    channels = ifm.shape[2]
    drawn = np.random.default_rng(seed).integers(-1024, 1025, (channels, 1 << bits))
    points = np.sort(drawn, axis=1)
    thresholds, factors = nearest_point_thresholds(points), normalization(summary(ifm), True)
    codes = encode(ifm, factors, thresholds)
    assert codes.tolist() == reference.encode(ifm, factors, thresholds).tolist()
    means, reaches, _ = factors.reshape(3, -1)
    # Distances of value and point, times the reach: whole numbers of 2^-10 codes.
    values = 1024 * (ifm.astype(np.int64) - means)
    found = np.abs(values - reaches * points[np.arange(channels), codes])
    nearest = np.abs(values[..., None] - reaches[:, None] * points).min(axis=-1)
    # A reciprocal is off by a part in 2^16, so a value may count as its neighbour that far away.
    assert (found - nearest <= 1024 * reaches / 2**15).all()


@settings(deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([1, 255, 2**20]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_the_kernel_of_scaled_convolution_equals_the_reference(
    channels: int, side: int, largest: int, is_centred: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    ifm = random.integers(0, 16, (5, 6, channels), np.int32)
    points = np.sort(random.integers(-1024, 1025, (channels, 16)), axis=1)
    values = random.integers(-32768, 32768, (7, 7, channels), np.int32)
    factors = normalization(summary(values), is_centred)
    weight = random.integers(-largest, largest, (3, side, side, channels), endpoint=True)
    bias = random.integers(-(2**39), 2**39, 3)
    geometry = Geometry(stride=(2, 1), dilation=(1, 2) if side == 1 else (1, 1))
    scaling = Requantization(np.array([5]), np.array([30]), 3, -(2**15), 2**15 - 1)
    operands = reference.scaled_operands(ifm, factors, points, is_centred)
    padded = reference.pad(operands, (1, 0, 0, 1), np.zeros(channels, np.int64))
    sums = reference.convolve(padded, weight, bias, geometry)
    kernel = ScaledKernel(weight, bias, points, is_centred, scaling, geometry)
    found = scaled_convolve(kernel, ifm, factors, Padding(top=1, right=1))
    assert found.tolist() == reference.requantize(sums, scaling).tolist()


def test_sums_beyond_the_exact_range_of_float64_are_exact() -> None:
    """Two products whose sum float64 cannot hold, and a third that takes most of it away."""
    reach, point = 65535, 1024
    weight = np.array([2**28 + 1, 2**28, -(2**29)]).reshape(1, 1, 1, 3)
    assert reach * point * (2**28 + 1) > LARGEST_EXACT_FLOAT64
    factors = np.array([[[0, 0, 0, reach, reach, reach, 0, 0, 0]]])
    points = np.full((3, 2), point)
    kernel = ScaledKernel(weight, np.zeros(1, np.int64), points, True, UNSCALED)
    found = scaled_convolve(kernel, np.zeros((1, 1, 3), np.int32), factors, Padding())
    assert found.item() == reach * point


FACTORS = np.zeros((1, 1, 6), np.int64)
MAP = np.zeros((2, 2, 2), np.int32)
KERNEL = ScaledKernel(
    np.ones((1, 1, 1, 2), np.int64), np.zeros(1, np.int64), np.zeros((2, 4), np.int64), True,
    UNSCALED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: summary(MAP.astype(np.int64)), "summary: expected integers of up to 32 bits"),
        (lambda: encode(MAP, FACTORS[..., :3], THRESHOLDS), "factors of 2 channels, three each"),
        (lambda: encode(MAP, FACTORS + 2**23, THRESHOLDS), "need more than 24 bits"),
        (lambda: encode(MAP, FACTORS, THRESHOLDS), "int64 thresholds of 2 channels"),
        (lambda: scaled_convolve(KERNEL, MAP + 4, FACTORS, Padding()), "expected codes 0 … 3 of 2"),
        (
            lambda: scaled_convolve(
                ScaledKernel(KERNEL.weight << 40, KERNEL.bias, KERNEL.points + 1, True, UNSCALED),
                MAP,
                FACTORS + 2**22,
                Padding(),
            ),
            "more than 2^62",
        ),
    ],
)
def test_what_kernels_refuse(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
