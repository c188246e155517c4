"""How every kernel of this package is compiled, and the array types they exchange."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Wide = NDArray[np.int64]
Memory = NDArray[np.uint8]

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a module-level function on its first call and keep the machine code on disk.

    Numba renews the stored code when the function's own file changes, not when another does, so a
    kernel and the functions it calls live in one file.
    """
    compiler = njit(cache=True, nogil=True, error_model="numpy")
    return cast(Function, compiler(function))
