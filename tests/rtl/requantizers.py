"""Requantizers in every integer mode, and vectors whose codes spread over the range."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, trunc
from pathlib import Path

import numpy as np

from hwsim.arithmetic.reference.requantization_modes import codes
from hwsim.verify.rtl.words import Words
from quant.common.requantization import Requantization
from quant.common.requantization_modes import MODES, RequantizationMode
from tests.rtl.units import (
    RTL,
    Simulator,
    Unit,
    Wide,
    check_clean,
    integers,
    items,
    job_for,
    side_by_side,
)

Variant = tuple[str, int]
INTEGER_MODES = tuple(mode.name for mode in MODES.values() if not mode.is_float)
SUM_BITS, BIAS_BITS = 40, 32

INPUTS = {
    "sum": (1, SUM_BITS),
    "bias": (1, BIAS_BITS),
    "multiplier": (1, 32),
    "shift": (1, 6),
    "zero_point": (1, 17),
    "low": (1, 17),
    "high": (1, 17),
}
OUTPUTS = {"code": (1, 17)}
LIMITS = ((-128, 127), (0, 255), (-8, 7), (-32768, 32767), (0, 65535))
SETTINGS = 16
"""Zero points with limits, each for as many of a mode's cases."""
LARGEST_PRODUCT = 2**61
"""Of what the reference computes in 64 bits."""


def requantizer(mode: str, first: int) -> Unit:
    """A requantizer; ``first`` is 1 where the zero point is added before the rounding."""
    return Unit(
        f"requantizer_{mode}_{first}",
        "requantizer",
        "sum_valid",
        INPUTS,
        "code_valid",
        OUTPUTS,
        parameters={"ROUNDING": mode, "ZERO_POINT_FIRST": first},
    )


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """What requantizers are given, [cases] each, and the codes they should give."""

    columns: dict[str, Wide]
    wanted: Wide

    @property
    def words(self) -> Words:
        """Items of a requantizer's stream."""
        return items(INPUTS, self.columns)


