"""Codes of any width to and from the bytes of a memory, bits contiguous and little-endian.

A value is stored as ``((value + origin) >> halving) ^ flip``; `hwsim.arithmetic.packing` chooses
the three numbers for each kind of code.

`packer` and `unpacker` compile kernels for single widths: with the width known, a group of codes
that fills whole bytes takes a few shifts without branches, and no group waits for another.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from hwsim.arithmetic._jit import Memory, StoredCodes, Wide, kernel


@kernel
def _pack_bits(
    values: StoredCodes, target: Memory, bits: int, flip: int, origin: int, halving: int
) -> None:
    """Codes bit after bit; what is left of the last byte becomes 0."""
    waiting = np.uint64(0)
    filled = 0
    byte = 0
    for index in range(values.size):
        code = ((np.int64(values[index]) + origin) >> halving) ^ flip
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
def _unpack_bits(
    source: Memory, values: StoredCodes, bits: int, flip: int, origin: int, halving: int
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


_GROUPS = {1: (8, 1), 2: (4, 1), 4: (2, 1), 8: (1, 1), 12: (2, 3), 16: (1, 2)}
"""Codes and bytes of a group, for the widths that have kernels of their own."""

_NO_GROUPS = (1, 0)


def packer(bits: int, halving: int) -> Callable[..., None]:
    """The kernel that writes codes of a width."""
    return _packer(bits, halving) if bits in _GROUPS else _packer(0, 0)


def unpacker(bits: int) -> Callable[..., None]:
    """The kernel that reads codes of a width."""
    return _unpacker(bits if bits in _GROUPS else 0)


# What the kernels below take from around them are numbers only: of such the cache on disk knows
# which machine code is whose. Unsigned positions spare every access the question whether they
# count from the end.


@cache
def _packer(group_bits: int, group_halving: int) -> Callable[..., None]:
    """The kernel of a width that has groups; of all others for 0."""
    group_codes, group_bytes = _GROUPS.get(group_bits, _NO_GROUPS)
    codes, octets = np.uint64(group_codes), np.uint64(group_bytes)
    width, mask = np.uint64(group_bits), np.uint32((1 << group_bits) - 1)

    @kernel
    def pack(
        values: StoredCodes,
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
        groups = channels // group_codes if group_bytes else 0
        for row in range(rows):
            for column in range(row_values // channels):
                vector = values[row, column * channels : (column + 1) * channels]
                target = memory[row_addresses[row] + column * pixel_bytes + first_byte :]
                for group in range(np.uint64(groups)):
                    word = np.uint64(0)
                    for index in range(codes):
                        code = np.int32(vector[group * codes + index])
                        if group_halving:  # otherwise a code is its value's low bits
                            code = np.int32(code + np.int32(origin)) >> 1
                        word |= np.uint64(np.uint32(code) & mask) << (index * width)
                    for octet in range(octets):
                        target[group * octets + octet] = word >> (np.uint64(8) * octet)
                rest, end = vector[groups * group_codes :], target[groups * group_bytes :]
                _pack_bits(rest, end, bits, flip, origin, halving)

    return pack


@cache
def _unpacker(group_bits: int) -> Callable[..., None]:
    """The kernel of a width that has groups; of all others for 0."""
    group_codes, group_bytes = _GROUPS.get(group_bits, _NO_GROUPS)
    codes, octets = np.uint64(group_codes), np.uint64(group_bytes)
    width, mask = np.uint64(group_bits), np.uint64((1 << group_bits) - 1)

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
        values: StoredCodes,
        first_value: int,
    ) -> None:
        """Read whole pixels into each row of ``values``, from ``first_value`` on."""
        groups = channels // group_codes if group_bytes else 0
        for row in range(values.shape[0]):
            for column in range(columns):
                first = first_value + column * channels
                vector = values[row, first : first + channels]
                source = memory[row_addresses[row] + column * pixel_bytes :]
                for group in range(np.uint64(groups)):
                    word = np.uint64(0)
                    for octet in range(octets):
                        word |= np.uint64(source[group * octets + octet]) << (np.uint64(8) * octet)
                    for index in range(codes):
                        code = np.int32((word >> (index * width)) & mask) ^ np.int32(flip)
                        vector[group * codes + index] = (code << halving) - np.int32(origin)
                rest, end = vector[groups * group_codes :], source[groups * group_bytes :]
                _unpack_bits(end, rest, bits, flip, origin, halving)

    return unpack
