"""Packing against a bit-by-bit model of a memory, round trips, and what is refused."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.arithmetic._jit import CODE_TYPES
from hwsim.arithmetic._packing_emitter import LANES, WIDTHS
from hwsim.arithmetic.packing import (
    CodeFormat,
    code_format,
    pack_rows,
    pack_vector,
    pixel_bytes,
    unpack_rows,
    unpack_vector,
)
from quant.common.codes import CodeKind
from tests.unit.arithmetic.strategies import code_arrays, formats, generators, table_formats

SIGNED, UNSIGNED, ODD = CodeKind.SIGNED, CodeKind.UNSIGNED, CodeKind.ODD
TABLE = CodeKind.TABLE
SIGNED_4, ODD_4 = code_format(4, SIGNED), code_format(4, ODD)
LEVELS = code_format(4, TABLE, (-70_000, 0, 3))


def _stored_code(value: int, code: CodeFormat) -> int:
    """The b-bit number that stands for a value, from the kinds' definitions."""
    match code.kind:
        case CodeKind.SIGNED:
            return value % 2**code.bits
        case CodeKind.UNSIGNED:
            return value
        case CodeKind.ODD:
            return (value + 2**code.bits - 1) // 2
        case CodeKind.TABLE:
            return code.table.index(value)


def _vector_bytes(values: list[int], code: CodeFormat) -> bytes:
    """The bytes of a vector: one large number with code i shifted by i widths."""
    number = sum(_stored_code(value, code) << i * code.bits for i, value in enumerate(values))
    return number.to_bytes((len(values) * code.bits + 7) // 8, "little")


wide_signed = st.builds(code_format, st.integers(17, 32), st.just(SIGNED))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), code=formats() | table_formats() | wide_signed, count=st.integers(0, 40))
def test_vectors_are_the_bytes_of_the_model_and_come_back(
    data: st.DataObject, code: CodeFormat, count: int
) -> None:
    values = data.draw(code_arrays(code, (count,)))
    memory = pack_vector(values, code)
    assert memory.tobytes() == _vector_bytes(values.tolist(), code)
    assert (unpack_vector(memory, count, code) == values).all()


@pytest.mark.parametrize("kind", CodeKind)
@pytest.mark.parametrize("bits", [1, 2, 3, 8, 16])
def test_every_code_has_its_integer(kind: CodeKind, bits: int) -> None:
    table = tuple(range(-100, 3 * 2**bits - 100, 3)) if kind is TABLE else ()
    code = code_format(bits, kind, table)
    step = {ODD: 2, TABLE: 3}.get(kind, 1)
    values = np.arange(code.low, code.high + 1, step, dtype=np.int32)
    assert len(values) == 2**bits
    memory = pack_vector(values, code)
    assert (unpack_vector(memory, len(values), code) == values).all()


@pytest.mark.parametrize(
    ("bits", "kind", "table", "message"),
    [
        (0, SIGNED, (), r"signed codes: 0 bits; expected 1 … 32"),
        (33, SIGNED, (), r"signed codes: 33 bits; expected 1 … 32"),
        (17, ODD, (), r"odd codes: 17 bits; expected 1 … 16"),
        (17, TABLE, (0,), r"table codes: 17 bits; expected 1 … 16"),
        (2, TABLE, (), r"table codes of 2 bits: a table of 0 integers; expected 1 … 4"),
        (1, TABLE, (1, 2, 3), r"table codes of 1 bits: a table of 3 integers; expected 1 … 2"),
        (2, SIGNED, (1, 2), r"signed codes of 2 bits: a table of 2 integers; expected none"),
        (2, TABLE, (1, 1), r"the integers of the table must ascend"),
        (2, TABLE, (2**31,), r"must ascend and have 32 bits"),
    ],
)
def test_what_is_no_format(bits: int, kind: CodeKind, table: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        code_format(bits, kind, table)


@st.composite
def row_placements(draw: st.DrawFn) -> tuple[CodeFormat, tuple[int, int, int], int, Any]:
    """A format, [rows, columns, channels of the pixel], memory size and disjoint addresses."""
    code = draw(formats() | table_formats())
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 20))
    row_bytes = shape[1] * pixel_bytes(shape[2], code.bits)
    gaps = [draw(st.integers(0, 9)) for _ in range(shape[0])]
    ends = np.cumsum([gap + row_bytes for gap in gaps])
    addresses = draw(st.permutations((ends - row_bytes).tolist()))
    return code, shape, int(ends[-1]) + draw(st.integers(0, 5)), tuple(addresses)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), placement=row_placements(), generator=generators)
