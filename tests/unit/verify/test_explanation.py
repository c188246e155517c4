"""The operands of an accumulator add up to the integer that the reference computes."""

import re
from dataclasses import replace

import numpy as np
import pytest

from hwsim.arithmetic import reference
from hwsim.machine import REFERENCE
from hwsim.verify.explanation import explained
from hwsim.verify.random_operators import (
    random_add,
    random_convolution,
    random_fused_add,
    random_requantize,
    random_rounded_add,
)
from hwsim.verify.scaled_cases import draw_encode, draw_scaled_convolution
from quant.graph import (
    Concatenate,
    Convolution,
    Encode,
    IntegerType,
    LookupTable,
    Multiply,
    Padding,
    ParametricRelu,
    PixelShuffle,
    ScaledConvolution,
    TensorType,
    TransposedConvolution,
)
from tests.unit.graph.small_graphs import requantization

S8 = IntegerType.parse("s8")


def taps(lines: tuple[str, ...]) -> list[int]:
    """The products of every tap, each multiplied out from its terms."""
    totals = []
    for line in lines:
        if match := re.match(r"tap \S+ \(.*\): (-?\d+) = (.*)", line):
            terms = [term.split("·") for term in match[2].split(" + ")]
            total = sum(int(code) * int(weight) for code, weight in terms)
            assert total == int(match[1])
            totals.append(total)
    return totals


def offsets(lines: tuple[str, ...]) -> int:
    """Those of the taps inside the image, together."""
    return sum(int(line.split(": offset ")[1]) for line in lines if ": offset " in line)


def number(lines: tuple[str, ...], word: str) -> int:
    (found,) = [line.split()[1] for line in lines if line.startswith(f"{word} ")]
    return int(found)


def code_of(total: int, operator: Convolution | TransposedConvolution, channel: int) -> int:
    """The rounding the small graphs have: halves up."""
    given = operator.requantization
    multiplier, shift = (
        int(values[channel if len(values) > 1 else 0]) for values in (given.multiplier, given.shift)
    )
    rounded = (total * multiplier + (1 << shift >> 1)) >> shift
    return min(max(rounded + given.zero_point, given.low), given.high)


@pytest.mark.parametrize("seed", range(6))
def test_taps_and_bias_make_the_sum_and_the_sum_the_code(seed: int) -> None:
    random = np.random.default_rng(seed)
    operand, output = TensorType(4, S8), TensorType(6, S8)
    codes = random.integers(-128, 128, (9, 10, 4), np.int32)
    operator = random_convolution(random, operand, codes, output, S8, keep_size=True)
    operator = replace(
        operator,
        requantization=requantization(shift=np.array([9])),
        weight=random.integers(-8, 8, (6, 3, 3, 2)),
        padding=Padding(1, 2, 0, 1),
        stride=(2, 1),
        dilation=(1, 2),
        groups=2,
        tap_offset=random.integers(-300, 300, (6, 3, 3)) if seed % 2 else None,
        border="replicate" if seed % 4 == 0 else "code",
    )
    made = REFERENCE.compute(operator, (operand,), (codes,))
    for index in np.ndindex(*made.shape):
        lines = explained(operator, (operand,), (codes,), index)
        found = taps(lines)
        assert len(found) == 9
        assert sum(found) + offsets(lines) + number(lines, "bias") == number(lines, "sum")
        assert code_of(number(lines, "sum"), operator, index[2]) == made[index]


def test_a_transposed_convolution_reads_pixels_and_the_gaps_between_them() -> None:
    weight = np.arange(2 * 3 * 3).reshape(1, 3, 3, 2)
    operator = TransposedConvolution(
        weight, S8, np.array([7]), (2, 2), Padding(2, 1, 2, 1), np.array([5]), requantization()
    )
    codes = np.array([[[1, 2], [3, 4]]], np.int32)
    spread = np.full((1 + 3, 3 + 3, 2), 5)
    spread[2, 2], spread[2, 4] = codes[0]
    for row, column in np.ndindex(2, 4):
        lines = explained(operator, (TensorType(2, S8),), (codes,), (row, column, 0))
        expected = int((spread[row : row + 3, column : column + 3] * weight[0]).sum()) + 7
        assert sum(taps(lines)) + 7 == number(lines, "sum") == expected


