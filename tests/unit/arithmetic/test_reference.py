"""The reference against other definitions: fractions, torch, and its own algebra."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.arithmetic import reference
from tests.unit.arithmetic.strategies import (
    code_arrays,
    formats,
    generators,
    geometries,
    requantization,
)

codes = st.integers(-(2**31), 2**31 - 1)


@given(total=codes, multiplier=st.integers(-(2**31) + 1, 2**31 - 1), shift=st.integers(0, 62))
def test_half_up_is_the_nearest_integer_and_the_greater_of_two(
    total: int, multiplier: int, shift: int
) -> None:
    exact = Fraction(total * multiplier, 2**shift)
    rounded = int(
        reference.requantize([total], requantization(multiplier, shift, 0, -(2**62), 2**62))[0]
    )
    assert rounded == floor(exact + Fraction(1, 2))


@given(
    totals=st.lists(codes, min_size=2, max_size=50),
    multiplier=st.integers(0, 2**31 - 1),
    shift=st.integers(0, 62),
    zero_point=st.integers(-300, 300),
    bounds=st.tuples(st.integers(-300, 300), st.integers(-300, 300)),
)
def test_requantize_is_monotone_and_saturates(
    totals: list[int], multiplier: int, shift: int, zero_point: int, bounds: tuple[int, int]
) -> None:
    low, high = sorted(bounds)
    result = reference.requantize(
        sorted(totals), requantization(multiplier, shift, zero_point, low, high)
    )
    assert (np.diff(result) >= 0).all()
    assert low <= result[0]
    assert result[-1] <= high
    unclamped = reference.requantize(
        sorted(totals), requantization(multiplier, shift, zero_point, -(2**62), 2**62)
    )
    assert (result == np.minimum(np.maximum(unclamped, low), high)).all()


@settings(deadline=None)
@given(data=st.data())
def test_convolve_equals_torch_in_float64(data: st.DataObject) -> None:
    """Sums of at most 2·5·5·3 products below 2^34 are exact in float64."""
    geometry = data.draw(geometries())
    kernel = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    height, width = (window + data.draw(st.integers(0, 4)) for window in geometry.window(kernel))
    inputs, outputs = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    groups = geometry.groups
    ifm = data.draw(code_arrays(data.draw(formats()), (height, width, groups * inputs)))
    weight = data.draw(code_arrays(data.draw(formats()), (groups * outputs, *kernel, inputs)))
    bias = data.draw(generators).integers(-(2**40), 2**40, groups * outputs)

    image = torch.from_numpy(ifm.transpose(2, 0, 1)[None].astype(np.float64))
    filters = torch.from_numpy(weight.transpose(0, 3, 1, 2).astype(np.float64))
    expected = torch.nn.functional.conv2d(
        image,
        filters,
        torch.from_numpy(bias.astype(float)),
        stride=geometry.stride,
        dilation=geometry.dilation,
        groups=groups,
    )
    result = reference.convolve(ifm, weight, bias, geometry)
    assert result.dtype == np.int64
    assert (result == expected[0].permute(1, 2, 0).numpy()).all()


@given(
    padding=st.tuples(*[st.integers(0, 3)] * 4),
    size=st.tuples(*[st.integers(1, 4)] * 3),
    generator=generators,
)
def test_pad_puts_each_channels_code_outside_and_keeps_the_image(
    padding: tuple[int, int, int, int],
    size: tuple[int, int, int],
    generator: np.random.Generator,
) -> None:
    image, pad_code = generator.integers(0, 256, size), generator.integers(256, 512, size[2])
    top, bottom, left, right = padding
    padded = reference.pad(image, padding, pad_code)
    assert padded.shape == (size[0] + top + bottom, size[1] + left + right, size[2])
    for y, x in np.ndindex(padded.shape[:2]):
        inside = top <= y < top + size[0] and left <= x < left + size[1]
        expected = image[y - top, x - left] if inside else pad_code
        assert (padded[y, x] == expected).all()


@given(size=st.tuples(*[st.integers(1, 4)] * 3), factor=st.integers(1, 4), generator=generators)
def test_pixel_shuffle_equals_torch_with_channels_reordered(
    size: tuple[int, int, int], factor: int, generator: np.random.Generator
) -> None:
    """torch orders the channels colour first (CRD), so DCR is its inverse after a permutation."""
    height, width, channels = size
    image = generator.integers(0, 2**16, (height, width, factor**2 * channels))
    crd = image.reshape(height, width, factor**2, channels).swapaxes(2, 3)
    planes = torch.from_numpy(crd.reshape(height, width, -1).transpose(2, 0, 1).copy())
    expected = torch.nn.functional.pixel_shuffle(planes, factor).permute(1, 2, 0).numpy()
    assert (reference.pixel_shuffle(image, factor) == expected).all()


def test_a_product_beyond_62_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="products leave 62 bits"):
        reference.requantize([2**32], requantization(2**30 + 1, 40, 0, -128, 127))
    assert reference.requantize([2**32], requantization(2**30, 62, 0, -128, 127)).tolist() == [1]


def test_floats_are_refused() -> None:
    with pytest.raises(TypeError, match="Cannot cast"):
        reference.add([1.5], [1], (1, 1), 0)
