"""Convolutions that pad, shuffle and store narrow codes, against the reference doing one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.arithmetic import reference
from hwsim.arithmetic._feature_maps import narrowest_type
from hwsim.arithmetic.convolution import INT64, KERNELS, ConvolutionKernel, pack_convolution
from hwsim.arithmetic.convolution_of_maps import Surroundings, convolve_map
from hwsim.arithmetic.geometry import Geometry, Padding
from quant.common.requantization import Requantization
from tests.unit.arithmetic.convolution_cases import cases, widest_operands

paddings = st.builds(Padding, *[st.integers(0, 5)] * 4)


@pytest.mark.parametrize("kernel", [KERNELS[0], INT64], ids=lambda kernel: kernel.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_maps_equal_the_reference_step_by_step(
    kernel: ConvolutionKernel, data: st.DataObject
) -> None:
    case = data.draw(cases(widest_operands(kernel)))
    low, high = data.draw(st.sampled_from([(-128, 127), (0, 255), (-9, 300), (-(2**20), 2**20)]))
    case = replace(case, scaling=replace(case.scaling, low=low, high=high))
    channels = case.ifm.shape[2]
    pad_code = data.draw(st.sampled_from([case.ifm[0, 0], case.ifm[0, 0, :1]]))
    shuffles = [f for f in (1, 2, 3) if len(case.bias) % f**2 == 0]
    around = Surroundings(data.draw(paddings), pad_code, data.draw(st.sampled_from(shuffles)))
    threads = data.draw(st.sampled_from([1, 3]))

    found = convolve_map(
        case.pack(kernel),
        case.ifm.astype(narrowest_type(case.input.low, case.input.high)),
        around,
        threads,
    )
    sides = (around.padding.top, around.padding.bottom, around.padding.left, around.padding.right)
    padded = reference.pad(case.ifm, sides, np.broadcast_to(pad_code, channels))
    sums = reference.convolve(padded, case.weight, case.bias, case.geometry)
    codes = reference.requantize(sums, case.scaling)
    assert found.dtype == {-128: np.int8, 0: np.uint8, -9: np.int16, -(2**20): np.int32}[low]
    assert (found == reference.pixel_shuffle(codes, around.shuffle)).all()


@given(height=st.integers(1, 9), padding=paddings, data=st.data())
def test_rows_of_a_padded_image(height: int, padding: Padding, data: st.DataObject) -> None:
    rows = padding.top + height + padding.bottom
    first = data.draw(st.integers(0, rows - 1))
    end = data.draw(st.integers(first + 1, rows))
    image = np.arange(height)
    padded = np.pad(image, (padding.top, padding.bottom), constant_values=-1)
    inside, part = padding.rows(first, end, height)
    expected = np.pad(image[inside], (part.top, part.bottom), constant_values=-1)
    assert (padded[first:end] == expected).all()
    assert (part.left, part.right) == (padding.left, padding.right)


WEIGHT = np.ones((8, 3, 3, 4), np.int32)
SCALING = Requantization(np.array([1]), np.array([0]), 0, 0, 255)


@pytest.mark.parametrize(
    ("ifm", "around", "message"),
    [
        (np.zeros((3, 3, 5), np.uint8), Surroundings(), r"up to 32 bits \[height, width, 4\]"),
        (np.zeros((3, 3, 4), np.int64), Surroundings(), r"got int64 \[3, 3, 4\]"),
        (
            np.zeros((3, 3, 4), np.uint8),
            Surroundings(shuffle=3),
            r"8 channels are no multiple of 3",
        ),
        (np.zeros((2, 3, 4), np.uint8), Surroundings(), r"2x3 pixels are fewer than the 3x3"),
        (np.full((3, 3, 4), 11, np.uint8), Surroundings(), r"codes 11 … 11 leave the 0 … 10"),
        (
            np.zeros((3, 3, 4), np.int8),
            Surroundings(Padding(1), np.array([-1], np.int32)),
            r"padding: codes -1 … -1 leave the 0 … 10",
        ),
    ],
)
def test_maps_that_are_refused(ifm: np.ndarray, around: Surroundings, message: str) -> None:
    packed = pack_convolution(WEIGHT, np.zeros(8, np.int64), SCALING, 0, 10, Geometry())
    with pytest.raises(ValueError, match=message):
        convolve_map(packed, ifm, around)


def test_codes_wider_than_every_type() -> None:
    with pytest.raises(ValueError, match=r"codes 0 … 4294967296 need more than 32 bits"):
        narrowest_type(0, 2**32)


def test_padding_is_not_negative() -> None:
    with pytest.raises(ValueError, match=r"padding: Padding\(.*must not be negative"):
        Padding(left=-1)
