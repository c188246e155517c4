"""PNG files made by hand, for kinds of pixels that no library at hand writes."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6  # colour types of the PNG specification


def png_without_pixels(width: int, height: int) -> bytes:
    """An RGB PNG that promises a size and holds no data."""
    return _png(width, height, 8, RGB, b"")


def png_16_bits(samples: NDArray[np.int64], colour_type: int) -> bytes:
    """A 16-bit PNG of height x width x channels samples in 0..65535."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return _png(width, height, 16, colour_type, zlib.compress(rows))


def _png(width: int, height: int, bits: int, colour_type: int, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
