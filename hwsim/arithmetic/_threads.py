"""Rows of an image in bands on a few threads, for kernels that release the interpreter lock.

Numba's own thread pools are not used: they spin at barriers, which starves a machine that has
other work, and neither survives a fork of the process.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import pairwise

from numba import config

BANDS_PER_THREAD = 4
"""More bands than threads, so that a thread that is held up is waited for less."""


_alone: ContextVar[bool] = ContextVar("alone", default=False)


def default_threads() -> int:
    """One within `one_thread`.

    Elsewhere ``NUMBA_NUM_THREADS`` from the environment, else the processors this process may use.
    """
    if _alone.get():
        return 1
    return int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]  # set when imported


@contextmanager
def one_thread() -> Iterator[None]:
    """Kernels that this thread calls within the block use no others: the rest have work too."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def split_rows(rows: int, bands: int) -> list[tuple[int, int]]:
    """First and end row of each band: as many as asked for, none empty, as equal as can be."""
    bands = max(1, min(bands, rows))
    edges = [rows * band // bands for band in range(bands + 1)]
    return list(pairwise(edges))


def map_bands(
    work: Callable[[tuple[int, int]], bool], bands: list[tuple[int, int]], threads: int
) -> bool:
    """Run ``work`` on each band; whether it was true of all of them.

    The calling thread begins at once and others join it as they wake up: each takes the next band
    when it is done with one.
    """
    if len(bands) == 1:
        return work(bands[0])
    remaining = iter(bands)  # one thread at a time: the interpreter lock

    def take_turns() -> bool:
        results = [work(band) for band in remaining]  # all of them, even after a False
        return all(results)

    others = min(threads, len(bands)) - 1
    futures = [_pool(others).submit(take_turns) for _ in range(others)]
    results = [take_turns()]
    # Who has not begun by now would find nothing left.
    results += [future.result() for future in futures if not future.cancel()]
    return all(results)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="hwsim-rows")


# A child process inherits the pools but not their threads.
os.register_at_fork(after_in_child=_pool.cache_clear)