def random_cases(mode_name: str, first: int, count: int) -> Cases:
    """Cases of a mode: halves, extremes, and quotients most of which the clamp lets pass.

    Args:
        mode_name: an integer mode.
        first: 1 where the zero point is added before the rounding.
        count: a multiple of `SETTINGS`.
    """
    mode = MODES[mode_name]
    random = np.random.default_rng(2 * INTEGER_MODES.index(mode_name) + first)
    parts = []
    for setting in range(SETTINGS):
        low, high = LIMITS[setting % len(LIMITS)]
        zero = 0 if setting < 2 else int(random.integers(low, high + 1))
        drawn = [
            _case(mode, random, case, (high - low).bit_length(), zero if first else 0)
            for case in range(count // SETTINGS)
        ]
        total, bias, multiplier, shift = np.array(drawn, np.int64).T
        given = Requantization(
            multiplier, shift, zero, low, high, mode_name, zero_point_first=bool(first)
        )
        constants = [np.full_like(total, constant) for constant in (zero, low, high)]
        wanted = codes(total, given)
        parts.append(np.stack([total - bias, bias, multiplier, shift, *constants, wanted]))
    *columns, wanted = np.concatenate(parts, axis=1)
    return Cases(dict(zip(INPUTS, columns, strict=True)), wanted)


def _case(
    mode: RequantizationMode, random: np.random.Generator, case: int, code_bits: int, zero: int
) -> tuple[int, int, int, int]:
    """Sum with bias, bias, multiplier, shift; ``zero`` is scaled up by the shift."""
    total_bits = min(mode.sum_bits, SUM_BITS) - 1
    least, most = mode.multipliers
    bias = int(random.integers(-(2**20), 2**20))
    if case % 4 == 0:  # halves
        power = int(random.integers(most.bit_length()))
        total, multiplier = _signed(random, min(total_bits, 20)), 1 << power
        shift = power + int(random.integers(1, 4))
    elif case % 16 == 1:  # extremes
        total = int(random.choice([1 - 2**total_bits, 2**total_bits - 1]))
        bias = int(random.choice([1 - 2**31, 0, 2**31 - 1]))
        multiplier = int(random.choice([least, max(least, 0), most]))
        shift = int(random.choice([0, 31, 62]))
    else:
        total = _signed(random, total_bits)
        multiplier = max(int(random.integers(most + 1)) >> int(random.integers(4)), 1)
        multiplier *= -1 if least < 0 and random.integers(2) else 1
        shift = (total * multiplier).bit_length() - int(random.integers(1, code_bits + 1))
    while abs(total * multiplier) > LARGEST_PRODUCT:
        total, shift = total >> 1, shift - 1
    if not -(2 ** (SUM_BITS - 1)) <= total - bias < 2 ** (SUM_BITS - 1):
        bias = 0
    longest = LARGEST_PRODUCT.bit_length() - 1 - abs(zero).bit_length() if zero else mode.shifts[1]
    shift = max(min(shift, mode.shifts[1], longest), mode.shifts[0])
    return total, bias, multiplier, shift


def _signed(random: np.random.Generator, most_bits: int) -> int:
    """A random integer of a random width."""
    bits = int(random.integers(1, most_bits + 1))
    return int(random.integers(-(2**bits), 2**bits))


HALF = Fraction(1, 2)
ROUNDED: dict[str, Callable[[Fraction], int]] = {
    "floor": floor,
    "ceil": ceil,
    "trunc_zero": trunc,
    "half_up": lambda quotient: floor(quotient + HALF),
    "half_down": lambda quotient: ceil(quotient - HALF),
    "half_away": lambda quotient: (
        floor(quotient + HALF) if quotient >= 0 else ceil(quotient - HALF)
    ),
    "half_even": round,
}


def extreme_cases(mode: str, first: int, count: int) -> Cases:
    """Cases of a primitive rounding in the whole reach of a requantizer's ports."""
    random = np.random.default_rng(INTEGER_MODES.index(mode))
    columns = {name: _reaching(random, bits, count) for name, (_, bits) in INPUTS.items()}
    columns["shift"] = random.choice([0, 1, 31, 61, 62, 63], count)
    columns["low"], columns["high"] = np.sort([columns["low"], columns["high"]], axis=0)
    wanted = []
    for case in zip(*(column.tolist() for column in columns.values()), strict=True):
        total, bias, multiplier, shift, zero, low, high = case
        quotient = Fraction((total + bias) * multiplier, 1 << shift)
        moved = ROUNDED[mode](quotient + zero) if first else ROUNDED[mode](quotient) + zero
        wanted.append(min(max(moved, low), high))
    return Cases(columns, np.array(wanted, np.int64))


def _reaching(random: np.random.Generator, bits: int, count: int) -> Wide:
    """Signed integers of a width: its ends, those around 0, and others."""
    half = 2 ** (bits - 1)
    ends = random.choice([-half, 1 - half, -2, -1, 0, 1, half - 1], count)
    return np.where(random.integers(2, size=count) == 0, ends, random.integers(-half, half, count))


def check_requantizers(
    simulator: Simulator,
    built: Sequence[Variant],
    cases: Mapping[Variant, Cases],
    folder: Path,
    sources: Path = RTL,
) -> None:
    """Assert that all codes are as wanted, each three cycles behind its sum.

    Args:
        simulator: which one.
        built: the requantizers of the design, by mode and whether the zero point comes first.
        cases: for some or all of them.
        folder: for the module that holds them.
        sources: folder of the modules.
    """
    units = {variant: requantizer(*variant) for variant in built}
    design = side_by_side(list(units.values()), folder, sources=sources)
    streams = {units[variant].name: given.words for variant, given in cases.items()}
    wanted = {units[variant].result.name: len(given.wanted) for variant, given in cases.items()}
    outcome = simulator(design).run(job_for(design, streams, wanted))
    check_clean(outcome)
    for variant, given in cases.items():
        name = units[variant].result.name
        found = integers(OUTPUTS, outcome.outputs[name], "code")[:, 0]
        np.testing.assert_array_equal(found, given.wanted, name)
        np.testing.assert_array_equal(outcome.cycles[name], np.arange(len(given.wanted)) + 3)
