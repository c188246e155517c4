"""Operators as passes of the vector unit, with random constants, and what the reference says."""

from collections.abc import Callable

import numpy as np

from hwsim.arithmetic import reference
from quant.common.requantization import Requantization, TermRounding
from tests.rtl import vector_units as vectors
from tests.rtl.units import Wide
from tests.rtl.vector_units import Elements

Random = np.random.Generator
Operation = tuple[Elements, Wide]
"""Elements, and the integers [count] that must come out."""
Rows = dict[str, int | Wide]
"""What the groups of a pass are given."""
CHANNELS = 3
TABLE_ROWS = 2
CODES = 2**vectors.TABLE_BITS // TABLE_ROWS
EXACT: Rows = {"first_multiplier": 1, "first_shift": 0}


def codes(random: Random, pixels: int, bits: int = 8) -> Wide:
    """Signed codes, [1, pixels, channels]."""
    return random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (1, pixels, CHANNELS))


def scaling(random: Random, mode: str, first: int, largest: int, channels: int) -> Requantization:
    """From sums up to ``largest`` to codes of 8 bits, a few beyond the clamp."""
    multiplier = random.integers(2**30, 2**31, channels)
    shift = 31 + largest.bit_length() - random.integers(7, 10, channels)
    low, high = (-128, 127) if random.integers(4) else (random.integers(-99, -50), 90)
    zero = int(random.integers(-20, 20))
    return Requantization(
        multiplier, shift, zero, int(low), int(high), mode, zero_point_first=bool(first)
    )


def limits(given: Requantization) -> Rows:
    """What ends a pass."""
    return {"zero_point": given.zero_point, "low": given.low, "high": given.high}


def along(channels: Wide, like: Wide) -> Wide:
    """A vector's integers for every element, [count]."""
    return np.broadcast_to(channels, like.shape).reshape(-1)


def scaled(given: Requantization, like: Wide) -> Rows:
    """A pass that requantizes."""
    return {
        "kind": vectors.SCALE,
        "first_multiplier": along(given.multiplier, like),
        "first_shift": along(given.shift, like),
        **limits(given),
    }


def requantize(random: Random, mode: str, first: int, pixels: int) -> Operation:
    """One operand, with constants of each channel."""
    image = codes(random, pixels, 12)
    bias = random.integers(-200, 200, CHANNELS)
    given = scaling(random, mode, first, 2048, CHANNELS)
    rows: Rows = {
        "first": image.reshape(-1),
        "first_offset": along(bias, image),
        **scaled(given, image),
    }
    return Elements((rows,), image.size), reference.requantize(image + bias, given).reshape(-1)


def copy(random: Random, mode: str, first: int, pixels: int) -> Operation:
    """Concatenation of two maps: codes as they are."""
    maps = codes(random, pixels, 16), codes(random, pixels, 16)
    wanted = reference.concatenate(maps).reshape(-1)
    rows: Rows = {"kind": vectors.ADD_EXACT, "first": wanted, **EXACT}
    return Elements((rows,), wanted.size), wanted


def add_equal_scales(random: Random, mode: str, first: int, pixels: int) -> Operation:
    """A sum of codes, clamped."""
    one, other = codes(random, pixels), codes(random, pixels)
    given = Requantization(np.ones(1, np.int64), np.zeros(1, np.int64), 3, -128, 127)
    wanted = reference.requantize(reference.add(one, other, (1, 1), 0), given)
    operands: Rows = {"first": one.reshape(-1), "second": other.reshape(-1)}
    rows: Rows = {
        "kind": vectors.ADD_EXACT,
        **operands,
        **EXACT,
        "second_multiplier": 1,
        **limits(given),
    }
    return Elements((rows,), one.size), wanted.reshape(-1)


def add_exact(random: Random, mode: str, first: int, pixels: int) -> Operation:
    """Operands of two scales, whose exact sum is rounded once: in modes of one rounding."""
    one, other = codes(random, pixels), codes(random, pixels)
    multipliers = int(random.integers(2**19, 2**20)), int(random.integers(2**19, 2**20))
    bias = int(random.integers(-(2**24), 2**24))
    shift = np.array([int(random.integers(18, 22))])
    zero = int(random.integers(-20, 20))
    once = "half_up" if mode == "tflite_double" else mode
    given = Requantization(
        np.ones(1, np.int64), shift, zero, -128, 127, once, zero_point_first=bool(first)
    )
    wanted = reference.requantize(reference.add(one, other, multipliers, bias), given)
    rows: Rows = {
        "kind": vectors.ADD_EXACT,
        "first": one.reshape(-1),
        "second": other.reshape(-1),
        "first_multiplier": multipliers[0],
        "second_multiplier": multipliers[1],
        "first_shift": int(shift[0]),
        "bias": bias,
        **limits(given),
    }
    return Elements((rows,), one.size), wanted.reshape(-1)


