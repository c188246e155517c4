"""Integers of every width and kind for property tests, extremes more often than chance has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic.geometry import Geometry
from hwsim.arithmetic.packing import CodeFormat, code_format
from quant.common.codes import CodeKind
from quant.common.requantization import Requantization
from quant.common.requantization_modes import MODES
from quant.common.rescaling import float32_bits

LARGEST_PRODUCT_BITS = 62

kinds = st.sampled_from((CodeKind.SIGNED, CodeKind.UNSIGNED, CodeKind.ODD))
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def formats(draw: st.DrawFn, maximum_bits: int = 16) -> CodeFormat:
    return code_format(draw(st.integers(1, maximum_bits)), draw(kinds))


@st.composite
def table_formats(draw: st.DrawFn, maximum_bits: int = 16) -> CodeFormat:
    """Tables of integers of up to 17 bits with sign, full or not."""
    bits = draw(st.integers(1, maximum_bits))
    integers = st.integers(1 - 2**16, 2**16 - 1)
    values = draw(st.sets(integers, min_size=1, max_size=min(1 << bits, 60)))
    return code_format(bits, CodeKind.TABLE, tuple(sorted(values)))


@st.composite
def code_arrays(draw: st.DrawFn, code: CodeFormat, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Values of a format: evenly drawn, or each an extreme, or all the same extreme."""
    random = draw(generators)
    least, greatest = code.low, code.high
    return {
        "even": lambda: _even_draws(random, code, shape),
        "extremes": lambda: random.choice(np.array([least, greatest], np.int32), shape),
        "least": lambda: np.full(shape, least, np.int32),
        "greatest": lambda: np.full(shape, greatest, np.int32),
    }[draw(st.sampled_from(("even", "even", "extremes", "least", "greatest")))]()


def _even_draws(
    random: np.random.Generator, code: CodeFormat, shape: tuple[int, ...]
) -> NDArray[np.int32]:
    if code.table:
        return random.choice(np.array(code.table, np.int32), shape)
    steps = random.integers(0, 1 << code.bits, shape)
    return ((steps << code.halving) + code.low).astype(np.int32)


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    """Often dense, else of up to 3 rows and columns and 4 groups."""
    if draw(st.booleans()):
        return Geometry()
    steps = st.tuples(st.integers(1, 3), st.integers(1, 3))
    return Geometry(draw(steps), draw(steps), draw(st.integers(1, 4)))


def requantization(multiplier: int, shift: int, *rest: Any) -> Requantization:
    """One multiplier and shift for all channels; the rest in order."""
    return Requantization(np.array([multiplier]), np.array([shift]), *rest)


@st.composite
def scalings(draw: st.DrawFn, channels: int, largest_sum: int) -> Requantization:
    """Parameters that bring sums up to ``largest_sum`` near the codes' range, ties included."""
    widest = min(31, LARGEST_PRODUCT_BITS - largest_sum.bit_length())
    length = draw(st.sampled_from((1, channels)))
    bits = draw(st.integers(1, widest))
    random = draw(generators)
    multiplier = random.integers(-(2**bits) + 1, 2**bits, length)
    reach = max(0, largest_sum.bit_length() + bits - draw(st.integers(1, 16)))
    shift = np.clip(reach - random.integers(0, 4, length), 0, 62)
    low, high = sorted(draw(st.tuples(*[st.integers(-(2**16), 2**16)] * 2)))
    return Requantization(multiplier, shift, draw(st.integers(-(2**15), 2**15)), low, high)


@st.composite
def mode_scalings(
    draw: st.DrawFn, mode: str, channels: int, largest_sum: int = 2**31 - 1, least_shift: int = 0
) -> Requantization:
    """Parameters within a mode's limits that bring sums near the codes' range, in either order."""
    given = draw(_mode_scalings(mode, channels, largest_sum, least_shift))
    if draw(st.booleans()):
        factor = min(int(np.abs(given.multiplier).max()), 2 ** MODES[mode].factor_bits - 1)
        product = largest_sum * factor
        room = (2**LARGEST_PRODUCT_BITS - product) >> max(31, int(given.shift.max()))
        reach = min(2**15, max(0, room)) if not MODES[mode].is_float else 2**15
        first = draw(st.integers(-reach, reach))
        given = replace(given, zero_point=first, zero_point_first=True)
    return given


@st.composite
def _mode_scalings(
    draw: st.DrawFn, mode: str, channels: int, largest_sum: int, least_shift: int
) -> Requantization:
    limits = MODES[mode]
    random = draw(generators)
    length = draw(st.sampled_from((1, channels)))
    low, high = sorted(draw(st.tuples(*[st.integers(-(2**16), 2**16)] * 2)))
    zero_point = draw(st.integers(-(2**15), 2**15))
    reach = draw(st.integers(1, 2**17)) / largest_sum
    if limits.is_float:
        spread = np.ldexp(1.0 + random.random(length), random.integers(-2, 20))
        scale = float32_bits(reach * spread)
        second = int(float32_bits(random.uniform(0.01, 100))[0])
        destination = second if limits.has_destination_scale else 0
        shift = np.zeros(length, np.int64)
        return Requantization(scale, shift, zero_point, low, high, mode, destination)
    least, greatest = limits.multipliers
    bits = draw(st.integers(1, greatest.bit_length()))
    multiplier = random.integers(
        max(least, -(2**bits) + 1), min(greatest, 2**bits - 1), length, endpoint=True
    )
    ideal = bits - int(np.floor(np.log2(reach))) - random.integers(0, 6, length)
    first, last = limits.shifts
    shift = np.clip(ideal, max(first, least_shift), last)
    return Requantization(multiplier, shift, zero_point, low, high, mode)
