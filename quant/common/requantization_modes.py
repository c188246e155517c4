"""The named ways to bring a sum to a code, and what parameters each of them takes.

``docs/operators/requantization`` has a page on each. A graph names its modes, an arithmetic
computes them, and both take the limits from `MODES`; `quant.common.rescaling` derives parameters
from real scales.
"""

from dataclasses import dataclass

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
    sum_bits: int = 63
    multipliers: tuple[int, int] = (-_LARGEST, _LARGEST)
    shifts: tuple[int, int] = (0, LARGEST_SHIFT)
    factor_bits: int = 31
    is_float: bool = False
    has_destination_scale: bool = False

    def product_bits(self, largest_multiplier: int) -> int:
        """Bits that a multiplier of that magnitude adds to those of a sum."""
        return min(largest_multiplier.bit_length(), self.factor_bits)


def _integer_engine(name: str, shifts: tuple[int, int] = (1, LARGEST_SHIFT)) -> RequantizationMode:
    return RequantizationMode(name, 32, (0, _LARGEST), shifts)


def _float_engine(name: str, has_destination_scale: bool = False) -> RequantizationMode:
    return RequantizationMode(
        name,
        sum_bits=32,
        multipliers=(0, LARGEST_FLOAT32),
        shifts=(0, 0),
        factor_bits=0,
        is_float=True,
        has_destination_scale=has_destination_scale,
    )


MODES: dict[str, RequantizationMode] = {
    mode.name: mode
    for mode in (
        # One rounding of the exact quotient.
        RequantizationMode("floor"),
        RequantizationMode("ceil"),
        RequantizationMode("trunc_zero"),
        RequantizationMode("half_up"),
        RequantizationMode("half_down"),
        RequantizationMode("half_away"),
        RequantizationMode("half_even"),
        RequantizationMode("shift", multipliers=(1, 1)),
        # Engines that scale with integers.
        _integer_engine("tflite_double"),
        _integer_engine("tflite_single"),
        _integer_engine("tflite_neon"),
        RequantizationMode("tflite_s64", 48, (0, _LARGEST), (24, LARGEST_SHIFT), factor_bits=15),
        RequantizationMode("nvdla", 32, (-(2**15), 2**15 - 1), (0, 31)),
        _integer_engine("dyadic", (0, LARGEST_SHIFT)),
        # Engines that scale in float32.
        _float_engine("xnnpack"),
        _float_engine("onnxruntime"),
        _float_engine("qnnpack"),
        _float_engine("onednn", has_destination_scale=True),
    )
}
"""Every mode by its name."""
