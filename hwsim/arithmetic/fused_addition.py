"""Addition of feature maps in float32, as ONNX Runtime does it, fast and bit for bit."""

import numpy as np

from hwsim.arithmetic import _kernels_fused_addition
from hwsim.arithmetic._jit import Codes
from hwsim.arithmetic._kernels_requantization import LARGEST_FLOAT_CODE
from quant.common.requantization import FusedTerms
from quant.common.requantization_modes import FLOAT32_MAGNITUDE, LARGEST_RATIO


def add_fused(
    first: Codes, second: Codes, ratios: tuple[int, int], terms: FusedTerms, low: int, high: int
) -> Codes:
    """Add two feature maps in float32 and round to codes (``docs/operators/add.md``).

    Args:
        first: int32 [..., C], of at most 24 bits.
        second: int32, the same shape.
        ratios: bit patterns of float32, 0 to 2^32.
        terms: what is added, at most 2^32 in magnitude.
        low: least code.
        high: greatest code.

    Returns:
        int32 of the operands' shape.

    Raises:
        ValueError: the maps differ in shape or are not int32, or a number is out of range.
    """
    if first.shape != second.shape or {first.dtype, second.dtype} != {np.dtype(np.int32)}:
        raise ValueError(
            f"addition: {first.dtype} {list(first.shape)} and {second.dtype} {list(second.shape)}; "
            "expected int32 of one shape"
        )
    patterns = (*ratios, terms.addend & FLOAT32_MAGNITUDE)
    if min(patterns) < 0 or max(patterns) > LARGEST_RATIO:
        raise ValueError(
            f"addition: the bit patterns {ratios} and {terms.addend}; expected float32 ratios of "
            "0 to 2^32 and an addend of at most that magnitude"
        )
    if not -LARGEST_FLOAT_CODE <= low <= high <= LARGEST_FLOAT_CODE:
        raise ValueError(
            f"addition: the clamp {low} … {high} must be an interval within ±{LARGEST_FLOAT_CODE}"
        )
    factors = np.array([*ratios, terms.addend], np.int32).view(np.float32).astype(np.float64)
    out = np.empty(first.shape, np.int32)
    _kernels_fused_addition.add_fused(
        np.ascontiguousarray(first).reshape(-1),
        np.ascontiguousarray(second).reshape(-1),
        factors[0],
        factors[1],
        factors[2],
        low,
        high,
        out.reshape(-1),
    )
    return out
