"""Addition of feature maps in float32, as ONNX Runtime does it, fast and bit for bit."""

import numpy as np

from hwsim.arithmetic import _kernels_fused_addition
from hwsim.arithmetic._feature_maps import in_bands, narrowest_type
from hwsim.arithmetic._jit import CODE_TYPES, StoredCodes
from hwsim.arithmetic._kernels_requantization import LARGEST_FLOAT_CODE
from quant.common.requantization import FusedTerms
from quant.common.requantization_modes import FLOAT32_MAGNITUDE, LARGEST_RATIO


def add_fused(
    first: StoredCodes,
    second: StoredCodes,
    ratios: tuple[int, int],
    terms: FusedTerms,
    low: int,
    high: int,
) -> StoredCodes:
    """Add two feature maps in float32 and round to codes (``docs/operators/add.md``).

    Args:
        first: [..., C] of a type of `CODE_TYPES`, codes of at most 24 bits.
        second: of such a type, the same shape.
        ratios: bit patterns of float32, 0 to 2^32.
        terms: what is added, at most 2^32 in magnitude.
        low: least code.
        high: greatest code.

    Returns:
        The operands' shape, of the narrowest type that holds low … high.

    Raises:
        ValueError: the maps differ in shape or have another type, or a number is out of range.
    """
    is_known = first.dtype in CODE_TYPES and second.dtype in CODE_TYPES
    if first.shape != second.shape or not is_known:
        raise ValueError(
            f"addition: {first.dtype} {list(first.shape)} and {second.dtype} {list(second.shape)}; "
            "expected integers of up to 32 bits, of one shape"
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
    one, other, addend = np.array([*ratios, terms.addend], np.int32).view(np.float32)
    out = np.empty(first.shape, narrowest_type(low, high))
    codes, others, result = (np.ascontiguousarray(m).reshape(-1) for m in (first, second, out))
    in_bands(
        len(result),
        result.shape,
        lambda begin, end: _kernels_fused_addition.add_fused(
            codes[begin:end],
            others[begin:end],
            (one, other),
            addend,
            np.float32(low),
            np.float32(high),
            result[begin:end],
        ),
    )
    return out
