"""Each convolution kernel against the reference, and what is refused."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic import convolution, reference
from hwsim.arithmetic._threads import split_rows
from hwsim.arithmetic.convolution import (
    KERNELS,
    ConvolutionKernel,
    convolve,
    pack_convolution,
)
from hwsim.arithmetic.geometry import Geometry
from hwsim.arithmetic.packing import code_format
from quant.common.codes import CodeKind
from quant.common.requantization import Requantization
from tests.unit.arithmetic.convolution_cases import Case, cases, widest_operands

by_name = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)


@by_name
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_kernel_equals_reference(kernel: ConvolutionKernel, data: st.DataObject) -> None:
    case = data.draw(cases(widest_operands(kernel)))
    result = convolve(case.pack(kernel), case.ifm)
    assert result.dtype == np.int32
    assert (result == case.expected()).all()


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_the_chosen_kernel_is_exact_at_every_width(case: Case) -> None:
    packed = case.pack()
    bounds = packed.bounds
    narrow = case.weight.min() >= -(2**15) and case.weight.max() < 2**15
    narrow &= case.input.high - case.input.low < 2**16
    sums_fit = bounds.least.min() >= -(2**31) and bounds.greatest.max() < 2**31
    assert (packed.kernel.name == "int64") == (not narrow or not sums_fit)
    assert (convolve(packed, case.ifm) == case.expected()).all()


def _uniform_case(ifm: int, weight: int, taps: int, bias: int = 0) -> Case:
    """One output, a sum of equal products of signed 16-bit codes, passed through unscaled."""
    unscaled = Requantization(np.ones(1, np.int64), np.zeros(1, np.int64), 0, -(2**31), 2**31 - 1)
    return Case(
        np.full((1, 1, taps), ifm, np.int32),
        code_format(16, CodeKind.SIGNED),
        np.full((1, 1, 1, taps), weight, np.int32),
        np.array([bias], np.int64),
        unscaled,
    )


@pytest.mark.parametrize(
    ("case", "is_fast", "total"),
    [
        (_uniform_case(-32768, -32767, 2), True, 2147418112),
        (_uniform_case(-32768, -32767, 2, 65535), True, 2**31 - 1),
        (_uniform_case(-32768, -32767, 2, 65536), False, 2**31 - 1),
        (_uniform_case(-32768, -32767, 2, -65536), True, 2147352576),
        (_uniform_case(-32768, -32768, 2), False, 2**31 - 1),
        (_uniform_case(-32768, 32767, 2, -65536), True, -2147483648),
        (_uniform_case(-32768, 32767, 2, -65537), False, -2147483648),
        (_uniform_case(-32768, 32768, 1), False, -(2**30)),
    ],
)
def test_fast_kernels_are_used_up_to_their_bound(case: Case, is_fast: bool, total: int) -> None:
    packed = case.pack()
    assert (packed.kernel.name != "int64") == is_fast
    assert convolve(packed, case.ifm).item() == total


def test_beyond_the_bound_a_kernel_is_refused() -> None:
    with pytest.raises(
        ValueError,
        match=r"convolution \[1, 1, 1, 2\]: accumulators can reach 2147483648 and their products "
        r"2147483648, too large for the kernels \w+; narrow an operand or the multiplier",
    ):
        _uniform_case(-32768, -32768, 2).pack(KERNELS[0])


@by_name
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_bands_on_threads_join_seamlessly(
    kernel: ConvolutionKernel, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "MACS_PER_BAND", 1_000_000)
    monkeypatch.setattr(convolution, "CODES_PER_BAND", 20_000)
    random = np.random.default_rng(5)
    weight = random.integers(-128, 128, (32, 3, 3, 16), dtype=np.int32)
    ifm = random.integers(-128, 128, (43, 50, 16), dtype=np.int32)
    bias, multiplier = random.integers(-999, 999, 32), random.integers(2**29, 2**30, 32)
    scaling = Requantization(multiplier, np.full(1, 40), 3, -128, 127)
    packed = pack_convolution(weight, bias, scaling, -128, 127, kernels=[kernel])
    expected = reference.requantize(reference.convolve(ifm, weight, bias), scaling)
    assert len(np.unique(expected)) > 100
    assert (convolve(packed, ifm, threads) == expected).all()


@given(rows=st.integers(1, 300), bands=st.integers(0, 20))
def test_bands_cover_every_row_once(rows: int, bands: int) -> None:
    split = split_rows(rows, bands)
    assert [row for first, end in split for row in range(first, end)] == list(range(rows))
    assert len(split) == max(1, min(bands, rows))
    sizes = [end - first for first, end in split]
    assert max(sizes) - min(sizes) <= 1


def test_a_view_of_a_larger_image_is_convolved() -> None:
    random = np.random.default_rng(6)
    image = random.integers(-8, 8, (12, 12, 8), dtype=np.int32)[2:9, ::2, 1:4]
    weight = random.integers(-8, 8, (3, 3, 3, 6), dtype=np.int32)[:, :, :, ::2]
    scaling = Requantization(np.ones(1, np.int64), np.zeros(1, np.int64), 0, -(2**20), 2**20)
    bias = np.zeros(3, np.int64)
    packed = pack_convolution(weight, bias, scaling, -8, 7)
    assert (convolve(packed, image) == reference.convolve(image, weight, bias)).all()


CHECK_FORK = """
import os
import numpy as np
from hwsim.arithmetic.convolution import convolve, pack_convolution
from quant.common.requantization import Requantization

