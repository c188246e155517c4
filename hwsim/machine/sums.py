"""Sums over feature maps, which are wider than codes, as the bytes they are stored in."""

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Sums = NDArray[np.int64]


def sums_of_octets(octets: Codes, size_bytes: int) -> Sums:
    """Sums from their bytes, least significant first.

    Args:
        octets: int32 [height, width, channels · size_bytes] of 0 … 255.
        size_bytes: of a sum in two's complement, at most 8.

    Returns:
        int64 [height, width, channels].
    """
    parts = octets.reshape(*octets.shape[:2], -1, size_bytes).astype(np.int64)
    sums = (parts << 8 * np.arange(size_bytes)).sum(axis=-1)
    unused_bits = 64 - 8 * size_bytes
    return np.asarray(sums << unused_bits >> unused_bits, np.int64)


def octets_of_sums(sums: Sums, size_bytes: int) -> Codes:
    """The bytes of sums, int32 [height, width, channels · size_bytes]; see `sums_of_octets`."""
    octets = sums[..., np.newaxis] >> 8 * np.arange(size_bytes) & 0xFF
    return np.ascontiguousarray(octets.reshape(*sums.shape[:2], -1), np.int32)
