"""Feature maps and weights as the bytes of a simulated memory (``docs/operators/packing.md``).

A pixel's channel vector is stored bits contiguous and little-endian: code i occupies bits
i·b … (i+1)·b - 1 of the pixel's bytes, and the pixel is padded to whole bytes.
"""

from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import _kernels_packing
from hwsim.arithmetic._jit import CODE_TYPES, Codes, Memory, StoredCodes, Wide
from hwsim.arithmetic._kernels_bounds import common_bits, extremes
from quant.common.codes import CodeKind

Addresses = tuple[int, ...]
"""Where rows of a memory start."""

LARGEST_WIDTH = {
    CodeKind.SIGNED: 32,
    CodeKind.UNSIGNED: 16,
    CodeKind.ODD: 16,
    CodeKind.TABLE: 16,
}
"""Bits of the widest code of each kind; its integers fit int32."""


@dataclass(frozen=True, slots=True)
class CodeFormat:
    """A kind of code at a width: value v is stored as ``((v + origin) >> halving) ^ flip``.

    In a table the value's position takes the place of v.

    Attributes:
        kind: what a code stands for.
        bits: its width.
        flip: bits of the stored number that are turned over.
        origin: moves the least value to 0.
        halving: 1 where every other integer has a code, else 0.
        table: the integers of a table, ascending; empty for the other kinds.
        low: the least value.
        high: the greatest value.
        byte_type: the type whose values are stored as their bytes, if there is one.
    """

    kind: CodeKind
    bits: int
    flip: int
    origin: int
    halving: int
    table: tuple[int, ...] = ()
    low: int = field(init=False)
    high: int = field(init=False)
    byte_type: type[np.integer[Any]] | None = field(init=False)

    def __post_init__(self) -> None:
        """Work out what is asked for with every row."""
        high = (((1 << self.bits) - 1) << self.halving) - self.origin
        low, high = (self.table[0], self.table[-1]) if self.table else (-self.origin, high)
        kinds = {(CodeKind.SIGNED, 8): np.int8, (CodeKind.UNSIGNED, 8): np.uint8}
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "byte_type", kinds.get((self.kind, self.bits)))


@cache
def code_format(bits: int, kind: CodeKind, table: tuple[int, ...] = ()) -> CodeFormat:
    """The format of a kind of code at a width.

    Args:
        bits: width of a code.
        kind: what a code stands for.
        table: the integers of a table, ascending; empty for the other kinds.

    Raises:
        ValueError: the width is not one of the kind's, or the table is none of that width.
    """
    if not 1 <= bits <= LARGEST_WIDTH[kind]:
        raise ValueError(
            f"{kind.name.lower()} codes: {bits} bits; expected 1 … {LARGEST_WIDTH[kind]}"
        )
    if (kind is CodeKind.TABLE) != (0 < len(table) <= 1 << bits):
        raise ValueError(
            f"{kind.name.lower()} codes of {bits} bits: a table of {len(table)} integers; expected "
            + (f"1 … {1 << bits}" if kind is CodeKind.TABLE else "none")
        )
    fenced = (-(2**31) - 1, *table, 2**31)
    if any(least >= greater for least, greater in pairwise(fenced)):
        raise ValueError("table codes: the integers of the table must ascend and have 32 bits")
    sign = 2 ** (bits - 1)
    flip, origin, halving = {
        CodeKind.SIGNED: (sign, sign, 0),
        CodeKind.UNSIGNED: (0, 0, 0),
        CodeKind.ODD: (0, 2**bits - 1, 1),
        CodeKind.TABLE: (0, 0, 0),
    }[kind]
    return CodeFormat(kind, bits, flip, origin, halving, table)


