"""Addition, requantization and pixel shuffle of feature maps, fast.

Each equals its definition in `hwsim.arithmetic.reference` bit for bit.
"""

import numpy as np

from hwsim.arithmetic import _kernels_elementwise
from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic._requantization import (
    channel_parameters,
    check_scaling,
    check_vector,
    magnitude,
)

LARGEST_CODE = 2**31
LARGEST_PRODUCT = 2**62
"""Above it, adding the rounding term could leave 64 bits."""


def add_requantize(
    first: Codes,
    second: Codes,
    multipliers: tuple[int, int],
    bias: int,
    shift: int,
    zero_point: int,
    low: int,
    high: int,
) -> Codes:
    """Add two feature maps on different scales and requantize (``docs/operators/add.md``).

    Args:
        first: int32, any shape.
        second: int32, the same shape.
        multipliers: of the first and the second map.
        bias: added to the scaled sum.
        shift: the sum is divided by 2^shift, halves rounded up; 0 … 62.
        zero_point: added after rounding.
        low: the least code of the output.
        high: the greatest.

    Returns:
        int32 of the inputs' shape.

    Raises:
        ValueError: the maps differ in shape or are not int32, a parameter is out of range, or the
            scaled sum could leave 62 bits.
    """
    _check_codes(first, "addition")
    _check_codes(second, "addition")
    if first.shape != second.shape:
        raise ValueError(
            f"addition: the shapes {list(first.shape)} and {list(second.shape)} must be equal"
        )
    factors, shifts = np.array(multipliers, np.int64), np.array([shift], np.int64)
    check_scaling("addition", factors, shifts, zero_point, low, high)
    largest = LARGEST_CODE * (abs(multipliers[0]) + abs(multipliers[1])) + abs(bias)
    _check_product("addition", largest)
    out = np.empty(first.shape, np.int32)
    _kernels_elementwise.add_requantize(
        np.ascontiguousarray(first).reshape(-1),
        np.ascontiguousarray(second).reshape(-1),
        multipliers[0],
        multipliers[1],
        bias + ((1 << shift) >> 1),
        shift,
        zero_point,
        low,
        high,
        out.reshape(-1),
    )
    return out


def requantize_codes(
    codes: Codes,
    bias: Wide,
    multiplier: Wide,
    shift: Wide,
    zero_point: int,
    low: int,
    high: int,
) -> Codes:
    """Move, scale, round and clamp codes (``docs/operators/requantize.md``).

    Args:
        codes: int32 [..., C].
        bias: int64 [C] or [1], added before scaling.
        multiplier: int64 [C] or [1], magnitudes below 2^31.
        shift: int64 [C] or [1], 0 … 62; halves are rounded up.
        zero_point: added after rounding.
        low: the least code of the output.
        high: the greatest.

    Returns:
        int32 of the codes' shape.

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or a product could leave 62 bits.
    """
    _check_codes(codes, "requantization")
    channels = codes.shape[-1]
    for name, values in (("bias", bias), ("multiplier", multiplier), ("shift", shift)):
        check_vector(values, f"requantization {name}", (channels, 1))
    check_scaling("requantization", multiplier, shift, zero_point, low, high)
    largest = (LARGEST_CODE + magnitude(bias)) * magnitude(multiplier)
    _check_product("requantization", largest)
    out = np.empty(codes.shape, np.int32)
    _kernels_elementwise.requantize_codes(
        np.ascontiguousarray(codes).reshape(-1, channels),
        channel_parameters(bias, multiplier, shift, channels),
        zero_point,
        low,
        high,
        out.reshape(-1, channels),
    )
    return out


def pixel_shuffle(ifm: Codes, factor: int) -> Codes:
    """Move channels into space, in DCR order (``docs/operators/pixel_shuffle.md``).

    Args:
        ifm: [H, W, factor² · C], any integer type.
        factor: how much larger the image becomes in each direction.

    Returns:
        [H · factor, W · factor, C] of the same type.

    Raises:
        ValueError: factor² does not divide the channels.
    """
    height, width, depth = ifm.shape
    if factor < 1 or depth % factor**2:
        raise ValueError(
            f"pixel shuffle: {depth} channels do not divide by factor² = {factor**2}; "
            "the layer before it must produce factor² channels for each output channel"
        )
    blocks = ifm.reshape(height, width, factor, factor, depth // factor**2)
    return blocks.transpose(0, 2, 1, 3, 4).reshape(height * factor, width * factor, -1)


def _check_codes(codes: Codes, what: str) -> None:
    if codes.dtype != np.int32 or codes.ndim == 0:
        raise ValueError(f"{what}: expected int32 codes, got {codes.dtype} {list(codes.shape)}")


def _check_product(what: str, largest: int) -> None:
    if largest > LARGEST_PRODUCT:
        raise ValueError(
            f"{what}: scaled codes can reach {largest}, more than 2^62; use smaller multipliers"
        )