def test_rows_change_exactly_their_own_bytes_and_come_back(
    data: st.DataObject, placement: Any, generator: np.random.Generator
) -> None:
    code, (rows, columns, channels), size, addresses = placement
    stride = pixel_bytes(channels, code.bits)
    memory = generator.integers(0, 256, size, np.uint8)
    expected = bytearray(memory.tobytes())
    values = data.draw(code_arrays(code, (rows, columns, channels)))
    starts = [c for c in range(channels) if c * code.bits % 8 == 0]
    cuts = sorted({0, channels, *data.draw(st.lists(st.sampled_from(starts)))})
    for first, end in pairwise(cuts):
        for row, column in np.ndindex(rows, columns):
            octets = _vector_bytes(values[row, column, first:end].tolist(), code)
            start = addresses[row] + column * stride + first * code.bits // 8
            expected[start : start + len(octets)] = octets
        pack_rows(values[:, :, first:end], memory, addresses, stride, first, code)
        assert memory.tobytes() == bytes(expected)

    left, right = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    out = np.full((rows, left + columns + right, channels), 77_777, np.int32)
    unpack_rows(memory, addresses, columns, channels, code, out, left)
    assert (out[:, left : left + columns] == values).all()
    assert (out[:, :left] == 77_777).all()
    assert (out[:, left + columns :] == 77_777).all()


@pytest.mark.parametrize(
    ("kind", "bits", "element"),
    [
        (UNSIGNED, 8, np.uint8),
        (SIGNED, 8, np.int8),
        (SIGNED, 8, np.int16),
        (SIGNED, 4, np.int8),
        (SIGNED, 5, np.int8),
        (UNSIGNED, 12, np.uint16),
        (SIGNED, 12, np.int16),
        (ODD, 12, np.int16),
        (SIGNED, 16, np.int16),
    ],
)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_narrow_types_hold_the_same_codes(
    data: st.DataObject, kind: CodeKind, bits: int, element: type
) -> None:
    code, rows = code_format(bits, kind), 2
    columns, channels = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 20))
    values = data.draw(code_arrays(code, (rows, columns, channels)))
    stride = pixel_bytes(channels, bits)
    memory = np.zeros(rows * columns * stride, np.uint8)
    addresses = columns * stride, 0
    pack_rows(values.astype(element), memory, addresses, stride, 0, code)
    pixels = values[::-1].reshape(-1, channels).tolist()
    assert memory.tobytes() == b"".join(_vector_bytes(pixel, code) for pixel in pixels)

    out = np.full((rows, columns + 2, channels), 99, element)
    unpack_rows(memory, addresses, columns, channels, code, out, 1)
    assert (out[:, 1:-1] == values).all()
    assert (out[:, [0, -1]] == 99).all()


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("kind", [SIGNED, UNSIGNED, ODD])
@pytest.mark.parametrize("columns", [1, 3])
def test_vectors_longer_than_registers(kind: CodeKind, bits: int, columns: int) -> None:
    """In every type that holds the codes; pixels of three registers and a few codes more."""
    code, channels = code_format(bits, kind), 3 * LANES + 7
    random = np.random.default_rng(bits)
    stored = random.integers(0, 2**bits, (2, columns, channels))
    values = (stored << code.halving) + code.low
    stride = pixel_bytes(channels, bits)
    octets = b"".join(_vector_bytes(pixel, code) for pixel in values.reshape(-1, channels).tolist())
    for element in CODE_TYPES:
        if not np.iinfo(element).min <= code.low <= code.high <= np.iinfo(element).max:
            continue
        memory = np.full(2 * columns * stride + 9, 0xAA, np.uint8)
        addresses = 5, 5 + columns * stride
        pack_rows(values.astype(element), memory, addresses, stride, 0, code)
        assert memory[5:-4].tobytes() == octets
        assert (memory[[*range(5), *range(-4, 0)]] == 0xAA).all()
        out = np.full((2, columns, channels), 1, element)
        unpack_rows(memory, addresses, columns, channels, code, out, 0)
        assert (out == values).all()


def test_positions_of_a_table_need_not_fit_the_type_of_its_integers() -> None:
    code = code_format(8, TABLE, tuple(range(-100, 100)))
    values = np.arange(-100, 100, dtype=np.int8).reshape(1, 1, -1)
    memory, start = np.zeros(200, np.uint8), (0,)
    pack_rows(values, memory, start, 200, 0, code)
    assert (memory == np.arange(200)).all()
    out = np.zeros_like(values)
    unpack_rows(memory, start, 1, 200, code, out, 0)
    assert (out == values).all()


