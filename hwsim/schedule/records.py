"""Records of integers as DRAM and SRAM hold them: one per channel, fields little-endian."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


def pack_records(fields: Sequence[Integers], sizes: Sequence[int], channels: int) -> Octets:
    """One record per channel, one field behind the other, in two's complement.

    Args:
        fields: int64 [channels] or [1] each.
        sizes: bytes of each field, 1 to 8.
        channels: records.

    Returns:
        uint8 [channels, sum of sizes].
    """
    return np.concatenate(
        [
            _little_endian(np.broadcast_to(field, channels), size)
            for field, size in zip(fields, sizes, strict=True)
        ],
        axis=1,
    )


def unpack_records(octets: Octets, sizes: Sequence[int]) -> list[Integers]:
    """The fields of all records that some bytes hold, int64 [channels] each."""
    table = octets.reshape(-1, sum(sizes))
    ends = np.cumsum(sizes)
    return [_integers(table[:, end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def _little_endian(values: Integers, size_bytes: int) -> Octets:
    octets = np.ascontiguousarray(values, dtype="<i8").view(np.uint8).reshape(-1, 8)
    return octets[:, :size_bytes]


def _integers(octets: Octets) -> Integers:
    """Two's complement integers of any number of bytes up to eight."""
    wide = np.zeros((len(octets), 8), np.uint8)
    wide[:, : octets.shape[1]] = octets
    unused_bits = 64 - 8 * octets.shape[1]
    values = wide.view(np.dtype("<i8"))[:, 0] << unused_bits
    return np.asarray(values >> unused_bits, np.int64)
