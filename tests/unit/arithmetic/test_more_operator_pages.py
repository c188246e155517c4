"""Tables of worked examples of the operators that resize, combine and look up."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic.activation import lookup_table, parametric_relu
from hwsim.arithmetic.geometry import interpolation
from hwsim.arithmetic.multiplication import multiply_requantize
from hwsim.arithmetic.rearrangement import concatenate, nearest_resize
from hwsim.arithmetic.resampling import average_pool, bilinear_resize, statistics
from hwsim.arithmetic.transposed_convolution import transposed_convolve
from quant.common.transposed import phases
from quant.graph import IntegerType
from tests.unit.arithmetic.operator_pages import integers, table
from tests.unit.arithmetic.strategies import requantization

FAR = 2**31 - 1
UNSCALED = requantization(1, 0, 0, -FAR, FAR)


def row_of(cell: str, channels: int = 1) -> NDArray[np.int32]:
    """One row of pixels."""
    return np.array(integers(cell), np.int32).reshape(1, -1, channels)


@pytest.mark.parametrize(
    "row",
    table(
        "transposed_convolution", "image", "stride", "left", "right", "pad code", "weight", "sums"
    ),
)
def test_transposed_convolution_table(row: tuple[str, ...]) -> None:
    image, weight = row_of(row[0]), row_of(row[5])[None]
    stride, left, right, pad_code = (int(cell) for cell in row[1:5])
    pads, none = np.array([pad_code]), np.zeros(1, np.int64)
    spread = reference.pad(reference.spread(image, (1, stride), pads), (0, 0, left, right), pads)
    assert reference.convolve(spread, weight, none).ravel().tolist() == integers(row[6])
    found = transposed_convolve(
        image, weight, none, (1, stride), (0, 0, left, right), pads, UNSCALED, (0, 9)
    )
    assert found.ravel().tolist() == integers(row[6])


@pytest.mark.parametrize(
    "row",
    table(
        "transposed_convolution", "kernel", "stride", "before", "taps of each phase",
        "first pixel of each phase",
    ),
)  # fmt: skip
def test_phases_table(row: tuple[str, ...]) -> None:
    found = phases(*(int(cell) for cell in row[:3]))
    assert [list(phase.taps) for phase in found] == [integers(part) for part in row[3].split(";")]
    assert [phase.first for phase in found] == [int(part) for part in row[4].split(";")]


@pytest.mark.parametrize(
    "row",
    table("multiply", "first", "second", "pixels and channels of the second", "biases", "codes"),
)
def test_multiply_table(row: tuple[str, ...]) -> None:
    pixels, channels = integers(row[2])
    first, second = row_of(row[0], 2), row_of(row[1], channels)
    assert second.shape == (1, pixels, channels)
    one, other = integers(row[3])
    scaling = requantization(1, 1, 0, -FAR, FAR)
    products = reference.multiply(first, second, (one, other))
    assert reference.requantize(products, scaling).ravel().tolist() == integers(row[4])
    found = multiply_requantize(first, second, (one, other), scaling)
    assert found.ravel().tolist() == integers(row[4])


@pytest.mark.parametrize("row", table("prelu", "code", "bias", "slope", "result"))
def test_prelu_table(row: tuple[str, ...]) -> None:
    code, bias, slope, result = (int(cell) for cell in row)
    scalings = [requantization(1, shift, 0, -FAR, FAR) for shift in (1, 3)]
    arguments = np.full((1, 1, 1), code, np.int32), bias, np.array([slope]), *scalings
    assert reference.parametric_relu(*arguments).item() == result
    assert parametric_relu(*arguments).item() == result


@pytest.mark.parametrize("row", table("lookup_table", "type", "table", "code", "result"))
def test_lookup_table(row: tuple[str, ...]) -> None:
    integer, entries = IntegerType.parse(row[0]), np.array([integers(row[1])], np.int32)
    assert entries.shape == (1, integer.high - integer.low + 1)
    code = np.full((1, 1, 1), int(row[2]), np.int32)
    assert integer.contains(code.astype(np.int64))
    assert reference.lookup_table(code, entries, integer.low).item() == int(row[3])
    assert lookup_table(code, entries, integer.low).item() == int(row[3])


@pytest.mark.parametrize("row", table("concatenate", "first", "second", "channels of each", "out"))
def test_concatenate_table(row: tuple[str, ...]) -> None:
    channels = integers(row[2])
    maps = [row_of(cell, count) for cell, count in zip(row[:2], channels, strict=True)]
    assert reference.concatenate(maps).ravel().tolist() == integers(row[3])
    assert concatenate(maps).ravel().tolist() == integers(row[3])


@pytest.mark.parametrize("row", table("nearest_resize", "row", "factor", "row of the output"))
def test_nearest_resize_table(row: tuple[str, ...]) -> None:
    for resize in (reference.nearest_resize, nearest_resize):
        large = resize(row_of(row[0]), int(row[1]))
        assert all(line.ravel().tolist() == integers(row[2]) for line in large)


@pytest.mark.parametrize(
    "row",
    table(
        "bilinear_resize", "pixels", "factor", "half-pixel centers", "before", "behind", "fractions"
    ),
)
def test_positions_table(row: tuple[str, ...]) -> None:
    size, factor, centers = int(row[0]), int(row[1]), row[2] == "yes"
    assert interpolation(size, factor, centers).tolist() == [integers(cell) for cell in row[3:]]
    for place, expected in enumerate(zip(*(integers(cell) for cell in row[3:]), strict=True)):
        assert reference.resampling._between(place, size, factor, centers) == expected


@pytest.mark.parametrize("row", table("bilinear_resize", "column", "codes"))
def test_bilinear_resize_table(row: tuple[str, ...]) -> None:
    column = np.array(integers(row[0]), np.int32).reshape(-1, 1, 1)
    scaling = requantization(1, 20, 0, -128, 127, "half_away")
    sums = reference.bilinear(column, 2, True, 0)
    for codes in (
        reference.requantize(sums, scaling),
        bilinear_resize(column, 2, True, 0, scaling),
    ):
        assert codes[:, 0, 0].tolist() == codes[:, 1, 0].tolist() == integers(row[1])


@pytest.mark.parametrize("row", table("average_pool", "row", "kernel", "stride", "bias", "sums"))
def test_average_pool_table(row: tuple[str, ...]) -> None:
    kernel, stride, bias = (int(cell) for cell in row[1:4])
    arguments = row_of(row[0]), (1, kernel), (1, stride), bias
    assert reference.window_sums(*arguments).ravel().tolist() == integers(row[4])
    assert average_pool(*arguments, UNSCALED).ravel().tolist() == integers(row[4])


def test_the_division_of_average_pools() -> None:
    """Every sum of every window the page speaks of."""
    for pixels in range(1, 2**8):
        sums = np.arange(-128 * pixels, 127 * pixels + 1)
        scaling = requantization(-(-(2**24) // pixels), 24, 0, -128, 127, "half_away")
        halves_away = np.sign(sums) * ((2 * np.abs(sums) + pixels) // (2 * pixels))
        assert (reference.requantize(sums, scaling) == halves_away).all()


@pytest.mark.parametrize("row", table("statistics", "codes", "sum", "minimum", "maximum"))
def test_statistics_table(row: tuple[str, ...]) -> None:
    for name, expected in zip(("sum", "minimum", "maximum"), row[1:], strict=True):
        assert reference.statistics(row_of(row[0]), name).item() == int(expected)
        assert statistics(row_of(row[0]), name).item() == int(expected)