def pixel_bytes(channels: int, bits: int) -> int:
    """Bytes of a pixel's channel vector."""
    return -(-channels * bits // 8)


def pack_rows(
    values: StoredCodes,
    memory: Memory,
    row_addresses: Addresses,
    pixel_bytes: int,
    first_channel: int,
    code: CodeFormat,
) -> None:
    """Write some channels of consecutive pixels, row by row; every other byte keeps its value.

    The written channels start on a byte, and end on one unless they are the pixel's last: the bits
    between them and the end of the pixel are written as 0.

    Args:
        values: [rows, columns, channels] of a type of `CODE_TYPES`.
        memory: uint8 [N], changed in place.
        row_addresses: where each row's first pixel starts.
        pixel_bytes: bytes of the whole pixel, all its channels.
        first_channel: position of the first written channel in the pixel.
        code: how a value is stored.

    Raises:
        ValueError: a value has no code, the channels do not fill whole bytes, a row leaves the
            memory, or an array has another type than stated. The memory is then unchanged.
    """
    bits, values = code.bits, np.ascontiguousarray(values)
    _check_array(values, CODE_TYPES, 3, "packing: values")
    rows, columns, channels = values.shape
    first_bit, end_bit = first_channel * bits, (first_channel + channels) * bits
    if first_bit % 8 or (end_bit % 8 and end_bit // 8 != pixel_bytes - 1):
        raise ValueError(
            f"packing channels {first_channel} … {first_channel + channels - 1} of {bits} bits: "
            "they must start on a byte and end on one or with the pixel"
        )
    if end_bit > 8 * pixel_bytes:
        raise ValueError(
            f"packing channels {first_channel} … {first_channel + channels - 1} of {bits} bits: "
            f"they do not fit a pixel of {pixel_bytes} bytes"
        )
    _check_rows(memory, row_addresses, rows, columns * pixel_bytes, "packing")
    if values.size == 0:
        return
    _check_values(values, code)
    if code.table:
        values = _positions(values, code)
    if end_bit - first_bit == 8 * pixel_bytes:  # no gaps: a row is one long vector
        if values.dtype.type is code.byte_type:
            for row, address in zip(values.view(np.uint8), row_addresses, strict=True):
                memory[address : address + row.size] = row.reshape(-1)
            return
        channels *= columns
    _kernels_packing.packer(bits, code.halving)(
        values.reshape(rows, -1),
        channels,
        memory,
        _address_array(row_addresses),
        pixel_bytes,
        first_bit // 8,
        bits,
        code.flip,
        code.origin,
        code.halving,
    )


def unpack_rows(
    memory: Memory,
    row_addresses: Addresses,
    columns: int,
    channels: int,
    code: CodeFormat,
    out: StoredCodes,
    first_column: int,
) -> None:
    """Read consecutive whole pixels, row by row, into the middle of an image.

    Args:
        memory: uint8 [N].
        row_addresses: where each row's first pixel starts.
        columns: pixels to read of each row.
        channels: of a pixel.
        code: how a value is stored.
        out: [rows, width, channels] of a type of `CODE_TYPES` that holds every value of the
            format, C-contiguous; columns ``first_column`` … ``first_column + columns - 1`` are
            written, the others keep their values.
        first_column: where the first pixel goes.

    Raises:
        ValueError: the pixels do not fit ``out``, a row leaves the memory, a code lies beyond its
            table, or an array has another type or shape than stated.
    """
    bits, stride = code.bits, pixel_bytes(channels, code.bits)
    _check_array(out, CODE_TYPES, 3, "unpacking: out")
    if not _holds(out, code):
        raise ValueError(
            f"unpacking: {out.dtype} does not hold the values {code.low} … {code.high} of "
            f"{bits}-bit {code.kind.name.lower()} codes"
        )
    if out.shape[2] != channels:
        raise ValueError(f"unpacking: {channels} channels do not fit the {out.shape[2]} of out")
    if not 0 <= first_column <= first_column + columns <= out.shape[1]:
        raise ValueError(
            f"unpacking: columns {first_column} … {first_column + columns - 1} do not fit the "
            f"{out.shape[1]} of out"
        )
    rows = out.shape[0]
    _check_rows(memory, row_addresses, rows, columns * stride, "unpacking")
    if rows * columns * channels == 0:
        return
    if out.dtype.type is code.byte_type:
        octets = out.view(np.uint8)[:, first_column : first_column + columns]
        for row, address in zip(octets, row_addresses, strict=True):
            row.reshape(-1)[:] = memory[address : address + row.size]
        return
    values, first_value = out.reshape(rows, -1), first_column * channels
    if code.table:  # whose positions need not fit the type of its integers
        values, first_value = np.empty((rows, columns * channels), np.int32), 0
    pixels, vector = columns, channels
    if channels * bits == 8 * stride:  # no gaps: a row is one long vector
        pixels, vector = 1, columns * channels
    _kernels_packing.unpacker(bits)(
        memory,
        _address_array(row_addresses),
        stride,
        pixels,
        vector,
        bits,
        code.flip,
        code.origin,
        code.halving,
        values,
        first_value,
    )
    if code.table:
        integers = _at_positions(values, code).reshape(rows, columns, channels)
        out[:, first_column : first_column + columns] = integers


def pack_vector(values: Codes, code: CodeFormat) -> Memory:
    """Codes bit after bit, as weights are stored.

    Args:
        values: int32 [n].
        code: how a value is stored.

    Returns:
        uint8 [⌈n·bits / 8⌉], the last bits 0.

    Raises:
        ValueError: a value has no code, or the array is not int32.
    """
    memory = np.empty(pixel_bytes(len(values), code.bits), np.uint8)
    pack_rows(values.reshape(1, 1, -1), memory, _START, len(memory), 0, code)
    return memory


def unpack_vector(memory: Memory, count: int, code: CodeFormat) -> Codes:
    """The first ``count`` codes stored bit after bit, int32 [count].

    Raises:
        ValueError: the memory holds fewer, or a code lies beyond its table.
    """
    values = np.empty((1, 1, count), np.int32)
    unpack_rows(memory, _START, 1, count, code, values, 0)
    return values.reshape(count)


_START = (0,)


def _positions(values: StoredCodes, code: CodeFormat) -> Codes:
    """Where values between the extremes of a table stand in it."""
    table = np.array(code.table, np.int32)
    positions = np.searchsorted(table, values).astype(np.int32)
    if (table[positions] != values).any():
        raise ValueError(f"packing: a value is none of the {len(table)} integers of its table")
    return positions


def _at_positions(positions: StoredCodes, code: CodeFormat) -> Codes:
    """The integers that stand at positions of a table."""
    if positions.max() >= len(code.table):
        raise ValueError(
            f"unpacking: code {positions.max()} lies beyond its table of {len(code.table)} integers"
        )
    return np.array(code.table, np.int32)[positions]


_LIMITS: dict[type, tuple[int, int]] = {
    kind: (int(np.iinfo(kind).min), int(np.iinfo(kind).max)) for kind in CODE_TYPES
}


def _holds(array: StoredCodes, code: CodeFormat) -> bool:
    """Whether every value of a format fits the array's type."""
    least, greatest = _LIMITS[array.dtype.type]
    return least <= code.low and code.high <= greatest


def _check_values(values: StoredCodes, code: CodeFormat) -> None:
    if (code.low, code.high) == _LIMITS[values.dtype.type]:
        return  # the type has no other values
    least, greatest = extremes(values.reshape(-1))
    if least < code.low or greatest > code.high:
        raise ValueError(
            f"packing: values {least} … {greatest} do not fit {code.bits}-bit "
            f"{code.kind.name.lower()} codes, {code.low} … {code.high}"
        )
    if code.kind is CodeKind.ODD and not common_bits(values.reshape(-1)) & 1:
        raise ValueError("packing: an even value has no odd code")


def _check_rows(
    memory: Memory, row_addresses: Addresses, rows: int, row_bytes: int, what: str
) -> None:
    _check_array(memory, (np.uint8,), 1, f"{what}: memory")
    if len(row_addresses) != rows:
        raise ValueError(f"{what}: {rows} rows need as many addresses, got {len(row_addresses)}")
    if rows and not 0 <= min(row_addresses) <= max(row_addresses) <= len(memory) - row_bytes:
        raise ValueError(
            f"{what}: rows of {row_bytes} bytes at {min(row_addresses)} … {max(row_addresses)} "
            f"leave the memory of {len(memory)} bytes"
        )


@lru_cache(maxsize=4096)  # rings have few slots, and are asked for the same ones again and again
def _address_array(row_addresses: Addresses) -> Wide:
    """Addresses for the kernels; not to be changed."""
    return np.array(row_addresses, np.int64)


def _check_array(
    array: NDArray[Any], elements: tuple[type, ...], dimensions: int, what: str
) -> None:
    # A dtype compared with a type makes a dtype of that first: this is asked for every row.
    right_type = array.dtype.type in elements and array.dtype.isnative
    if not right_type or array.ndim != dimensions or not array.flags.c_contiguous:
        *others, last = (element.__name__ for element in elements)
        types = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(
            f"{what}: expected a contiguous {dimensions}-dimensional array of {types}, "
            f"got {array.dtype} {list(array.shape)}"
        )
