"""Codes of any width to and from the bytes of a memory, bits contiguous and little-endian.

A value is stored as ``((value + origin) >> halving) ^ flip``; `hwsim.arithmetic.packing` chooses
the three numbers for each kind of code.

`packer` and `unpacker` compile kernels for single widths: with the width known, many codes at a
time are moved in vector registers (`hwsim.arithmetic._packing_emitter`), and what is left of a
vector code by code.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from hwsim.arithmetic._jit import Memory, StoredCodes, Wide, kernel
from hwsim.arithmetic._packing_emitter import LANES, WIDTHS, emitted_pack, emitted_unpack


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


def packer(bits: int, halving: int) -> Callable[..., None]:
    """The kernel that writes codes of a width."""
    return _packer(bits, halving) if bits in WIDTHS else _packer(0, 0)


def unpacker(bits: int) -> Callable[..., None]:
    """The kernel that reads codes of a width."""
    return _unpacker(bits if bits in WIDTHS else 0)


# What the kernels below take from around them are numbers only: of such the cache on disk knows
# which machine code is whose.


@cache
def _packer(width: int, halved: int) -> Callable[..., None]:
    """The kernel of a width that has one; of all others for 0."""

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
        chunks = channels // LANES if width else 0
        first, byte = chunks * LANES, chunks * LANES * width // 8
        for row in range(rows):
            for column in range(row_values // channels):
                vector = values[row, column * channels : (column + 1) * channels]
                target = memory[row_addresses[row] + column * pixel_bytes + first_byte :]
                if width:
                    emitted_pack(width, halved, vector, chunks, origin, target)
                _pack_bits(vector[first:], target[byte:], bits, flip, origin, halving)

    return pack


@cache
def _unpacker(width: int) -> Callable[..., None]:
    """The kernel of a width that has one; of all others for 0."""

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
        chunks = channels // LANES if width else 0
        first, byte = chunks * LANES, chunks * LANES * width // 8
        for row in range(values.shape[0]):
            for column in range(columns):
                start = first_value + column * channels
                vector = values[row, start : start + channels]
                source = memory[row_addresses[row] + column * pixel_bytes :]
                if width:
                    emitted_unpack(width, source, chunks, flip, origin, halving, vector)
                _unpack_bits(source[byte:], vector[first:], bits, flip, origin, halving)

    return unpack
