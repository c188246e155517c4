"""Addition in float32 with fused products, on machines with or without that instruction."""

import numpy as np

from hwsim.arithmetic._jit import Codes, kernel


@kernel
def _fused(code: int, ratio: np.float64, addend: np.float64) -> np.float64:
    """Code · ratio + addend rounded once to float32; see `quant.common.float32`."""
    product = np.float64(code) * ratio
    total = product + addend
    back = total - product
    error = (product - (total - back)) + (addend - back)
    bits = np.float64(total).view(np.int64)
    if error != 0 and bits & 1 == 0:  # round to odd: the neighbour on the error's side
        bits += 1 if (error > 0) == (total > 0) else -1
        total = np.int64(bits).view(np.float64)
    return np.float64(np.float32(total))


@kernel
def add_fused(
    first: Codes,
    second: Codes,
    first_ratio: np.float64,
    second_ratio: np.float64,
    addend: np.float64,
    low: int,
    high: int,
    out: Codes,
) -> None:
    """All feature maps are vectors of one length."""
    least, greatest = np.float64(low), np.float64(high)
    for index in range(out.size):
        partial = _fused(second[index], second_ratio, addend)
        total = _fused(first[index], first_ratio, partial)
        out[index] = np.int32(np.rint(min(max(total, least), greatest)))
