"""The addition that goes with each requantization mode, from the real scales of its operands.

Engines do not add as they convolve: TensorFlow Lite rounds each operand first, XNNPACK shifts an
exact sum, ONNX Runtime adds in float32. Modes without an addition of their own round the exact sum
once, in the mode. ``docs/operators/add.md`` defines all three.
"""

from collections.abc import Callable

import numpy as np

from quant.common.add_rescaling import (
    TFLITE_LEFT_SHIFT,
    TFLITE_LEFT_SHIFT_WIDE,
    onnx_add,
    tflite_add,
    xnnpack_add,
)
from quant.common.errors import UserError
from quant.common.requantization_modes import DEFAULT_MODE, MODES, ONE_FLOAT32
from quant.graph import Add, FusedTerms, Requantization, TermRounding
from quant.graph.requantization_rules import MULTIPLIER_BITS
from quant.lowering.encodings import MapEncoding
from quant.lowering.fixed_point import common_fixed_point
from quant.lowering.requantizer import Requantizer, clamp_code, whole_zero

Pair = tuple[MapEncoding, MapEncoding]
Clamp = tuple[float, float]

_TFLITE_NARROW_BITS = 8
_XNNPACK_RATIOS = (2.0**-10, 2.0**8)
"""Scales of an operand to that of the sum, the higher end excluded, that XNNPACK takes
(``xnn_create_add_nd_qs8``)."""


def integer_add(requantizer: Requantizer, operands: Pair, target: MapEncoding, clamp: Clamp) -> Add:
    """An addition of two encodings that writes a third, all with whole zero points.

    Args:
        requantizer: the mode, which brings its addition with it.
        operands: encodings of what is added.
        target: encoding of the sum.
        clamp: real limits of the sum.

    Raises:
        UserError: the mode cannot express these scales or widths.
    """
    add = _ADDITIONS.get(requantizer.mode.name, _exact)
    return add(requantizer, operands, target, clamp)


def _exact(requantizer: Requantizer, operands: Pair, target: MapEncoding, clamp: Clamp) -> Add:
    """Multipliers as wide as the mode's sums allow, and one rounding of the exact sum."""
    largest = sum(operand.integer.magnitude + abs(whole_zero(operand)) for operand in operands)
    bits = min(MULTIPLIER_BITS, requantizer.mode.sum_bits - 1 - largest.bit_length())
    longest = requantizer.mode.shifts[1]
    multipliers, shift = common_fixed_point(_ratios(operands, target), bits, longest)
    return Add(
        multipliers,
        _bias(multipliers, operands),
        requantizer.from_shift(shift, target, clamp),
    )


def _xnnpack(requantizer: Requantizer, operands: Pair, target: MapEncoding, clamp: Clamp) -> Add:
    """An exact sum shifted once, halves up, as XNNPACK's ``qs8-vadd``."""
    ratios = _ratios(operands, target)
    low, high = _XNNPACK_RATIOS
    if min(ratios) < low or max(ratios) >= high:
        raise UserError(
            f"layer '{requantizer.layer}': rounding {requantizer.mode.name} adds operands whose "
            f"scales are {low:g} to {high:g} times the sum's, but these are {ratios[0]:.4g} and "
            f"{ratios[1]:.4g} times; choose another rounding, such as {DEFAULT_MODE}"
        )
    found = xnnpack_add(_scales(operands), target.scale)
    shifted = Requantizer(MODES["half_up"], requantizer.layer)
    return Add(
        found.multipliers,
        _bias(found.multipliers, operands),
        shifted.from_shift(found.shift, target, clamp),
    )


def _tflite(requantizer: Requantizer, operands: Pair, target: MapEncoding, clamp: Clamp) -> Add:
    """Operands rounded before the sum, as ADD of TensorFlow Lite's reference kernels."""
    widest = max(encoding.integer.bits for encoding in (*operands, target))
    left_shift = TFLITE_LEFT_SHIFT if widest <= _TFLITE_NARROW_BITS else TFLITE_LEFT_SHIFT_WIDE
    zeros = whole_zero(operands[0]), whole_zero(operands[1])
    reach = max(
        operand.integer.magnitude + abs(zero) for operand, zero in zip(operands, zeros, strict=True)
    )
    terms = Requantizer(MODES["tflite_double"], requantizer.layer)
    terms.require_sums((reach << left_shift).bit_length() + 1)
    found = tflite_add(_scales(operands), target.scale, left_shift)
    low, high = (clamp_code(limit, target) for limit in clamp)
    requantization = Requantization(
        np.array([found.sum_multiplier]),
        np.array([found.sum_shift]),
        whole_zero(target),
        low,
        high,
        terms.mode.name,
    )
    return Add(found.multipliers, 0, requantization, TermRounding(zeros, found.shifts, left_shift))


def _onnxruntime(
    requantizer: Requantizer, operands: Pair, target: MapEncoding, clamp: Clamp
) -> Add:
    """A sum in float32, as QLinearAdd of ONNX Runtime on x86 processors."""
    zeros = whole_zero(operands[0]), whole_zero(operands[1])
    found = onnx_add(_scales(operands), zeros, target.scale, whole_zero(target))
    low, high = (clamp_code(limit, target) for limit in clamp)
    rounded = Requantization(
        np.array([ONE_FLOAT32]), np.zeros(1, np.int64), 0, low, high, "onnxruntime"
    )
    return Add(found.ratios, 0, rounded, FusedTerms(found.addend))


def _scales(operands: Pair) -> tuple[float, float]:
    return operands[0].scale, operands[1].scale


def _ratios(operands: Pair, target: MapEncoding) -> tuple[float, float]:
    return operands[0].scale / target.scale, operands[1].scale / target.scale


def _bias(multipliers: tuple[int, int], operands: Pair) -> int:
    return -sum(
        multiplier * whole_zero(operand)
        for multiplier, operand in zip(multipliers, operands, strict=True)
    )


_ADDITIONS: dict[str, Callable[[Requantizer, Pair, MapEncoding, Clamp], Add]] = {
    "tflite_double": _tflite,
    "tflite_neon": _tflite,
    "tflite_s64": _tflite,
    "xnnpack": _xnnpack,
    "onnxruntime": _onnxruntime,
}
"""Modes of engines whose addition is known. That of TensorFlow Lite's optimized kernels, on behalf
of which `tflite_neon` stands, is taken from its reference kernels."""
