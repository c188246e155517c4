"""Integers of every width and kind for property tests, extremes more often than chance has them."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic.packing import CodeFormat, code_format
from quant.common.codes import CodeKind

LARGEST_PRODUCT_BITS = 62

kinds = st.sampled_from(CodeKind)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def formats(draw: st.DrawFn, maximum_bits: int = 16) -> CodeFormat:
    return code_format(draw(st.integers(1, maximum_bits)), draw(kinds))


@st.composite
def code_arrays(draw: st.DrawFn, code: CodeFormat, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Values of a format: evenly drawn, or each an extreme, or all the same extreme."""
    random = draw(generators)
    steps = {
        "even": random.integers(0, 2**code.bits, shape),
        "extremes": random.integers(0, 2, shape) * (2**code.bits - 1),
        "least": np.zeros(shape, np.int64),
        "greatest": np.full(shape, 2**code.bits - 1),
    }[draw(st.sampled_from(("even", "even", "extremes", "least", "greatest")))]
    return ((steps << code.halving) - code.origin).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Scaling:
    """The arguments of a requantization, in order."""

    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]
    zero_point: int
    low: int
    high: int

    def arguments(self) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int, int]:
        return self.multiplier, self.shift, self.zero_point, self.low, self.high


@st.composite
def scalings(draw: st.DrawFn, channels: int, largest_sum: int) -> Scaling:
    """Parameters that bring sums up to ``largest_sum`` near the codes' range, ties included."""
    widest = min(31, LARGEST_PRODUCT_BITS - largest_sum.bit_length())
    length = draw(st.sampled_from((1, channels)))
    bits = draw(st.integers(1, widest))
    random = draw(generators)
    multiplier = random.integers(-(2**bits) + 1, 2**bits, length)
    reach = max(0, largest_sum.bit_length() + bits - draw(st.integers(1, 16)))
    shift = np.clip(reach - random.integers(0, 4, length), 0, 62)
    low, high = sorted(draw(st.tuples(*[st.integers(-(2**16), 2**16)] * 2)))
    return Scaling(multiplier, shift, draw(st.integers(-(2**15), 2**15)), low, high)
