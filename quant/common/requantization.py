"""How sums become codes: the parameters that graphs store and arithmetics compute with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Requantization:
    """From a sum to a code: clamp(round(sum · multiplier / 2^shift) + zero_point, low, high).

    An activation is part of it: a ReLU raises ``low`` to the zero point. The rounding is that of a
    named mode; the modes of engines that scale in floating point hold the bit patterns of float32
    scales as multipliers.

    Attributes:
        multiplier: int64 [channels] or [1], at least 0.
        shift: int64 [channels] or [1], 0 to 62.
        zero_point: the code of a sum of 0.
        low: smallest code that comes out.
        high: largest code that comes out.
        rounding: name of the mode, in `quant.common.requantization_modes.MODES`.
        destination_scale: bit pattern of a second float32 scale in the mode ``onednn``, else 0.
        zero_point_first: whether the zero point is added before the (last) rounding, as the mode
            ``onednn`` does in any case.
    """

    multiplier: Integers
    shift: Integers
    zero_point: int
    low: int
    high: int
    rounding: str = "half_up"
    destination_scale: int = 0
    zero_point_first: bool = False


@dataclass(frozen=True, slots=True)
class TermRounding:
    """How each operand of an addition is rounded before the sum, as TensorFlow Lite does.

    Operand i becomes (code − zero_points[i]) · 2^left_shift, scaled by its multiplier and
    shifts[i] in the mode ``tflite_double``.
    """

    zero_points: tuple[int, int]
    shifts: tuple[int, int]
    left_shift: int


@dataclass(frozen=True, slots=True)
class FusedTerms:
    """How an addition in float32 forms its sum, as ONNX Runtime does on x86 processors.

    The sum is fma(first, ratios[0], fma(second, ratios[1], addend)), where fma rounds to float32
    once; the addition's multipliers are bit patterns of the ratios.

    Attributes:
        addend: bit pattern of a float32, as a signed 32-bit integer.
    """

    addend: int
