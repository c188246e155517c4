"""Rows of feature maps in SRAM as integers: codes in the narrowest type for them, or sums."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._feature_maps import narrowest_type
from hwsim.arithmetic.packing import pack_rows, unpack_rows
from hwsim.machine.memory import Sram
from hwsim.machine.sums import octets_of_sums, sums_of_octets
from hwsim.schedule.storage import LineBuffer, Rows, codes_per_pixel, is_sum

Integers = NDArray[Any]


def read_rows(sram: Sram, rows: Rows) -> Integers:
    """The integers of rows.

    Returns:
        [rows, columns, channels]: int64 if they are sums over a feature map, else of the narrowest
        type that holds the buffer's codes.

    Raises:
        MachineError: some byte of them was never written.
    """
    buffer = rows.buffer
    depth, kind, sum_bytes = _pixels(buffer)
    codes = np.empty((rows.count, rows.columns, depth), kind)
    unpack_rows(sram.octets, sram.check_rows(rows), rows.columns, depth, buffer.code, codes, 0)
    return sums_of_octets(codes, sum_bytes) if sum_bytes else codes


def write_rows(sram: Sram, rows: Rows, integers: Integers, first_channel: int = 0) -> None:
    """Write some channels of rows, from ``first_channel`` on.

    Args:
        sram: where the rows lie.
        rows: in it.
        integers: [rows, columns, channels], int64 if they are sums over a feature map.
        first_channel: position of the first written channel in a pixel.
    """
    buffer = rows.buffer
    _, _, sum_bytes = _pixels(buffer)
    codes = octets_of_sums(integers, sum_bytes) if sum_bytes else integers
    pack_rows(
        codes, sram.octets, sram.mark_rows(rows), buffer.pixel_bytes, first_channel, buffer.code
    )


@lru_cache(maxsize=1024)  # the buffers of a program's groups, command after command
def _pixels(buffer: LineBuffer) -> tuple[int, type[np.integer[Any]], int]:
    """Codes of a pixel, the type they are read as, and the bytes of a sum, 0 if there are none."""
    code, integer = buffer.code, buffer.integer
    depth = codes_per_pixel(buffer.channels, integer)
    sum_bytes = integer.bits // 8 if is_sum(integer) else 0
    return depth, narrowest_type(code.low, code.high), sum_bytes
