"""The integers by which engines add two feature maps on different scales, from the real scales."""

from dataclasses import dataclass
from math import floor, log2

import numpy as np

from quant.common.float32 import fused_multiply_add
from quant.common.rescaling import float32_bits, quantize_multiplier

TFLITE_LEFT_SHIFT, TFLITE_LEFT_SHIFT_WIDE = 20, 15
"""Bits by which TensorFlow Lite's ADD widens codes before it scales them: those of 8 bits, and
those of 16, which have no more room in 32 bits."""

_XNNPACK_MULTIPLIER_BITS = 20


@dataclass(frozen=True, slots=True)
class TfliteAdd:
    """Multipliers and shifts of both operands and of their sum, each in mode ``tflite_double``."""

    multipliers: tuple[int, int]
    shifts: tuple[int, int]
    sum_multiplier: int
    sum_shift: int


@dataclass(frozen=True, slots=True)
class XnnpackAdd:
    """Multipliers of both operands, whose exact sum is shifted once, halves up."""

    multipliers: tuple[int, int]
    shift: int


@dataclass(frozen=True, slots=True)
class FusedAdd:
    """Bit patterns of float32: both operands' ratios to the sum's scale, and what is added."""

    ratios: tuple[int, int]
    addend: int


def tflite_add(
    scales: tuple[float, float], output_scale: float, left_shift: int = TFLITE_LEFT_SHIFT
) -> TfliteAdd:
    """What TensorFlow Lite's ADD derives in ``add.cc``.

    Args:
        scales: of the operands; taken as float32.
        output_scale: of the sum.
        left_shift: bits by which the operands are widened.
    """
    first, second = (float(np.float32(scale)) for scale in scales)
    twice_largest = 2 * max(first, second)
    widened = 2**left_shift * float(np.float32(output_scale))
    factors = np.array(
        [first / twice_largest, second / twice_largest, twice_largest / widened], np.float64
    )
    found = quantize_multiplier(factors)
    first_multiplier, second_multiplier, sum_multiplier = found.multiplier.tolist()
    first_shift, second_shift, sum_shift = found.shift.tolist()
    return TfliteAdd(
        (first_multiplier, second_multiplier),
        (first_shift, second_shift),
        sum_multiplier,
        sum_shift,
    )


def xnnpack_add(scales: tuple[float, float], output_scale: float) -> XnnpackAdd:
    """What XNNPACK's signed 8-bit addition derives in ``microparams-init.c``.

    Args:
        scales: of the operands; taken as float32.
        output_scale: of the sum; a 2^-10th to 2^8 times each operand's.
    """
    ratios = [float(np.float32(scale) / np.float32(output_scale)) for scale in scales]
    shift = _XNNPACK_MULTIPLIER_BITS - floor(log2(max(ratios)))
    first, second = (int(np.rint(np.ldexp(ratio, shift))) for ratio in ratios)
    return XnnpackAdd((first, second), shift)


def onnx_add(
    scales: tuple[float, float], zeros: tuple[int, int], output_scale: float, output_zero: int
) -> FusedAdd:
    """What ONNX Runtime's QLinearAdd derives in MLAS (``qladd.cpp``) on x86 processors.

    Args:
        scales: of the operands; taken as float32.
        zeros: of the operands.
        output_scale: of the sum.
        output_zero: of the sum.
    """
    first, second = (np.float32(scale) / np.float32(output_scale) for scale in scales)
    moved = fused_multiply_add(zeros[0], first, second * np.float32(zeros[1]))
    bits = [int(pattern[0]) for pattern in map(float32_bits, (first, second))]
    return FusedAdd((bits[0], bits[1]), int(float32_bits(np.float32(output_zero) - moved)[0]))