weight, ifm = np.ones((32, 3, 3, 32), np.int32), np.ones((43, 50, 32), np.int32)
scaling = Requantization(np.array([1]), np.array([0]), 0, -(2**31), 2**31 - 1)
packed = pack_convolution(weight, np.zeros(32, np.int64), scaling, 0, 1)
assert (convolve(packed, ifm, threads=2) == 288).all()
child = os.fork()
if child == 0:
    os._exit(0 if (convolve(packed, ifm, threads=2) == 288).all() else 1)
assert os.waitpid(child, 0)[1] == 0
"""


def test_threads_work_after_a_fork() -> None:
    subprocess.run([sys.executable, "-c", CHECK_FORK], check=True, timeout=120)


@pytest.mark.parametrize("arguments", [{"stride": (0, 1)}, {"dilation": (1, -1)}, {"groups": 0}])
def test_a_geometry_is_positive(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"geometry: Geometry\(.*must hold positive integers"):
        Geometry(**arguments)


@settings(max_examples=50, deadline=None)
@given(case=cases(maximum_bits=4))
def test_bounds_are_reached_and_never_left(case: Case) -> None:
    """The inputs that maximize every product of one sign make the bounds' own sums."""
    bounds = case.pack().bounds
    low, high = case.input.low, case.input.high
    for channel, weight in enumerate(case.weight.astype(np.int64)):
        products = np.stack([weight * low, weight * high, weight * 0]).reshape(3, -1)
        bias = int(case.bias[channel])
        assert bounds.greatest[channel] == products.max(axis=0).sum() + max(bias, 0)
        assert bounds.least[channel] == products.min(axis=0).sum() + min(bias, 0)


WEIGHT = np.ones((2, 3, 3, 4), np.int32)
ZEROS, ONES = np.zeros(2, np.int64), np.ones(2, np.int64)
SCALING = Requantization(ONES, ZEROS, 0, 0, 255)
GOOD: dict[str, Any] = {
    "weight": WEIGHT,
    "bias": ZEROS,
    "requantization": SCALING,
    "input_low": 0,
    "input_high": 255,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"weight": WEIGHT.astype(np.int64)},
            r"weight: expected int32 .* got int64 \[2, 3, 3, 4\]",
        ),
        ({"weight": WEIGHT[:0]}, r"none of them 0, got int32 \[0, 3, 3, 4\]"),
        ({"weight": WEIGHT << 17}, r"at most 17 bits"),
        ({"input_high": 1 << 17}, r"inputs in \(0, 131072\); both must be integers of at most 17"),
        ({"input_low": 256}, r"inputs in \(256, 255\)"),
        ({"bias": np.zeros(3, np.int64)}, r"bias: expected int64 of length 2, got int64 \[3\]"),
        ({"bias": np.full(2, -(2**63))}, r"bias: reaches 9223372036854775808, more than 2\^62"),
        ({"bias": np.full(2, 2**62)}, r"too large for the kernels [\w, ]+int64"),
        ({"geometry": Geometry(groups=4)}, r"2 output channels do not divide into 4 groups"),
    ],
)
def test_what_cannot_be_packed(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_convolution(**(GOOD | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"multiplier": np.ones(3, np.int64)}, r"multiplier: expected int64 of length 2 or 1"),
        ({"shift": np.zeros(2, np.int32)}, r"shift: expected int64 of length 2 or 1, got int32"),
        (
            {"multiplier": ONES << 31},
            r"multipliers 2147483648 … 2147483648 must lie in -2147483647 … 2147483647",
        ),
        ({"shift": ONES * 63}, r"shifts 63 … 63 must lie in 0 … 62"),
        ({"shift": -ONES}, r"shifts -1 … -1 must lie in 0 … 62"),
        ({"low": 256}, r"the clamp 256 … 255 must be an interval of 32-bit integers"),
        ({"high": 2**31}, r"the clamp 0 … 2147483648 must be"),
        ({"zero_point": 2**31}, r"zero point 2147483648 must be a 32-bit integer"),
    ],
)
def test_scalings_that_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_convolution(**(GOOD | {"requantization": replace(SCALING, **change)}))


@by_name
@pytest.mark.parametrize(
    ("ifm", "message"),
    [
        (
            np.zeros((3, 3, 5), np.int32),
            r"expected int32 \[height, width, 4\], got int32 \[3, 3, 5\]",
        ),
        (np.zeros((3, 3, 4), np.int64), r"got int64 \[3, 3, 4\]"),
        (
            np.zeros((2, 3, 4), np.int32),
            r"2x3 pixels are fewer than the 3x3 of the kernel's window",
        ),
        (np.full((3, 3, 4), 256, np.int32), r"codes 256 … 256 leave the 0 … 255 it was packed for"),
        (np.full((3, 3, 4), -1, np.int32), r"codes -1 … -1 leave the 0 … 255 it was packed for"),
    ],
)
def test_what_cannot_be_convolved(
    kernel: ConvolutionKernel, ifm: NDArray[np.int32], message: str
) -> None:
    packed = pack_convolution(**GOOD, kernels=[kernel])
    with pytest.raises(ValueError, match=message):
        convolve(packed, ifm)
