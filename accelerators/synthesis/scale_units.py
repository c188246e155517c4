"""Units behind an array: its requantizer and a lane of the vector unit, and what they are fed."""

from dataclasses import dataclass

import numpy as np

from accelerators.synthesis.simulator import STREAMS
from accelerators.synthesis.unit import (
    Expected,
    Integers,
    Trial,
    Unit,
    low_bits,
)

CODE_BITS = 17
"""Of a requantizer: holds codes of 16 bits, signed or not."""

SHIFT_BITS = 6
BIAS_BITS = 32

ELEMENT_BITS = 32
"""Of the vector unit's operands and multipliers."""

LATENCY_CYCLES = {"requantizer": 3, "vector_lane": 4}

WARM_UP_CYCLES = 8

RANDOM_CYCLES = 200

_SCALE, _ADD_EXACT = 0, 2
"""What a lane does; see `accelerators/rtl/vector_lane.v`."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """Integers of 64 streams and how each stream's become codes.

    A code is clamp(round_half_up(sum / 2^shift) + zero_point, low, high), of the sum
    ``first x multiplier + second x second_multiplier + bias``.

    Attributes:
        first: [cycles, streams].
        second: likewise, of additions; None where there is one operand.
        multiplier: [streams].
        second_multiplier: likewise.
        offset: added to `first`, [streams].
        bias: [streams].
        shift: [streams].
        zero_point, low, high: [streams].
    """

    first: Integers
    multiplier: Integers
    shift: Integers
    zero_point: Integers
    low: Integers
    high: Integers
    offset: Integers
    bias: Integers
    second: Integers | None = None
    second_multiplier: Integers | None = None

    def codes(self) -> Integers:
        """What comes out, [cycles, streams]."""
        total = (self.first + self.offset).astype(object) * self.multiplier.astype(
            object
        ) + self.bias
        if self.second is not None:
            total = total + self.second.astype(object) * self.second_multiplier
        half = (1 << self.shift.astype(object)) >> 1
        rounded = (total + half) >> self.shift.astype(object)
        clamped = np.clip(rounded + self.zero_point, self.low, self.high)
        codes: Integers = clamped.astype(np.int64)
        return codes


def requantizer_unit(sum_bits: int, multiplier_bits: int) -> Unit:
    """The requantizer for sums and multipliers of these widths, rounding halves up."""
    inputs = {
        "sum_valid": 1,
        "sum": sum_bits,
        "bias": BIAS_BITS,
        "multiplier": multiplier_bits,
        "shift": SHIFT_BITS,
        "zero_point": CODE_BITS,
        "low": CODE_BITS,
        "high": CODE_BITS,
    }
    return Unit(
        f"requantizer_s{sum_bits}_m{multiplier_bits}",
        "requantizer",
        {
            "SUM_BITS": sum_bits,
            "BIAS_BITS": BIAS_BITS,
            "MULTIPLIER_BITS": multiplier_bits,
            "SHIFT_BITS": SHIFT_BITS,
            "CODE_BITS": CODE_BITS,
            "ROUNDING": "half_up",
        },
        inputs,
        {"reset": "1'b0", **{port: port for port in inputs}},
        {"code_valid": 1, "code": CODE_BITS},
    )


def requantizer_trial(scaled: Scaled) -> Trial:
    """One sum after the other, each stream with the scale of one channel."""
    constants = {
        "sum_valid": np.ones(STREAMS, np.int64),
        "bias": scaled.offset,
        "multiplier": scaled.multiplier,
        "shift": scaled.shift,
        **_ends(scaled),
    }
    return _trial("requantizer", scaled, {"sum": scaled.first}, constants, "code", CODE_BITS)


def vector_lane_unit() -> Unit:
    """A lane of the vector unit, rounding halves up, without a table."""
    inputs = {
        "kind": 3,
        "first": ELEMENT_BITS,
        "second": ELEMENT_BITS,
        "first_offset": ELEMENT_BITS,
        "second_offset": ELEMENT_BITS,
        "first_multiplier": ELEMENT_BITS,
        "second_multiplier": ELEMENT_BITS,
        "first_shift": SHIFT_BITS,
        "second_shift": SHIFT_BITS,
        "bias": 2 * ELEMENT_BITS,
        "zero_point": ELEMENT_BITS,
        "low": ELEMENT_BITS,
        "high": ELEMENT_BITS,
    }
    tied = {"left_shift": "5'd0", "marked": "1'b0", "table_word": f"{ELEMENT_BITS}'d0"}
    return Unit(
        "vector_lane",
        "vector_lane",
        {
            "ELEMENT_BITS": ELEMENT_BITS,
            "MULTIPLIER_BITS": ELEMENT_BITS,
            "SHIFT_BITS": SHIFT_BITS,
            "ROUNDING": "half_up",
        },
        inputs,
        {**{port: port for port in inputs}, **tied},
        {"result": ELEMENT_BITS},
    )


def vector_lane_trial(scaled: Scaled) -> Trial:
    """Elements requantized or, where there is a second operand, added and requantized."""
    zeros = np.zeros(STREAMS, np.int64)
    adds = scaled.second is not None
    constants = {
        "kind": np.full(STREAMS, _ADD_EXACT if adds else _SCALE),
        "first_offset": scaled.offset,
        "second_offset": zeros,
        "first_multiplier": scaled.multiplier,
        "second_multiplier": zeros
        if scaled.second_multiplier is None
        else scaled.second_multiplier,
        "first_shift": scaled.shift,
        "second_shift": zeros,
        "bias": scaled.bias,
        **_ends(scaled),
    }
    second = np.zeros_like(scaled.first) if scaled.second is None else scaled.second
    operands = {"first": scaled.first, "second": second}
    return _trial("vector_lane", scaled, operands, constants, "result", ELEMENT_BITS)


def random_sums(sum_bits: int, multiplier_bits: int, seed: int = 0) -> Scaled:
    """Uniformly random sums, scaled so that codes of 8 bits spread over their range."""
    generator = np.random.default_rng([seed, sum_bits, multiplier_bits])
    sums = generator.integers(-(1 << sum_bits - 1), 1 << sum_bits - 1, (RANDOM_CYCLES, STREAMS))
    return _randomly_scaled(generator, sums, sum_bits, multiplier_bits)


def random_elements(bits: int, *, adds: bool, seed: int = 0) -> Scaled:
    """Uniformly random codes for the vector unit, requantized or added and requantized."""
    generator = np.random.default_rng([seed, bits])
    shape = (RANDOM_CYCLES, STREAMS)
    first, second = generator.integers(-(1 << bits - 1), 1 << bits - 1, (2, *shape))
    scaled = _randomly_scaled(generator, first, bits, ELEMENT_BITS)
    if not adds:
        return scaled
    multipliers = generator.integers(1 << ELEMENT_BITS - 3, 1 << ELEMENT_BITS - 2, (2, STREAMS))
    return Scaled(
        first,
        multipliers[0],
        scaled.shift,
        scaled.zero_point,
        scaled.low,
        scaled.high,
        np.zeros(STREAMS, np.int64),
        generator.integers(-(1 << ELEMENT_BITS), 1 << ELEMENT_BITS, STREAMS),
        second,
        multipliers[1],
    )


def _randomly_scaled(
    generator: np.random.Generator, integers: Integers, bits: int, multiplier_bits: int
) -> Scaled:
    most, most_bias = 1 << multiplier_bits - 1, 1 << min(bits - 4, BIAS_BITS - 1)
    everywhere = np.ones(STREAMS, np.int64)
    return Scaled(
        integers,
        generator.integers(most // 2, most, STREAMS),
        everywhere * max(bits + multiplier_bits - 2 - 7, 1),
        generator.integers(-20, 21, STREAMS),
        -128 * everywhere,
        127 * everywhere,
        generator.integers(-most_bias, most_bias, STREAMS),
        0 * everywhere,
    )


def _ends(scaled: Scaled) -> dict[str, Integers]:
    return {"zero_point": scaled.zero_point, "low": scaled.low, "high": scaled.high}


def _trial(
    unit: str,
    scaled: Scaled,
    operands: dict[str, Integers],
    constants: dict[str, Integers],
    result: str,
    result_bits: int,
) -> Trial:
    cycles, latency = len(scaled.first), LATENCY_CYCLES[unit]
    stimulus = {
        **operands,
        **{port: np.tile(values, (cycles, 1)) for port, values in constants.items()},
    }
    codes = low_bits(scaled.codes(), result_bits)
    expected = Expected(result, np.arange(latency, cycles), codes[: cycles - latency])
    return Trial(stimulus, WARM_UP_CYCLES, 1.0, (expected,))
