"""Every table of worked examples in docs/operators, run on the reference and on the kernels."""

from fractions import Fraction

import numpy as np
import pytest

from hwsim.arithmetic import reference
from hwsim.arithmetic.convolution import INT64, KERNELS, convolve, pack_convolution
from hwsim.arithmetic.convolution_of_maps import Surroundings, convolve_map
from hwsim.arithmetic.elementwise import (
    add_requantize,
    add_rounded_requantize,
    requantize_codes,
)
from hwsim.arithmetic.geometry import Geometry, Padding
from hwsim.arithmetic.packing import code_format, pack_vector, unpack_vector
from hwsim.arithmetic.rearrangement import replicate_border
from quant.common.codes import CodeKind
from quant.common.requantization import TermRounding
from tests.unit.arithmetic.operator_pages import integers, table
from tests.unit.arithmetic.strategies import requantization

FAR = 2**31 - 1
NO_BIAS = np.zeros(1, np.int64)


def _requantized(total: int, multiplier: int, shift: int, rest: tuple[int, int, int]) -> list[int]:
    """What the reference and the kernel make of one sum."""
    scaling = requantization(multiplier, shift, *rest)
    by_reference = reference.requantize([total], scaling)
    by_kernel = requantize_codes(np.array([total], np.int32), NO_BIAS, scaling)
    return [int(by_reference[0]), int(by_kernel[0])]


@pytest.mark.parametrize(
    "row", table("requantize", "sum", "multiplier", "shift", "exact quotient", "half_up")
)
def test_rounding_table(row: tuple[str, ...]) -> None:
    total, multiplier, shift = (int(cell) for cell in row[:3])
    assert Fraction(row[3]) == Fraction(total * multiplier, 2**shift)
    assert _requantized(total, multiplier, shift, (0, -FAR, FAR)) == [int(row[4])] * 2


@pytest.mark.parametrize(
    "row",
    table("requantize", "sum", "multiplier", "shift", "zero_point", "low", "high", "code"),
)
def test_clamp_table(row: tuple[str, ...]) -> None:
    total, multiplier, shift, zero_point, low, high, code = (int(cell) for cell in row)
    assert _requantized(total, multiplier, shift, (zero_point, low, high)) == [code] * 2


@pytest.mark.parametrize("row", table("convolution", "image", "pad code", "weight", "bias", "sums"))
def test_padding_table(row: tuple[str, ...]) -> None:
    image, pad_code, taps, bias, sums = (integers(cell) for cell in row)
    ifm = np.array(image).reshape(1, -1, 1)
    padded = reference.pad(ifm, (0, 0, 1, 1), pad_code)
    weight = np.array(taps, np.int32).reshape(1, 1, -1, 1)
    assert reference.convolve(padded, weight, bias)[0, :, 0].tolist() == sums
    unscaled = requantization(1, 0, 0, -FAR, FAR)
    packed = pack_convolution(weight, np.array(bias), unscaled, -128, 127)
    assert convolve(packed, padded.astype(np.int32))[0, :, 0].tolist() == sums


@pytest.mark.parametrize(
    "row", table("convolution", "image", "columns left, right", "weight", "bias", "sums")
)
def test_table_of_replicated_borders(row: tuple[str, ...]) -> None:
    image, (left, right), taps, bias, sums = (integers(cell) for cell in row)
    ifm = np.array(image).reshape(1, -1, 1)
    weight = np.array(taps).reshape(1, 1, -1, 1)
    padded = reference.replicate(ifm, (0, 0, left, right))
    assert reference.convolve(padded, weight, bias)[0, :, 0].tolist() == sums
    assert (replicate_border(ifm, Padding(0, 0, left, right)) == padded).all()


@pytest.mark.parametrize("row", table("convolution", "image", "weight", "offsets", "sums"))
def test_table_of_tap_offsets(row: tuple[str, ...]) -> None:
    image, taps, offsets, sums = (integers(cell) for cell in row)
    ifm = np.array(image, np.int32).reshape(1, -1, 1)
    weight = np.array(taps, np.int32).reshape(1, 1, -1, 1)
    offset = np.array(offsets).reshape(1, 1, -1)
    products = reference.convolve(reference.pad(ifm, (0, 0, 1, 1), [0]), weight, [0])
    added = reference.tap_offsets(ifm.shape[:2], (0, 0, 1, 1), offset)
    assert (products + added)[0, :, 0].tolist() == sums
    packed = pack_convolution(
        weight, np.zeros(1, np.int64), requantization(1, 0, 0, -FAR, FAR), -128, 127,
        tap_offset=offset,
    )  # fmt: skip
    around = Surroundings(Padding(0, 0, 1, 1))
    assert convolve_map(packed, ifm, around)[0, :, 0].tolist() == sums


