"""What kernels ask of feature maps, and how their rows are shared out to threads."""

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._jit import CODE_TYPES, StoredCodes
from hwsim.arithmetic._kernels_bounds import extremes
from hwsim.arithmetic._threads import BANDS_PER_THREAD, default_threads, map_bands, split_rows

Integer = TypeVar("Integer", bound=np.integer)

VALUES_PER_BAND = 100_000
"""Work worth handing to a thread: some 100 µs at about 1 ns for each value."""


def check_map(
    codes: StoredCodes, what: str, types: tuple[type[np.integer], ...] = (np.int32,)
) -> None:
    """Raise ValueError unless ``codes`` is [height, width, channels], none of them 0, of a type."""
    if codes.dtype not in types or codes.ndim != 3 or codes.size == 0:
        expected = "int32" if len(types) == 1 else "integers of up to 32 bits"
        raise ValueError(
            f"{what}: expected {expected} [height, width, channels], none of them 0, got "
            f"{codes.dtype} {list(codes.shape)}"
        )


def code_range(codes: StoredCodes) -> tuple[int, int]:
    """The least and the greatest code of a map that is not empty."""
    least, greatest = extremes(np.ascontiguousarray(codes).reshape(-1))
    return int(least), int(greatest)


def largest_code(codes: StoredCodes) -> int:
    """The largest magnitude of a code of a map that is not empty."""
    least, greatest = code_range(codes)
    return max(-least, greatest)


def pixels(codes: NDArray[Integer]) -> NDArray[Integer]:
    """A map as [pixels, channels]; the same memory if that is contiguous."""
    return np.ascontiguousarray(codes).reshape(-1, codes.shape[-1])


def in_bands(rows: int, shape: tuple[int, ...], work: Callable[[int, int], None]) -> None:
    """Run ``work(first, end)`` on bands of rows that together are all, on a few threads.

    Args:
        rows: how many there are.
        shape: of the values they hold, all together.
        work: releases the interpreter lock.
    """
    threads = default_threads()
    bands = 1 if threads == 1 else min(prod(shape) // VALUES_PER_BAND, threads * BANDS_PER_THREAD)
    if bands <= 1:
        work(0, rows)
        return

    def run(band: tuple[int, int]) -> bool:
        work(*band)
        return True

    map_bands(run, split_rows(rows, bands), threads)


@lru_cache(maxsize=256)
def narrowest_type(low: int, high: int) -> type[np.integer]:
    """The first of `CODE_TYPES` that holds codes from low to high.

    Raises:
        ValueError: none does.
    """
    for kind in CODE_TYPES:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return kind
    raise ValueError(f"codes {low} … {high} need more than 32 bits")
