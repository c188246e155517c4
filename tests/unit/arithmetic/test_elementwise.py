"""The element-by-element kernels against the reference, and what they refuse."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic._feature_maps import narrowest_type
from hwsim.arithmetic.elementwise import (
    add_requantize,
    add_rounded_requantize,
    requantize_codes,
)
from quant.common.requantization import TermRounding
from tests.unit.arithmetic.strategies import (
    code_arrays,
    formats,
    generators,
    mode_scalings,
    requantization,
    scalings,
)

ONE, ZERO = np.ones(1, np.int64), np.zeros(1, np.int64)
MAP = np.full((2, 2, 3), 100, np.int32)

shapes = st.lists(st.integers(1, 7), min_size=1, max_size=3).map(tuple)


def _magnitude(values: NDArray[Any]) -> int:
    return max(-int(values.min()), int(values.max()))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), shape=shapes)
def test_requantize_equals_reference(data: st.DataObject, shape: tuple[int, ...]) -> None:
    codes = data.draw(code_arrays(data.draw(formats()), shape))
    length = data.draw(st.sampled_from((1, shape[-1])))
    bias = data.draw(generators).integers(-(2**20), 2**20, length)
    scaling = data.draw(scalings(shape[-1], _magnitude(codes) + _magnitude(bias)))
    expected = reference.requantize(codes + bias, scaling)
    if data.draw(st.booleans()):
        codes = codes.astype(narrowest_type(int(codes.min()), int(codes.max())))
    result = requantize_codes(codes, bias, scaling)
    assert result.dtype == narrowest_type(scaling.low, scaling.high)
    assert (result == expected).all()


@settings(max_examples=100, deadline=None)
@given(data=st.data(), shape=shapes)
def test_add_equals_reference(data: st.DataObject, shape: tuple[int, ...]) -> None:
    first, second = (data.draw(code_arrays(data.draw(formats()), shape)) for _ in range(2))
    bits = data.draw(st.integers(1, 31))
    multipliers = tuple(data.draw(st.tuples(*[st.integers(-(2**bits) + 1, 2**bits - 1)] * 2)))
    bias = data.draw(st.integers(-(2**47), 2**47))
    total = reference.add(first, second, multipliers, bias)
    largest = sum(
        _magnitude(codes) * abs(multiplier)
        for codes, multiplier in zip((first, second), multipliers, strict=True)
    )
    scaling = data.draw(scalings(shape[-1], largest + abs(bias)))
    result = add_requantize(first, second, multipliers, bias, scaling)
    assert result.dtype == narrowest_type(scaling.low, scaling.high)
    assert (result == reference.requantize(total, scaling)).all()


@settings(max_examples=100, deadline=None)
@given(data=st.data(), shape=shapes, mode=st.sampled_from(("tflite_double", "half_even")))
def test_rounded_add_equals_reference(
    data: st.DataObject, shape: tuple[int, ...], mode: str
) -> None:
    operands = tuple(data.draw(code_arrays(data.draw(formats(8)), shape)) for _ in range(2))
    pairs = st.integers(-(2**8), 2**8), st.integers(0, 2**31 - 1), st.integers(31, 62)
    zero_points, multipliers, shifts = (data.draw(st.tuples(pair, pair)) for pair in pairs)
    left_shift = data.draw(st.integers(0, 20))
    bias = data.draw(st.integers(-(2**20), 2**20))
    scaling = data.draw(mode_scalings(mode, shape[-1]))
    terms = TermRounding(zero_points, shifts, left_shift)
    total = reference.add_rounded(*operands, multipliers, terms, bias)
    found = add_rounded_requantize(*operands, multipliers, terms, bias, scaling)
    expected = reference.requantize(total, scaling)
    assert (found == expected).all()


@pytest.mark.parametrize(
    ("change", "terms", "message"),
    [
        ({"multipliers": (1, 1 << 31)}, {}, "multiplier 2147483648 and shift 31; expected 32 bits"),
        ({}, {"shifts": (30, 31)}, "shift 30; expected 32 bits"),
        ({}, {"left_shift": 25}, "operand of up to 3355443200 with"),
        (
            {"bias": 1 << 31},
            {},
            "sums can reach 2147483652, but tflite_double takes sums of 32 bits",
        ),
        ({"second": MAP[:1]}, {}, r"shapes \[2, 2, 3\] and \[1, 2, 3\] must be equal"),
    ],
)
def test_what_cannot_be_rounded_and_added(
    change: dict[str, Any], terms: dict[str, Any], message: str
) -> None:
    plain = {
        "first": MAP,
        "second": MAP,
        "multipliers": (1, 1),
        "terms": replace(TermRounding((0, 0), (31, 31), 0), **terms),
        "bias": 0,
        "requantization": requantization(1, 1, 0, 0, 9, "tflite_double"),
    }
    with pytest.raises(ValueError, match=message):
        add_rounded_requantize(**(plain | change))


def test_strided_and_empty_maps() -> None:
    view = np.arange(60, dtype=np.int32).reshape(3, 4, 5)[::2, 1:, ::2]
    wide = requantization(1, 0, 0, -999, 999)
    assert (requantize_codes(view, ONE, wide) == view + 1).all()
    assert (add_requantize(view, view, (1, 2), 0, wide) == 3 * view).all()
    assert requantize_codes(MAP[:0], ZERO, wide).shape == (0, 2, 3)


UNSCALED = requantization(1, 0, 0, 0, 9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((MAP.astype(np.uint32), ZERO, UNSCALED), "int32 or int64 codes, got uint32"),
        ((MAP, np.zeros(2, np.int64), UNSCALED), "bias: expected int64 of length 3 or 1"),
        (
            (MAP, ZERO, replace(UNSCALED, multiplier=np.ones(2, np.int64))),
            "multiplier: expected int64 of length",
        ),
        (
            (MAP, ZERO, requantization(1, 63, 0, 0, 9)),
            "requantization: shifts 63 … 63 must lie in 0 … 62",
        ),
        ((MAP, ZERO, replace(UNSCALED, low=10)), "the clamp 10 … 9"),
        (
            (MAP, ONE << 32, requantization(1 << 30, 0, 0, 0, 9)),
            r"products can reach \d+, more than 2\^62",
        ),
    ],
)
def test_what_cannot_be_requantized(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        requantize_codes(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (MAP, MAP[:1], (1, 1), 0, UNSCALED),
            r"shapes \[2, 2, 3\] and \[1, 2, 3\] must be equal",
        ),
        ((MAP, MAP.astype(np.int64), (1, 1), 0, UNSCALED), "or int32 codes, got int64"),
        (
            (MAP, MAP, (1, 2**31), 0, UNSCALED),
            r"multipliers \(1, 2147483648\) must be below 2\^31",
        ),
        (
            (MAP, MAP, (1, 1), 2**62, UNSCALED),
            r"addition: products can reach \d+, more than 2\^62",
        ),
        ((MAP, MAP, (1, 1), 0, requantization(1, 63, 0, 0, 9)), "addition: shifts 63 … 63"),
    ],
)
def test_what_cannot_be_added(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        add_requantize(*arguments)


def test_codes_are_looked_at_where_their_type_would_be_too_large() -> None:
    """2^53 times 16-bit codes leaves 62 bits, times these it does not."""
    codes = np.array([[-300, 300]], np.int16)
    scaling = requantization(2**30, 30, 0, -(2**31), 2**31 - 1)
    multipliers = 2**23 - 1, 1
    total = reference.add(codes, codes, multipliers, 0)
    expected = reference.requantize(total, scaling)
    assert (add_requantize(codes, codes, multipliers, 0, scaling) == expected).all()
    with pytest.raises(ValueError, match=r"addition: products can reach \d+, more than 2\^62"):
        add_requantize(2 * codes, codes, multipliers, 0, scaling)


@pytest.mark.parametrize("kinds", [(np.int8, np.int16), (np.uint8, np.int8), (np.uint16, np.int32)])
def test_narrow_maps_are_added_as_they_are(kinds: tuple[type, type]) -> None:
    """The extremes of each type, whose sums and negatives leave it."""
    limits = [np.iinfo(kind) for kind in kinds]
    first = np.array([[limits[0].min, limits[0].max] * 2], kinds[0])
    second = np.array([[limits[1].min, limits[1].min, limits[1].max, limits[1].max]], kinds[1])
    multipliers, scaling = (-3, 5), requantization(1, 0, 0, -(2**31), 2**31 - 1)
    expected = reference.requantize(reference.add(first, second, multipliers, 7), scaling)
    found = add_requantize(first, second, multipliers, 7, scaling)
    assert found.dtype == np.int32
    assert (found == expected).all()
