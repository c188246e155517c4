"""The addition that goes with each requantization mode, from the encodings of its operands.

Engines do not add as they convolve: TensorFlow Lite rounds each operand first, XNNPACK shifts an
exact sum, ONNX Runtime adds in float32. Modes without an addition of their own round the exact sum
once, in the mode. ``docs/operators/add.md`` defines all three.
"""

from math import floor, ldexp

from quant.common.errors import UserError
from quant.common.requantization_modes import DEFAULT_MODE, MODES
from quant.graph import Add, TensorType
from quant.graph.fixed_point import common_fixed_point
from quant.graph.requantization_rules import MAXIMUM_SHIFT, MULTIPLIER_BITS
from quant.interchange import derivation
from quant.lowering.encodings import MapEncoding, reach
from quant.lowering.requantizer import Requantizer, clamp_code

Pair = tuple[MapEncoding, MapEncoding]
Clamp = tuple[float, float]

CONVENTIONS = {
    "tflite_double": "tflite_double",
    "tflite_neon": "tflite_double",
    "tflite_s64": "tflite_double",
    "xnnpack": "xnnpack",
    "onnxruntime": "onnxruntime",
}
"""Modes of engines whose addition is known, and the name it has in
`quant.interchange.derivation`. TensorFlow Lite's is that of its reference kernels throughout."""

_XNNPACK_RATIOS = (2.0**-10, 2.0**8)
"""Scales of an operand to that of the sum, the higher end excluded, that XNNPACK takes
(``xnn_create_add_nd_qs8``)."""


def integer_add(requantizer: Requantizer, operands: Pair, target: MapEncoding, clamp: Clamp) -> Add:
    """An addition of two encodings that writes a third.

    No engine adds codes that the real number 0 lies between; where a mode can, those are added
    exactly instead.

    Args:
        requantizer: the mode, which brings its addition with it.
        operands: encodings of what is added.
        target: encoding of the sum.
        clamp: real limits of the sum.

    Raises:
        UserError: the mode cannot express these scales or widths.
    """
    convention = CONVENTIONS.get(requantizer.mode.name)
    between = any(operand.offset != 0 for operand in operands)
    if convention == "tflite_double" and between:
        raise UserError(
            f"layer '{requantizer.layer}': rounding {requantizer.mode.name} adds codes of which "
            "one is the real number 0, but here 0 lies between two codes; choose another rounding, "
            f"such as {DEFAULT_MODE}"
        )
    if convention is None or between:
        return _exact(requantizer, operands, target, clamp)
    first, second, output = (encoding.tensor_type(1) for encoding in (*operands, target))
    if convention == "tflite_double":
        _require_narrow(requantizer.layer, first, second, output)
    if convention == "xnnpack":
        _require_near(requantizer, operands, target)
    low, high = (clamp_code(limit, target) for limit in clamp)
    return derivation.ADDITIONS[convention](first, second, output, (low, high))


def _exact(requantizer: Requantizer, operands: Pair, target: MapEncoding, clamp: Clamp) -> Add:
    """Multipliers as wide as the mode's sums allow, and one rounding of the exact sum."""
    mode = requantizer.mode
    ratios = _ratios(operands, target)
    if ratios == (1.0, 1.0):
        # A sum of codes, as little scaled up as the mode can scale down.
        shift = 0 if mode.is_float else mode.shifts[0]
        multipliers = (1 << shift, 1 << shift)
    else:
        largest = sum(reach(operand) for operand in operands)
        bits = min(MULTIPLIER_BITS, mode.sum_bits - 1 - largest.bit_length())
        longest = MAXIMUM_SHIFT if mode.is_float else mode.shifts[1]
        multipliers, shift = common_fixed_point(ratios, bits, longest)
    zeros = sum(
        multiplier * float(operand.zero[0])
        for multiplier, operand in zip(multipliers, operands, strict=True)
    )
    bias = floor(ldexp(target.offset / target.scale, shift) - zeros + 0.5)
    return Add(multipliers, bias, requantizer.from_shift(shift, target, clamp))


def _require_narrow(layer: str, first: TensorType, second: TensorType, output: TensorType) -> None:
    """TensorFlow Lite's widened operands fit its 32-bit registers."""
    left_shift = derivation.tflite_left_shift(first, second, output)
    reach = max(
        operand.integer.magnitude + abs(derivation.zero_point(operand))
        for operand in (first, second)
    )
    terms = Requantizer(MODES["tflite_double"], layer)
    terms.require_sums((reach << left_shift).bit_length() + 1)


def _require_near(requantizer: Requantizer, operands: Pair, target: MapEncoding) -> None:
    ratios = _ratios(operands, target)
    low, high = _XNNPACK_RATIOS
    if min(ratios) < low or max(ratios) >= high:
        raise UserError(
            f"layer '{requantizer.layer}': rounding {requantizer.mode.name} adds operands whose "
            f"scales are {low:g} to {high:g} times the sum's, but these are {ratios[0]:.4g} and "
            f"{ratios[1]:.4g} times; give streams fewer bits or choose another rounding, such as "
            f"{DEFAULT_MODE}"
        )


def _ratios(operands: Pair, target: MapEncoding) -> tuple[float, float]:
    return operands[0].scale / target.scale, operands[1].scale / target.scale
