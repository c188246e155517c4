"""Codes of any width to and from the bytes of a memory, bits contiguous and little-endian.

A value is stored as ``((value + origin) >> halving) ^ flip``; `hwsim.arithmetic.packing` chooses
the three numbers for each kind of code.
"""

import numpy as np

from hwsim.arithmetic._jit import Codes, Memory, Wide, kernel


@kernel
def _pack_bytes(values: Codes, target: Memory) -> None:
    """8-bit codes, one a byte: without halving, a code is its value's low bits."""
    for index in range(values.size):
        target[index] = values[index]


@kernel
def _pack_byte_pairs(values: Codes, target: Memory) -> None:
    """16-bit codes, two bytes each, the low one first."""
    for index in range(values.size):
        value = values[index]
        target[2 * index] = value
        target[2 * index + 1] = value >> 8


@kernel
def _pack_bits(
    values: Codes, target: Memory, bits: int, flip: int, origin: int, halving: int
) -> None:
    """Codes bit after bit; what is left of the last byte becomes 0."""
    waiting = np.uint64(0)
    filled = 0
    byte = 0
    for index in range(values.size):
        code = ((values[index] + origin) >> halving) ^ flip
        waiting |= np.uint64(code) << np.uint64(filled)
        filled += bits
        while filled >= 8:
            target[byte] = waiting & np.uint64(0xFF)
            waiting >>= np.uint64(8)
            filled -= 8
            byte += 1
    if filled > 0:
        target[byte] = waiting


@kernel
def pack(
    values: Codes,
    channels: int,
    memory: Memory,
    row_addresses: Wide,
    pixel_bytes: int,
    first_byte: int,
    bits: int,
    flip: int,
    origin: int,
    halving: int,
) -> None:
    """Write ``values`` [rows, columns·channels] from byte ``first_byte`` of each pixel on."""
    rows, row_values = values.shape
    for row in range(rows):
        for column in range(row_values // channels):
            codes = values[row, column * channels : (column + 1) * channels]
            target = memory[row_addresses[row] + column * pixel_bytes + first_byte :]
            if bits == 8 and halving == 0:
                _pack_bytes(codes, target)
            elif bits == 16 and halving == 0:
                _pack_byte_pairs(codes, target)
            else:
                _pack_bits(codes, target, bits, flip, origin, halving)


@kernel
def _unpack_bytes(source: Memory, values: Codes, flip: int) -> None:
    """8-bit codes, one a byte; without halving, ``flip`` is also the origin."""
    for index in range(values.size):
        values[index] = (np.int64(source[index]) ^ flip) - flip


@kernel
def _unpack_byte_pairs(source: Memory, values: Codes, flip: int) -> None:
    """16-bit codes, two bytes each, the low one first."""
    for index in range(values.size):
        code = np.int64(source[2 * index]) | np.int64(source[2 * index + 1]) << 8
        values[index] = (code ^ flip) - flip


@kernel
def _unpack_bits(
    source: Memory, values: Codes, bits: int, flip: int, origin: int, halving: int
) -> None:
    """Codes bit after bit."""
    mask = np.uint64((1 << bits) - 1)
    waiting = np.uint64(0)
    filled = 0
    byte = 0
    for index in range(values.size):
        while filled < bits:
            waiting |= np.uint64(source[byte]) << np.uint64(filled)
            filled += 8
            byte += 1
        values[index] = ((np.int64(waiting & mask) ^ flip) << halving) - origin
        waiting >>= np.uint64(bits)
        filled -= bits


@kernel
def unpack(
    memory: Memory,
    row_addresses: Wide,
    pixel_bytes: int,
    columns: int,
    channels: int,
    bits: int,
    flip: int,
    origin: int,
    halving: int,
    values: Codes,
    first_value: int,
) -> None:
    """Read whole pixels into each row of ``values``, from ``first_value`` on."""
    for row in range(values.shape[0]):
        for column in range(columns):
            first = first_value + column * channels
            codes = values[row, first : first + channels]
            source = memory[row_addresses[row] + column * pixel_bytes :]
            if bits == 8 and halving == 0:
                _unpack_bytes(source, codes, flip)
            elif bits == 16 and halving == 0:
                _unpack_byte_pairs(source, codes, flip)
            else:
                _unpack_bits(source, codes, bits, flip, origin, halving)


@kernel
def first_row_with_zero(memory: Memory, row_addresses: Wide, row_bytes: int) -> int:
    """The first row of which some byte is 0, -1 if none is."""
    for row in range(row_addresses.size):
        common = np.uint8(1)
        for byte in memory[row_addresses[row] : row_addresses[row] + row_bytes]:
            common &= byte
        if common == 0:
            return row
    return -1
