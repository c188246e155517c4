"""Addition in float32 with fused products, on machines with or without that instruction."""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from hwsim.arithmetic._instruction_sets import target_features
from hwsim.arithmetic._jit import StoredCodes, kernel


@kernel
def emulated_fma(code: np.float32, ratio: np.float32, addend: np.float32) -> np.float32:
    """Code · ratio + addend rounded once to float32; see `quant.common.float32`."""
    product = np.float64(code) * np.float64(ratio)
    total = product + np.float64(addend)
    back = total - product
    error = (product - (total - back)) + (np.float64(addend) - back)
    bits = np.float64(total).view(np.int64)
    if error != 0 and bits & 1 == 0:  # round to odd: the neighbour on the error's side
        bits += 1 if (error > 0) == (total > 0) else -1
        total = np.int64(bits).view(np.float64)
    return np.float32(total)


def _fma(_context: Any, code: Any, ratio: Any, addend: Any) -> Any:
    """For kernels: the same by the processor's instruction."""
    signature = types.float32(types.float32, types.float32, types.float32)

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return signature, generate


native_fma: Callable[..., np.float32] = intrinsic(_fma)

# Without the instruction LLVM would call a function of the C library for each code.
fma = native_fma if "fma" in target_features() else emulated_fma


@kernel
def add_fused(
    first: StoredCodes,
    second: StoredCodes,
    ratios: tuple[np.float32, np.float32],
    addend: np.float32,
    low: np.float32,
    high: np.float32,
    out: StoredCodes,
) -> None:
    """All feature maps are vectors of one length."""
    for index in range(out.size):
        partial = fma(np.float32(second[index]), ratios[1], addend)
        total = fma(np.float32(first[index]), ratios[0], partial)
        out[index] = np.int32(np.rint(min(max(total, low), high)))