def test_additions_name_their_terms() -> None:
    random = np.random.default_rng(0)
    tensor = TensorType(3, S8)
    codes = [random.integers(-128, 128, (4, 5, 3), np.int32) for _ in range(2)]
    index = (1, 2, 0)
    add = random_add(random, (tensor, tensor), codes, tensor)
    lines = explained(add, (tensor, tensor), codes, index)
    first, second = (int(operand[index]) for operand in codes)
    total = first * add.multipliers[0] + second * add.multipliers[1] + add.bias
    assert number(lines, "sum") == total
    rounded = explained(random_rounded_add(random, S8), (tensor, tensor), codes, index)
    assert [line.split("(")[0] for line in rounded[:2]] == ["term tflite_double"] * 2
    fused = explained(random_fused_add(random, S8), (tensor, tensor), codes, index)
    assert fused[0].startswith(f"sum fma({first}, ")


def test_what_moves_codes_says_where_from() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(-128, 128, (2, 3, 8), np.int32)
    tensor = TensorType(8, S8)
    made = REFERENCE.compute(PixelShuffle(2), (tensor,), (codes,))
    for index in np.ndindex(*made.shape):
        (line,) = explained(PixelShuffle(2), (tensor,), (codes,), index)
        assert int(line.split()[1]) == made[index]
    joined = (codes[:, :, :3], codes)
    (line,) = explained(Concatenate(), (TensorType(3, S8), tensor), joined, (1, 2, 4))
    assert line == f"code {codes[1, 2, 1]} from operand 1, row 1, column 2, channel 1"


def test_a_requantization_shows_its_sum() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(-128, 128, (2, 3, 4), np.int32)
    tensor = TensorType(4, S8)
    requantize = random_requantize(random, tensor, codes, tensor)
    lines = explained(requantize, (tensor,), (codes,), (1, 1, 3))
    assert number(lines, "sum") == int(codes[1, 1, 3]) + int(requantize.bias[0])
    assert lines[1].startswith("code ")


def test_a_factor_of_one_pixel_counts_for_all() -> None:
    first = np.arange(12, dtype=np.int32).reshape(2, 2, 3)
    second = np.array([[[5, 6, 7]]], np.int32)
    multiply = Multiply((-1, 2), requantization(shift=np.array([0])))
    types = (TensorType(3, S8),) * 2
    lines = explained(multiply, types, (first, second), (1, 0, 2))
    assert lines[0] == "product 63 = (8 + -1)·(7 + 2)"
    assert REFERENCE.compute(multiply, types, (first, second))[1, 0, 2] == 63


@pytest.mark.parametrize(("code", "line"), [(9, "sum 6 = 9 + -3"), (-4, "sum -35 = (-4 + -3)·5")])
def test_a_prelu_shows_the_side_it_takes(code: int, line: str) -> None:
    prelu = ParametricRelu(-3, np.array([5]), requantization(), requantization(zero_point=1))
    codes = np.full((1, 1, 1), code, np.int32)
    lines = explained(prelu, (TensorType(1, S8),), (codes,), (0, 0, 0))
    assert lines[0] == line
    assert ("+ 1 within" in lines[1]) == (code < 3)


def test_a_table_names_its_entry() -> None:
    table = np.arange(256).reshape(1, 256) // 2
    codes = np.full((1, 1, 1), -100, np.int32)
    lines = explained(LookupTable(table), (TensorType(1, S8),), (codes,), (0, 0, 0))
    assert lines == ("code 14 from the table's entry of -100",)


@pytest.mark.parametrize("seed", range(5))
def test_points_of_a_scaled_convolution(seed: int) -> None:
    random = np.random.default_rng(seed)
    case = draw_scaled_convolution(random, is_centred=bool(seed % 2))
    operator = case.operator
    assert isinstance(operator, ScaledConvolution)
    lines = case.explain((0, 0, 0))
    total = number(lines, "sum")
    assert sum(taps(lines)) + number(lines, "bias") == total
    assert len(taps(lines)) == operator.kernel[0] * operator.kernel[1]
    code = reference.requantize(
        np.full((1, 1, operator.out_channels), total), operator.requantization
    )
    assert code[0, 0, 0] == case.compute(REFERENCE)[0, 0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_thresholds_of_an_encoder(seed: int) -> None:
    case = draw_encode(np.random.default_rng(seed))
    operator = case.operator
    assert isinstance(operator, Encode)
    lines = case.explain((0, 0, 0))
    value, mean, reach, reciprocal = map(int, re.findall(r"-?\d+", lines[0]))
    normalized = -(-(value - mean) * reciprocal >> 4 + reach.bit_length())
    thresholds = [int(word) for word in lines[1].split(": ")[1].split()]
    assert (
        sum(threshold < normalized for threshold in thresholds) == case.compute(REFERENCE)[0, 0, 0]
    )
