"""Offsets of taps inside the image, by each kernel: against the reference, which counts them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic import convolution, reference
from hwsim.arithmetic._tap_offsets import NO_BORDER, TapOffsets
from hwsim.arithmetic.convolution import KERNELS, ConvolutionKernel, pack_convolution
from hwsim.arithmetic.convolution_of_maps import Surroundings, convolve_map
from hwsim.arithmetic.geometry import DENSE, NO_PADDING, Geometry, Padding
from quant.common.requantization import Requantization
from tests.unit.arithmetic.convolution_cases import cases, widest_operands
from tests.unit.arithmetic.strategies import generators, scalings

by_name = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)


def sides(padding: Padding) -> tuple[int, int, int, int]:
    return padding.top, padding.bottom, padding.left, padding.right


@by_name
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_kernel_equals_the_reference(kernel: ConvolutionKernel, data: st.DataObject) -> None:
    case = data.draw(cases(widest_operands(kernel)))
    outputs, height, width, _ = case.weight.shape
    window = case.geometry.window((height, width))
    reach = st.integers(0, max(window) + 1)
    padding = Padding(*(data.draw(reach) for _ in range(4)))
    limit = 2 ** data.draw(st.integers(0, 20))
    offset = data.draw(generators).integers(-limit, limit, (outputs, height, width), endpoint=True)
    largest = np.abs(case.weight.astype(np.int64)).sum() * max(-case.input.low, case.input.high)
    largest += np.abs(case.bias).max() + np.abs(offset).sum(axis=(1, 2)).max()
    scaling = data.draw(scalings(outputs, int(largest)))
    packed = pack_convolution(
        case.weight, case.bias, scaling, case.input.low, case.input.high, case.geometry,
        [kernel], offset,
    )  # fmt: skip
    pad_code = case.ifm[0, 0]
    found = convolve_map(
        packed, case.ifm, Surroundings(padding, pad_code), data.draw(st.sampled_from([1, 2]))
    )
    padded = reference.pad(case.ifm, sides(padding), pad_code)
    sums = reference.convolve(padded, case.weight, case.bias, case.geometry)
    sums = sums + reference.tap_offsets(case.ifm.shape[:2], sides(padding), offset, case.geometry)
    assert (found == reference.requantize(sums, scaling)).all()


def test_the_reference_counts_taps_inside() -> None:
    """A 3 by 3 kernel whose offsets are powers of two tells which taps lie inside."""
    offset = (2 ** np.arange(9)).reshape(1, 3, 3)
    added = reference.tap_offsets((2, 2), (1, 1, 1, 1), offset)
    inside = [[0b110110000, 0b011011000], [0b000110110, 0b000011011]]
    assert added[:, :, 0].tolist() == inside


@by_name
def test_bands_know_which_rows_are_at_the_border(
    kernel: ConvolutionKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "CODES_PER_BAND", 300)
    random = np.random.default_rng(3)
    weight = random.integers(-8, 8, (5, 3, 5, 4), np.int32)
    offset = random.integers(-99, 99, (5, 3, 5))
    ifm = random.integers(-8, 8, (40, 13, 4), np.int32)
    scaling = Requantization(np.ones(1, np.int64), np.zeros(1, np.int64), 0, -(2**20), 2**20)
    bias = random.integers(-99, 99, 5)
    packed = pack_convolution(weight, bias, scaling, -8, 7, DENSE, [kernel], offset)
    padding = Padding(2, 1, 4, 3)
    found = convolve_map(packed, ifm, Surroundings(padding))
    padded = reference.pad(ifm, sides(padding), [0])
    sums = reference.convolve(padded, weight, bias)
    assert (found == sums + reference.tap_offsets((40, 13), sides(padding), offset)).all()


@pytest.mark.parametrize(
    ("geometry", "classes"),
    [
        (DENSE, ([1, 0, 0, 0, 2], [1, 0, 0, 0, 0, 2])),
        (Geometry((2, 2)), ([1, 0, 2], [1, 0, 0])),
        (Geometry((1, 1), (2, 2)), ([1, 0, 2], [1, 0, 0, 2])),
    ],
)
def test_windows_fall_into_border_classes(
    geometry: Geometry, classes: tuple[list[int], list[int]]
) -> None:
    taps = TapOffsets(np.ones((2, 3, 3), np.int64), geometry)
    border = taps.border((5, 6), Padding(1, 1, 1, 1))
    for found, expected in zip((border.rows, border.columns), classes, strict=True):
        assert (found == 0).tolist() == [number == 0 for number in expected]
        assert len(set(found.tolist())) == len(set(expected))
    assert (border.offsets[0, 0] == 0).all()


def test_without_padding_there_is_no_border() -> None:
    taps = TapOffsets(np.ones((2, 3, 3), np.int64), DENSE)
    assert taps.border((5, 6), NO_PADDING) is NO_BORDER


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (np.zeros((8, 3, 2), np.int64), r"tap offsets: expected int64 \[8, 3, 3\], got int64"),
        (np.zeros((8, 3, 3), np.int32), r"got int32 \[8, 3, 3\]"),
        (np.full((8, 3, 3), 2**60), r"tap offsets: reach 1152921504606846976, too large to add"),
    ],
)
def test_offsets_that_are_refused(offset: NDArray[np.int64], message: str) -> None:
    weight, bias = np.ones((8, 3, 3, 4), np.int32), np.zeros(8, np.int64)
    scaling = Requantization(np.array([1]), np.array([0]), 0, 0, 255)
    with pytest.raises(ValueError, match=message):
        pack_convolution(weight, bias, scaling, 0, 10, tap_offset=offset)


def test_bounds_count_offsets_of_either_sign() -> None:
    weight, bias = np.ones((1, 1, 3, 1), np.int32), np.array([5])
    offset = np.array([[[7, -2, 1]]])
    bounds = pack_convolution(
        weight, bias, Requantization(np.array([1]), np.array([0]), 0, 0, 255), 0, 10,
        tap_offset=offset,
    ).bounds  # fmt: skip
    assert (bounds.least.tolist(), bounds.greatest.tolist()) == ([-2], [5 + 8 + 30])
    assert replace(bounds).accumulator == 43
