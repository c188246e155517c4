"""Operators of several feature maps."""

import numpy as np
from numpy.typing import ArrayLike

from hwsim.arithmetic.reference.integers import Integers, integers
from hwsim.arithmetic.reference.requantization import requantize
from quant.common.float32 import fused_multiply_add
from quant.common.requantization import FusedTerms, Requantization, TermRounding


def add(first: ArrayLike, second: ArrayLike, multipliers: tuple[int, int], bias: int) -> Integers:
    """The accumulators of an addition of two feature maps on different scales.

    Returns:
        first · multipliers[0] + second · multipliers[1] + bias.
    """
    return integers(first) * multipliers[0] + integers(second) * multipliers[1] + bias


def add_rounded(
    first: ArrayLike,
    second: ArrayLike,
    multipliers: tuple[int, int],
    terms: TermRounding,
    bias: int,
) -> Integers:
    """The accumulators of an addition that rounds both operands first, as TensorFlow Lite does.

    Returns:
        rounded(first) + rounded(second) + bias, where operand i is rounded in the mode
        ``tflite_double`` from (code - zero_points[i]) · 2^left_shift, with its multiplier and
        shift.
    """
    rounded = [
        requantize(
            (integers(codes) - zero_point) * 2**terms.left_shift,
            Requantization(
                np.array([multiplier]),
                np.array([shift]),
                zero_point=0,
                low=-(2**31),
                high=2**31 - 1,
                rounding="tflite_double",
            ),
        )
        for codes, multiplier, shift, zero_point in zip(
            (first, second), multipliers, terms.shifts, terms.zero_points, strict=True
        )
    ]
    return rounded[0] + rounded[1] + bias


def add_fused(
    first: ArrayLike,
    second: ArrayLike,
    ratios: tuple[int, int],
    terms: FusedTerms,
    low: int,
    high: int,
) -> Integers:
    """An addition in float32, as ONNX Runtime does it, rounded to codes.

    Args:
        first: [..., C], of at most 24 bits.
        second: the same shape.
        ratios: bit patterns of float32.
        terms: what is added.
        low: least code.
        high: greatest code.

    Returns:
        fma(first, ratios[0], fma(second, ratios[1], addend)), clamped and rounded to the nearest
        integer, halves to the even one; fma rounds to float32 once.
    """
    first_ratio, second_ratio, addend = np.array([*ratios, terms.addend], np.int32).view(np.float32)
    partial = fused_multiply_add(integers(second), second_ratio, addend)
    total = fused_multiply_add(integers(first), first_ratio, partial)
    return np.rint(np.clip(total, np.float32(low), np.float32(high))).astype(np.int64)


def multiply(first: ArrayLike, second: ArrayLike, biases: tuple[int, int]) -> Integers:
    """The products of a feature map and a factor for each value, pixel or channel.

    Args:
        first: [H, W, C].
        second: [H or 1, W or 1, C or 1].
        biases: added to the operands.

    Returns:
        (first + biases[0]) · (second + biases[1]), [H, W, C].
    """
    return (integers(first) + biases[0]) * (integers(second) + biases[1])
