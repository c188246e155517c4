"""Kernels of multiplication, PReLU, lookup, resampling: equal to the reference, or a refusal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.arithmetic import reference
from hwsim.arithmetic.activation import lookup_table, parametric_relu
from hwsim.arithmetic.multiplication import multiply_requantize
from hwsim.arithmetic.resampling import average_pool, bilinear_resize, statistics
from tests.unit.arithmetic.strategies import (
    code_arrays,
    formats,
    generators,
    requantization,
    scalings,
    table_formats,
)

MAP = np.full((2, 2, 3), 100, np.int32)
SCALING = requantization(1, 0, 0, -999, 999)
ONE = np.ones(1, np.int64)

shapes = st.tuples(st.integers(1, 6), st.integers(1, 40), st.integers(1, 9))
codes = formats() | table_formats()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), shape=shapes, by_pixel=st.booleans(), by_channel=st.booleans())
def test_multiply_equals_reference(
    data: st.DataObject, shape: tuple[int, int, int], by_pixel: bool, by_channel: bool
) -> None:
    factor = (*(shape[:2] if by_pixel else (1, 1)), shape[2] if by_channel else 1)
    first = data.draw(code_arrays(data.draw(codes), shape))
    second = data.draw(code_arrays(data.draw(codes), factor))
    biases = data.draw(st.tuples(*[st.integers(-(2**16), 2**16)] * 2))
    scaling = data.draw(scalings(shape[2], 2**36))
    expected = reference.requantize(reference.multiply(first, second, biases), scaling)
    assert (multiply_requantize(first, second, biases, scaling) == expected).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), shape=shapes, generator=generators, bias=st.integers(-(2**16), 2**16))
def test_parametric_relu_equals_reference(
    data: st.DataObject, shape: tuple[int, int, int], generator: np.random.Generator, bias: int
) -> None:
    image = data.draw(code_arrays(data.draw(codes), shape))
    slope = generator.integers(-(2**15), 2**15, data.draw(st.sampled_from((1, shape[2]))))
    arguments = (
        image,
        bias,
        slope,
        data.draw(scalings(shape[2], 2**18)),
        data.draw(scalings(shape[2], 2**33)),
    )
    assert (parametric_relu(*arguments) == reference.parametric_relu(*arguments)).all()


@settings(max_examples=40, deadline=None)
@given(data=st.data(), shape=shapes, generator=generators)
def test_lookup_table_equals_reference(
    data: st.DataObject, shape: tuple[int, int, int], generator: np.random.Generator
) -> None:
    code = data.draw(formats(9))
    image = data.draw(code_arrays(code, shape))
    tables = data.draw(st.sampled_from((1, shape[2])))
    entries = generator.integers(-(2**16), 2**16, (tables, code.high - code.low + 1), np.int32)
    expected = reference.lookup_table(image, entries, code.low)
    assert (lookup_table(image, entries, code.low) == expected).all()


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 13), st.integers(1, 4)),
    factor=st.integers(1, 6),
    half_pixel_centers=st.booleans(),
)
def test_bilinear_resize_equals_reference(
    data: st.DataObject, shape: tuple[int, int, int], factor: int, half_pixel_centers: bool
) -> None:
    image = data.draw(code_arrays(data.draw(codes), shape))
    bias = data.draw(st.integers(-(2**30), 2**30))
    scaling = data.draw(scalings(shape[2], 2**37))
    sums = reference.bilinear(image, factor, half_pixel_centers, bias)
    found = bilinear_resize(image, factor, half_pixel_centers, bias, scaling)
    assert (found == reference.requantize(sums, scaling)).all()


@settings(max_examples=40, deadline=None)
@given(data=st.data(), shape=shapes, stride=st.tuples(*[st.integers(1, 3)] * 2))
def test_average_pool_equals_reference(
    data: st.DataObject, shape: tuple[int, int, int], stride: tuple[int, int]
) -> None:
    kernel = data.draw(
        st.tuples(st.integers(1, min(4, shape[0])), st.integers(1, min(4, shape[1])))
    )
    image = data.draw(code_arrays(data.draw(codes), shape))
    bias = data.draw(st.integers(-(2**20), 2**20))
    scaling = data.draw(scalings(shape[2], 2**22))
    sums = reference.window_sums(image, kernel, stride, bias)
    found = average_pool(image, kernel, stride, bias, scaling)
    assert (found == reference.requantize(sums, scaling)).all()


@settings(max_examples=40, deadline=None)
@given(data=st.data(), shape=shapes, name=st.sampled_from(("sum", "minimum", "maximum")))
def test_statistics_equal_reference(
    data: st.DataObject, shape: tuple[int, int, int], name: str
) -> None:
    image = data.draw(code_arrays(data.draw(codes), shape))
    assert (statistics(image, name) == reference.statistics(image, name)).all()


def test_a_map_of_many_bands_equals_the_reference() -> None:
    image = np.random.default_rng(0).integers(-128, 128, (300, 200, 16), np.int32)
    scaling = requantization(3, 9, 1, -128, 127)
    products = reference.multiply(image, image, (3, -5))
    found = multiply_requantize(image, image, (3, -5), scaling)
    assert (found == reference.requantize(products, scaling)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: multiply_requantize(MAP, MAP[:1], (0, 0), SCALING), "its height and width or one"),
        (lambda: multiply_requantize(MAP, MAP.astype(np.int8), (0, 0), SCALING), "got int8"),
        (
            lambda: multiply_requantize(
                MAP, MAP, (2**31, 2**31), requantization(2**20, 0, 0, 0, 9)
            ),
            r"more than 2\^62",
        ),
        (lambda: parametric_relu(MAP, 0, ONE << 31, SCALING, SCALING), "slopes of up to 2147483"),
        (lambda: parametric_relu(MAP, 0, np.ones(2, np.int64), SCALING, SCALING), "length 3 or 1"),
        (
            lambda: parametric_relu(
                MAP, 0, ONE << 30, SCALING, requantization(2**30, 0, 0, 0, 9)
            ),
            r"below zero: products can reach \d+, more than 2\^62",
        ),
        (lambda: lookup_table(MAP, np.zeros((1, 100), np.int32), 0), "100 … 100 have no entry"),
        (lambda: lookup_table(MAP, np.zeros((2, 101), np.int32), 0), r"int32 \[1 or 3, entries\]"),
        (lambda: bilinear_resize(MAP, 0, True, 0, SCALING), "factor 0 must be at least 1"),
        (lambda: average_pool(MAP, (3, 1), (1, 1), 0, SCALING), "a window within the image"),
        (lambda: statistics(MAP, "mean"), "no 'mean'; choose one of sum, minimum, maximum"),
        (lambda: statistics(MAP[:0], "sum"), "none of them 0"),
    ],
)  # fmt: skip
def test_what_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