def add_rounded(random: Random, mode: str, first: int, pixels: int) -> Operation:
    """TensorFlow Lite's addition: rounded terms, whose sum is scaled once more."""
    one, other = codes(random, pixels), codes(random, pixels)
    multipliers = int(random.integers(2**30, 2**31)), int(random.integers(2**30, 2**31))
    zeros = int(random.integers(-40, 40)), int(random.integers(-40, 40))
    terms = TermRounding(zeros, (31, int(random.integers(31, 36))), 20)
    bias = int(random.integers(-1000, 1000))
    sums = reference.add_rounded(one, other, multipliers, terms, bias)
    given = scaling(random, mode, first, 2**27, 1)
    rows: Rows = {
        "kind": vectors.ADD,
        "left_shift": terms.left_shift,
        "first": one.reshape(-1),
        "second": other.reshape(-1),
        "first_offset": -zeros[0],
        "second_offset": -zeros[1],
        "first_multiplier": multipliers[0],
        "second_multiplier": multipliers[1],
        "first_shift": terms.shifts[0],
        "second_shift": terms.shifts[1],
        "zero_point": bias,
    }
    wanted = reference.requantize(sums, given)
    return Elements((rows, scaled(given, one)), one.size), wanted.reshape(-1)


def multiply(random: Random, mode: str, first: int, pixels: int) -> Operation:
    """A factor for each channel: the product, then its rescaling."""
    image, factor = codes(random, pixels, 9), random.integers(-256, 256, (1, 1, CHANNELS))
    biases = int(random.integers(-50, 50)), int(random.integers(-50, 50))
    given = scaling(random, mode, first, 2**16, 1)
    product = reference.multiply(image, factor, biases)
    rows: Rows = {
        "kind": vectors.MULTIPLY,
        "first": image.reshape(-1),
        "second": along(factor, image),
        "first_offset": biases[0],
        "second_offset": biases[1],
    }
    wanted = reference.requantize(product, given)
    return Elements((rows, scaled(given, image)), image.size), wanted.reshape(-1)


def prelu(random: Random, mode: str, first: int, pixels: int) -> Operation:
    """The slope of a sum below zero, then one rescaling or the other."""
    image, bias = codes(random, pixels, 10), int(random.integers(-100, 100))
    slope = random.integers(-(2**15), 2**15, CHANNELS)
    positive, negative = (
        scaling(random, mode, first, largest, CHANNELS) for largest in (512, 2**24)
    )
    negative = Requantization(
        negative.multiplier,
        negative.shift,
        positive.zero_point,
        positive.low,
        positive.high,
        mode,
        zero_point_first=bool(first),
    )
    rows: Rows = {
        "kind": vectors.SLOPE,
        "first": image.reshape(-1),
        "second": along(slope, image),
        "first_offset": bias,
    }
    rescaling: Rows = {
        **scaled(positive, image),
        "second_multiplier": along(negative.multiplier, image),
        "second_shift": along(negative.shift, image),
    }
    wanted = reference.parametric_relu(image, bias, slope, positive, negative)
    return Elements((rows, rescaling), image.size), wanted.reshape(-1)


def look_up(random: Random, mode: str, first: int, pixels: int) -> Operation:
    """A table of a row for each of two channels, in lanes that have one."""
    low = -CODES // 2
    table = random.integers(-(2**15), 2**15, (TABLE_ROWS, CODES))
    image = random.integers(low, -low, (1, pixels, TABLE_ROWS))
    rows: Rows = {
        "kind": vectors.LOOK_UP,
        "first": image.reshape(-1),
        "first_offset": -low,
        "second": along(CODES * np.arange(TABLE_ROWS), image),
        **EXACT,
        "second_multiplier": 1,
    }
    wanted = reference.lookup_table(image, table, low).reshape(-1)
    return Elements((rows,), image.size, vectors.TABLES, table.reshape(-1)), wanted


OPERATIONS: dict[str, Callable[[Random, str, int, int], Operation]] = {
    "requantize": requantize,
    "concatenate": copy,
    "add_equal_scales": add_equal_scales,
    "add": add_exact,
    "add_rounded": add_rounded,
    "multiply": multiply,
    "prelu": prelu,
    "lookup_table": look_up,
}
"""By what they compute; each from random numbers, mode, zero point first and pixels."""
