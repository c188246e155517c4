"""The named ways to bring a sum to a code, and what parameters each of them takes.

``docs/operators/requantization`` has a page on each. A graph names its modes, an arithmetic
computes them, and both take the limits from `MODES`; `quant.common.rescaling` derives parameters
from real scales.
"""

from dataclasses import dataclass

from quant.common.errors import UserError, suggestion

LARGEST_SHIFT = 62
LARGEST_FLOAT32 = 0x7F7FFFFF
"""Bit pattern of the largest finite float32; those of all smaller ones from 0 on lie below it."""
FLOAT32_MAGNITUDE = 0x7FFFFFFF
"""All bits of a float32 but the sign."""
ONE_FLOAT32 = 0x3F800000
"""Bit pattern of the float32 1."""
LARGEST_RATIO = 0x4F800000
"""Bit pattern of 2^32 in float32, the largest ratio by which an addition in float32 scales."""

_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RequantizationMode:
    """What a mode takes; every limit is included.

    Attributes:
        name: what graphs and pages call it.
        summary: how it rounds and whose it is, in a line.
        sum_bits: signed bits of the widest sum it is defined for.
        multipliers: least and greatest multiplier. Modes that scale in floating point hold the
            bit pattern of a float32 of at least 0, an integer like any other.
        shifts: least and greatest shift.
        factor_bits: bits of a multiplier that take part in the product with the sum: fewer than
            stored where a mode shortens it, 0 where no integer product is formed.
        is_float: whether the mode is defined in float32.
        has_destination_scale: whether it multiplies by a second float32, one for all channels.
    """

    name: str
    summary: str
    sum_bits: int = 63
    multipliers: tuple[int, int] = (-_LARGEST, _LARGEST)
    shifts: tuple[int, int] = (0, LARGEST_SHIFT)
    factor_bits: int = 31
    is_float: bool = False
    has_destination_scale: bool = False

    def product_bits(self, largest_multiplier: int) -> int:
        """Bits that a multiplier of that magnitude adds to those of a sum."""
        return min(largest_multiplier.bit_length(), self.factor_bits)


def _integer_engine(
    name: str, summary: str, shifts: tuple[int, int] = (1, LARGEST_SHIFT)
) -> RequantizationMode:
    return RequantizationMode(name, summary, 32, (0, _LARGEST), shifts)


def _float_engine(
    name: str, summary: str, has_destination_scale: bool = False
) -> RequantizationMode:
    return RequantizationMode(
        name,
        summary,
        sum_bits=32,
        multipliers=(0, LARGEST_FLOAT32),
        shifts=(0, 0),
        factor_bits=0,
        is_float=True,
        has_destination_scale=has_destination_scale,
    )


_PRIMITIVE = (
    RequantizationMode("floor", "down"),
    RequantizationMode("ceil", "up"),
    RequantizationMode("trunc_zero", "towards zero"),
    RequantizationMode("half_up", "once, halves up: the default"),
    RequantizationMode("half_down", "once, halves down"),
    RequantizationMode("half_away", "once, halves away from zero"),
    RequantizationMode("half_even", "once, halves to the even integer"),
)
"""One rounding of the exact quotient, with as wide a sum and multiplier as 64 bits hold."""

_INTEGER_ENGINES = (
    RequantizationMode("shift", "powers of two without multiplier, halves up", multipliers=(1, 1)),
    _integer_engine("tflite_double", "TensorFlow Lite reference, TOSA, CMSIS-NN: two roundings"),
    _integer_engine("tflite_single", "TensorFlow Lite, TOSA, CMSIS-NN with single rounding"),
    _integer_engine("tflite_neon", "TensorFlow Lite optimized: two roundings, halves up"),
    RequantizationMode(
        "tflite_s64",
        "TensorFlow Lite, 16-bit activations: 15-bit multiplier, halves up",
        48,
        (0, _LARGEST),
        (24, LARGEST_SHIFT),
        factor_bits=15,
    ),
    RequantizationMode(
        "nvdla",
        "NVDLA: 16-bit multiplier, halves away from zero",
        32,
        (-(2**15), 2**15 - 1),
        (0, 31),
    ),
    _integer_engine("dyadic", "HAWQ-V3: once, halves to the even integer", (0, LARGEST_SHIFT)),
)

_FLOAT_ENGINES = (
    _float_engine("xnnpack", "XNNPACK, LiteRT's default: float32, halves to even"),
    _float_engine("onnxruntime", "ONNX Runtime: float32, halves to even"),
    _float_engine("qnnpack", "PyTorch's QNNPACK: float32, halves to even"),
    _float_engine("onednn", "oneDNN, PyTorch: two float32 scales, halves to even codes", True),
)

MODES: dict[str, RequantizationMode] = {
    mode.name: mode for mode in (*_PRIMITIVE, *_INTEGER_ENGINES, *_FLOAT_ENGINES)
}
"""Every mode by its name."""

PRIMITIVE_MODES = tuple(mode.name for mode in _PRIMITIVE)
"""Modes that are one rounding and no engine's, which leave the choice of constants free."""

DEFAULT_MODE = "half_up"


def mode_named(name: str) -> RequantizationMode:
    """A mode by its name.

    Raises:
        UserError: no mode has this name.
    """
    if name not in MODES:
        raise UserError(f"rounding '{name}' is no requantization mode; {suggestion(name, MODES)}")
    return MODES[name]