@pytest.mark.parametrize(
    "row",
    table(
        "convolution", "image", "channels", "stride", "dilation", "groups", "outputs", "weight",
        "sums",
    ),
)  # fmt: skip
def test_geometry_table(row: tuple[str, ...]) -> None:
    channels, stride, dilation, groups, outputs = (int(cell) for cell in row[1:6])
    image, taps, sums = (np.array(integers(cell), np.int32) for cell in (row[0], row[6], row[7]))
    ifm = image.reshape(1, -1, channels)
    weight = taps.reshape(outputs, 1, -1, channels // groups)
    geometry = Geometry((1, stride), (1, dilation), groups)
    bias = np.zeros(outputs, np.int64)
    assert reference.convolve(ifm, weight, bias, geometry).ravel().tolist() == sums.tolist()
    unscaled = requantization(1, 0, 0, -FAR, FAR)
    for kernels in (KERNELS, [INT64]):
        packed = pack_convolution(weight, bias, unscaled, 0, 8, geometry, kernels)
        assert convolve(packed, ifm).ravel().tolist() == sums.tolist()


@pytest.mark.parametrize(
    "row",
    table(
        "add", "first", "second", "multipliers", "bias", "shift", "zero_point", "low", "high",
        "code",
    ),
)  # fmt: skip
def test_addition_table(row: tuple[str, ...]) -> None:
    first, second = int(row[0]), int(row[1])
    one, other = integers(row[2])
    bias, shift, zero_point, low, high, code = (int(cell) for cell in row[3:])
    total = reference.add([first], [second], (one, other), bias)
    scaling = requantization(1, shift, zero_point, low, high)
    assert reference.requantize(total, scaling).tolist() == [code]
    operands = np.array([first], np.int32), np.array([second], np.int32)
    assert add_requantize(*operands, (one, other), bias, scaling).tolist() == [code]


@pytest.mark.parametrize(
    "row",
    table(
        "add", "first", "second", "multipliers", "shifts", "zero_points", "sum", "multiplier",
        "shift", "zero_point", "low", "high", "code",
    ),
)  # fmt: skip
def test_table_of_rounded_additions(row: tuple[str, ...]) -> None:
    first, second = int(row[0]), int(row[1])
    multipliers, shifts, zero_points = (tuple(integers(cell)) for cell in row[2:5])
    total, multiplier, shift, zero_point, low, high, code = (int(cell) for cell in row[5:])
    terms = TermRounding(zero_points, shifts, 20)
    assert reference.add_rounded([first], [second], multipliers, terms, 0).tolist() == [total]
    scaling = requantization(multiplier, shift, zero_point, low, high, "tflite_double")
    operands = np.array([first], np.int32), np.array([second], np.int32)
    found = add_rounded_requantize(*operands, multipliers, terms, 0, scaling)
    assert found.tolist() == [code]


def test_pixel_shuffle_table() -> None:
    pixel = np.arange(12).reshape(1, 1, 12)
    columns = "dy", "dx", "channels of the input pixel, dcr", "crd"
    for dy, dx, *channels in table("pixel_shuffle", *columns):
        for order, expected in zip(("dcr", "crd"), channels, strict=True):
            shuffled = reference.pixel_shuffle(pixel, 2, order)
            assert shuffled[int(dy), int(dx)].tolist() == integers(expected)


@pytest.mark.parametrize(
    "row", table("packing", "kind", "integer", "widths", "integers of 2 bits, by code")
)
def test_kinds_table(row: tuple[str, ...]) -> None:
    every_code, values = np.array([0b11100100], np.uint8), integers(row[3])
    given = tuple(values) if row[0] == "table" else ()
    kind = CodeKind[row[0].upper()]
    assert unpack_vector(every_code, 4, code_format(2, kind, given)).tolist() == values
    narrowest, widest = (int(width) for width in row[2].split("…"))
    for width in (narrowest - 1, widest + 1):
        with pytest.raises(ValueError, match=f"{width} bits"):
            code_format(width, kind, given[:1])
    assert code_format(narrowest, kind, given[:1]).bits == narrowest
    assert code_format(widest, kind, given[:1]).bits == widest


@pytest.mark.parametrize("row", table("packing", "kind", "bits", "integers", "bytes"))
def test_bytes_table(row: tuple[str, ...]) -> None:
    kind, _, levels = row[0].partition(" ")
    bits, values = int(row[1]), integers(row[2])
    code = code_format(bits, CodeKind[kind.upper()], tuple(integers(levels)))
    memory = pack_vector(np.array(values, np.int32), code)
    assert memory.tobytes().hex(" ") == row[3]
    assert unpack_vector(memory, len(values), code).tolist() == values