VALUES = np.zeros((2, 3, 4), np.int32)
PACKING: dict[str, Any] = {
    "values": VALUES,
    "memory": np.full(64, 0xAA, np.uint8),
    "row_addresses": (0, 32),
    "pixel_bytes": 2,
    "first_channel": 0,
    "code": SIGNED_4,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": VALUES + 8}, r"values 8 … 8 do not fit 4-bit signed codes, -8 … 7"),
        ({"values": VALUES - 9}, r"values -9 … -9 do not fit 4-bit signed codes, -8 … 7"),
        ({"values": VALUES - 1, "code": code_format(4, UNSIGNED)}, r"4-bit unsigned codes, 0 … 15"),
        (
            {"values": VALUES + 16, "code": code_format(4, UNSIGNED)},
            r"4-bit unsigned codes, 0 … 15",
        ),
        ({"values": VALUES + 17, "code": ODD_4}, r"4-bit odd codes, -15 … 15"),
        ({"code": ODD_4}, r"packing: an even value has no odd code"),
        ({"values": VALUES + 4, "code": LEVELS}, r"4 … 4 do not fit 4-bit table codes, -70000 … 3"),
        (
            {
                "values": VALUES.astype(np.int8) - 1,
                "code": code_format(8, UNSIGNED),
                "pixel_bytes": 4,
            },
            r"values -1 … -1 do not fit 8-bit unsigned codes, 0 … 255",
        ),
        (
            {"values": VALUES.astype(np.int8), "code": code_format(2, ODD), "pixel_bytes": 1},
            r"packing: an even value has no odd code",
        ),
        ({"values": VALUES + 2, "code": LEVELS}, r"a value is none of the 3 integers of its table"),
        (
            {"values": VALUES.astype(np.int64)},
            r"int8, uint8, int16, uint16 or int32, got int64 \[2, 3, 4\]",
        ),
        ({"values": VALUES[0]}, r"3-dimensional array of int8, .*, got int32 \[3, 4\]"),
        ({"first_channel": 1}, r"channels 1 … 4 of 4 bits: they must start on a byte"),
        ({"values": VALUES[:, :, :1]}, r"channels 0 … 0 of 4 bits: they must start on a byte"),
        ({"pixel_bytes": 1}, r"channels 0 … 3 of 4 bits: they do not fit a pixel of 1 bytes"),
        ({"row_addresses": (0,)}, r"2 rows need as many addresses, got 1"),
        ({"row_addresses": (0, 59)}, r"rows of 6 bytes at 0 … 59 leave the memory of 64"),
        ({"row_addresses": (-1, 32)}, r"rows of 6 bytes at -1 … 32 leave the memory"),
        ({"memory": np.zeros(64, np.int8)}, r"memory: expected .* uint8, got int8"),
        ({"memory": np.zeros(128, np.uint8)[::2]}, r"memory: expected a contiguous"),
    ],
)
def test_what_cannot_be_packed_leaves_the_memory_alone(
    change: dict[str, Any], message: str
) -> None:
    arguments = PACKING | change
    before = arguments["memory"].copy()
    with pytest.raises(ValueError, match=message):
        pack_rows(**arguments)
    assert (arguments["memory"] == before).all()


UNPACKING: dict[str, Any] = {
    "memory": np.zeros(64, np.uint8),
    "row_addresses": (0, 32),
    "columns": 3,
    "channels": 4,
    "code": SIGNED_4,
    "out": np.zeros((2, 5, 4), np.int32),
    "first_column": 1,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 3}, r"3 channels do not fit the 4 of out"),
        ({"columns": 5}, r"columns 1 … 5 do not fit the 5 of out"),
        ({"first_column": -1}, r"columns -1 … 1 do not fit the 5 of out"),
        ({"out": np.zeros((2, 5, 4), np.int64)}, r"out: expected .* int32, got int64"),
        (
            {"out": np.zeros((2, 5, 4), np.uint8)},
            r"uint8 does not hold the values -8 … 7 of 4-bit signed codes",
        ),
        (
            {"out": np.zeros((2, 5, 4), np.int8), "code": code_format(8, UNSIGNED)},
            r"int8 does not hold the values 0 … 255 of 8-bit unsigned codes",
        ),
        ({"out": np.zeros((2, 5, 8), np.int32)[:, :, ::2]}, r"out: expected a contiguous"),
        ({"row_addresses": (0, 60)}, r"rows of 6 bytes at 0 … 60 leave the memory of 64"),
    ],
)
def test_what_cannot_be_unpacked(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unpack_rows(**(UNPACKING | change))


def test_a_memory_too_short_for_a_vector() -> None:
    with pytest.raises(ValueError, match="leave the memory of 2 bytes"):
        unpack_vector(np.zeros(2, np.uint8), 5, SIGNED_4)


def test_a_code_beyond_its_table() -> None:
    with pytest.raises(ValueError, match="code 3 lies beyond its table of 3 integers"):
        unpack_vector(np.array([0x32], np.uint8), 2, LEVELS)
