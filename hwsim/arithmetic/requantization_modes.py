"""How the kernels compute each named requantization mode: a family and per-channel numbers.

``docs/operators/requantization`` defines the modes, and
`hwsim.arithmetic.reference.requantization_modes` computes them as the pages say. Here each becomes
the numbers that its family's one formula (`hwsim.arithmetic._requantization_emitter`) multiplies,
adds and shifts by.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwsim.arithmetic import _requantization_emitter as families
from hwsim.arithmetic._jit import Wide
from hwsim.arithmetic._kernels_requantization import Scaling
from quant.common.requantization import Requantization
from quant.common.requantization_modes import ONE_FLOAT32

Offset = Callable[[Wide], Wide]
"""From shifts to what is added to products before they are shifted, int64 of equal length."""


def _nothing(shift: Wide) -> Wide:
    return np.zeros_like(shift)


def _half(shift: Wide) -> Wide:
    return (1 << shift) >> 1


def _below_half(shift: Wide) -> Wide:
    return np.maximum(_half(shift) - 1, 0)


def _below_one(shift: Wide) -> Wide:
    return (1 << shift) - 1


def _one_where_shifted(shift: Wide) -> Wide:
    return (shift > 0).astype(np.int64)


def _minus_one_where_shifted(shift: Wide) -> Wide:
    return -_one_where_shifted(shift)


def _unchanged(multiplier: Wide, shift: Wide) -> tuple[Wide, Wide]:
    return multiplier, shift


def _shortened(multiplier: Wide, shift: Wide) -> tuple[Wide, Wide]:
    """The upper 16 bits of multipliers, rounded half up but not beyond 0x7FFF."""
    return np.minimum((multiplier + (1 << 15)) >> 16, 0x7FFF), shift - 16


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a mode is computed.

    Attributes:
        family: which loop.
        offset: added to the (last) product before the shift.
        correction: further added where the family says.
        factors: the multipliers and shifts that take part, from those stored.
    """

    family: int
    offset: Offset = _nothing
    correction: Offset = _nothing
    factors: Callable[[Wide, Wide], tuple[Wide, Wide]] = _unchanged


_HALF_UP = Recipe(families.OFFSET_ONLY, _half)
_HALF_AWAY = Recipe(families.CORRECT_NEGATIVE, _half, _minus_one_where_shifted)
_HALF_EVEN = Recipe(families.CORRECT_ODD, _below_half, _one_where_shifted)

RECIPES: dict[str, Recipe] = {
    "floor": Recipe(families.OFFSET_ONLY),
    "ceil": Recipe(families.OFFSET_ONLY, _below_one),
    "trunc_zero": Recipe(families.CORRECT_NEGATIVE, _nothing, _below_one),
    "half_up": _HALF_UP,
    "half_down": Recipe(families.OFFSET_ONLY, _below_half),
    "half_away": _HALF_AWAY,
    "half_even": _HALF_EVEN,
    "shift": _HALF_UP,
    "tflite_double": Recipe(families.TWO_ROUNDINGS, _half, _minus_one_where_shifted),
    "tflite_single": _HALF_UP,
    "tflite_neon": Recipe(families.TWO_ROUNDINGS, _half),
    "tflite_s64": Recipe(families.OFFSET_ONLY, _half, factors=_shortened),
    "nvdla": _HALF_AWAY,
    "dyadic": _HALF_EVEN,
    "xnnpack": Recipe(families.FLOAT_SCALE),
    "onnxruntime": Recipe(families.FLOAT_SCALE),
    "qnnpack": Recipe(families.FLOAT_SCALE),
    "onednn": Recipe(families.TWO_FLOAT_SCALES),
}
"""Every mode of `quant.common.requantization_modes.MODES`."""


_ORDERED = (families.CORRECT_NEGATIVE, families.CORRECT_ODD, families.TWO_ROUNDINGS)
"""Families in which it matters whether an integer is added before the rounding or after: which way
they round halves depends on the sign, or on whether the integer below is odd."""


def _product_shift(family: int, shift: Wide) -> Wide:
    """By how many bits a code is wider in the first product."""
    return np.maximum(shift, 31) if family == families.TWO_ROUNDINGS else shift


def kernel_scaling(bias: Wide, requantization: Requantization, channels: int) -> Scaling:
    """A requantization as kernels take it, for a number of channels.

    Vectors of length 1 count for every channel; longer ones may leave the last channels 0.
    """
    shift, zero_point = requantization.shift, requantization.zero_point
    recipe = RECIPES[requantization.rounding]
    family, destination_scale = recipe.family, requantization.destination_scale
    factor, total_shift = recipe.factors(requantization.multiplier, shift)
    origin = left_shift = _nothing(total_shift)
    if family == families.TWO_ROUNDINGS:  # the first takes 31 of the bits
        left_shift, total_shift = np.maximum(31 - shift, 0), np.maximum(shift - 31, 0)
        origin = origin + (1 << 30)
    offset, correction = recipe.offset(total_shift), recipe.correction(total_shift)
    if requantization.zero_point_first and family in _ORDERED:
        origin = origin + (zero_point << _product_shift(family, shift))
        zero_point = 0
    elif requantization.zero_point_first and family == families.FLOAT_SCALE:
        family, destination_scale = families.TWO_FLOAT_SCALES, ONE_FLOAT32
    if family == families.TWO_ROUNDINGS and not left_shift.any():
        # The floor of a floor's quotient is the floor of the whole quotient, so the second
        # rounding may look at all bits of the product.
        family, total_shift = families.CORRECT_NEGATIVE, total_shift + 31
        offset, correction = offset << 31, correction << 31
    parameters = np.zeros((families.ROWS, channels), np.int64)
    for row, values in (
        (families.BIAS, bias),
        (families.MULTIPLIER, factor),
        (families.SHIFT, total_shift),
        (families.ORIGIN, origin),
        (families.OFFSET, offset),
        (families.CORRECTION, correction),
        (families.LEFT_SHIFT, left_shift),
        (families.DESTINATION_SCALE, np.array([destination_scale])),
    ):
        parameters[row, : channels if len(values) == 1 else len(values)] = values
    return Scaling(parameters, family, zero_point, requantization.low, requantization.high)
