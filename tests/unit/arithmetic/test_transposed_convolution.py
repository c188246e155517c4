"""Transposed convolution: the fast phases against the spread image, and that against torch."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.arithmetic import reference
from hwsim.arithmetic.transposed_convolution import transposed_convolve
from tests.unit.arithmetic.strategies import code_arrays, formats, generators, mode_scalings

sides = st.integers(1, 5)
strides = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), size=st.tuples(sides, sides), kernel=st.tuples(sides, sides), stride=strides)
def test_phases_equal_the_convolution_of_the_spread_image(
    data: st.DataObject, size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int]
) -> None:
    inputs, outputs = data.draw(sides), data.draw(sides)
    codes, weights = data.draw(formats()), data.draw(formats())
    ifm = data.draw(code_arrays(codes, (*size, inputs)))
    weight = data.draw(code_arrays(weights, (outputs, *kernel, inputs)))
    pad_code = data.draw(code_arrays(codes, (inputs,))).astype(np.int64)
    padding = tuple(data.draw(st.integers(0, side - 1)) for side in np.repeat(kernel, 2).tolist())
    spread = reference.pad(reference.spread(ifm, stride, pad_code), padding, pad_code)
    if spread.shape[0] < kernel[0] or spread.shape[1] < kernel[1]:
        return
    bias = data.draw(generators).integers(-(2**20), 2**20, outputs)
    largest = 2**20 + 25 * inputs * 2**32
    mode = data.draw(st.sampled_from(("half_up", "half_away", "half_even", "floor")))
    scaling = data.draw(mode_scalings(mode, outputs, largest))
    multiplier = scaling.multiplier % 2 ** (62 - largest.bit_length())
    scaling = type(scaling)(
        multiplier, scaling.shift, scaling.zero_point, scaling.low, scaling.high, mode
    )
    expected = reference.requantize(reference.convolve(spread, weight, bias), scaling)
    limits = codes.low, codes.high
    found = transposed_convolve(ifm, weight, bias, stride, padding, pad_code, scaling, limits)
    assert found.shape == expected.shape
    assert (found == expected).all()


@settings(deadline=None)
@given(data=st.data(), size=st.tuples(sides, sides), stride=strides, generator=generators)
def test_reference_equals_torch_in_float64(
    data: st.DataObject, size: tuple[int, int], stride: tuple[int, int], generator: Any
) -> None:
    """The kernel turned by 180 degrees, k - 1 - p rows above, and output_padding more below."""
    kernel = data.draw(sides), data.draw(sides)
    padding = tuple(data.draw(st.integers(0, side - 1)) for side in kernel)
    extra = tuple(data.draw(st.integers(0, step - 1)) for step in stride)
    if any(k - 1 - p + r < 0 for k, p, r in zip(kernel, padding, extra, strict=True)):
        return
    ifm = generator.integers(-(2**15), 2**15, (*size, 3))
    weight = generator.integers(-(2**15), 2**15, (2, *kernel, 3))
    around = []
    for k, p, r in zip(kernel, padding, extra, strict=True):
        around += [k - 1 - p, k - 1 - p + r]
    zero = np.zeros(3, np.int64)
    spread = reference.pad(reference.spread(ifm, stride, zero), tuple(around), zero)
    if spread.shape[0] < kernel[0] or spread.shape[1] < kernel[1]:
        return
    sums = reference.convolve(spread, weight, np.zeros(2, np.int64))
    turned = weight[:, ::-1, ::-1].transpose(3, 0, 1, 2).astype(np.float64)
    expected = torch.nn.functional.conv_transpose2d(
        torch.from_numpy(ifm.transpose(2, 0, 1)[None].astype(np.float64)),
        torch.from_numpy(np.ascontiguousarray(turned)),
        stride=stride,
        padding=padding,
        output_padding=extra,
    )
    assert (sums == expected[0].numpy().transpose(1, 2, 0)).all()


def test_an_image_that_leaves_no_place() -> None:
    ifm, weight = np.zeros((1, 1, 1), np.int32), np.zeros((1, 3, 3, 1), np.int32)
    zero = np.zeros(1, np.int64)
    scaling: Any = None
    with pytest.raises(ValueError, match="leaves no place for a kernel"):
        transposed_convolve(ifm, weight, zero, (2, 2), (0, 0, 0, 0), zero, scaling, (0, 0))
