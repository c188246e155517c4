"""How every kernel of this package is compiled, and the array types they exchange."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Codes = NDArray[np.int32]
CODE_TYPES = (np.int8, np.uint8, np.int16, np.uint16, np.int32)
"""What codes travel in between kernels; widened before they are computed with."""

StoredCodes = NDArray[np.integer[Any]]
"""Codes of one of `CODE_TYPES`."""
Wide = NDArray[np.int64]
Memory = NDArray[np.uint8]

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a module-level function on its first call and keep the machine code on disk.

    Numba renews the stored code when the function's own file changes, not when that of a function
    it calls does. So the stamp by which it tells covers every file of this package.
    """
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    if hasattr(compiled, "_cache"):  # not where NUMBA_DISABLE_JIT leaves functions as they are
        compiled._cache._cache_file._source_stamp = _package_stamp()
    return cast(Function, compiled)


@cache
def _package_stamp() -> tuple[tuple[str, int, int], ...]:
    """Name, time of change in nanoseconds and size in bytes of each file of this package."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
