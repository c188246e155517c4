"""Accumulators of a declared width, and what happens to a sum that leaves it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

OVERFLOWS: dict[str, str] = {
    "error": "no sum may leave the accumulator: one that does ends the run",
    "wrap": "two's complement: the sum modulo 2^bits",
    "saturate_final": "the exact sum, clamped once at the end",
    "saturate_step": "clamped after every addition, in the order of the sum",
}
"""What happens to a sum that leaves its accumulator, by name."""

LEAST_BITS, MOST_BITS = 2, 48


@dataclass(frozen=True, slots=True)
class Accumulator:
    """A signed register of ``bits`` bits, −2^(bits−1) … 2^(bits−1)−1, that sums products.

    The sum begins with the bias; products follow by kernel row, kernel column and input channel,
    each ascending. Only ``saturate_step`` and ``error``, which mind every partial sum, depend on
    that order; the other two take the whole sum, however it was added up.

    Attributes:
        bits: width, sign included.
        overflow: a name in `OVERFLOWS`.
    """

    bits: int
    overflow: str = "error"

    @property
    def low(self) -> int:
        """The least sum it holds."""
        return -(1 << (self.bits - 1))

    @property
    def high(self) -> int:
        """The greatest sum it holds."""
        return (1 << (self.bits - 1)) - 1

    @property
    def minds_every_step(self) -> bool:
        """Whether no partial sum may leave the range; else it is the whole sum that may not."""
        return self.overflow in ("error", "saturate_step")

    def always_holds(
        self, weight: NDArray[np.integer], bias: Integers, code_low: int, code_high: int
    ) -> bool:
        """Whether no codes from ``code_low`` to ``code_high`` can make a sum overflow.

        Args:
            weight: [O, KH, KW, I/groups].
            bias: int64 [O].
            code_low: the least input code, pad codes included.
            code_high: the greatest.
        """
        least, greatest = sum_bounds(
            weight, bias, code_low, code_high, every_step=self.minds_every_step
        )
        return self.low <= int(least.min()) and int(greatest.max()) <= self.high

    def __str__(self) -> str:
        return f"{self.bits} bits, {self.overflow}"


def sum_bounds(
    weight: NDArray[np.integer],
    bias: Integers,
    code_low: int,
    code_high: int,
    *,
    every_step: bool,
) -> tuple[Integers, Integers]:
    """The least and the greatest sum of each output channel, exactly.

    Every tap reads a code of its own, so some input makes each product its least, and another its
    greatest: the bounds are reached.

    Args:
        weight: [O, KH, KW, I/groups].
        bias: int64 [O].
        code_low: the least input code, pad codes included.
        code_high: the greatest.
        every_step: whether of all partial sums in the order of `Accumulator`, the bias alone among
            them, or of the whole sum.

    Returns:
        int64 [O], twice.
    """
    taps = weight.reshape(len(weight), -1).astype(np.int64)
    ends = taps * code_low, taps * code_high
    least = np.cumsum(np.column_stack([bias, np.minimum(*ends)]), axis=1)
    greatest = np.cumsum(np.column_stack([bias, np.maximum(*ends)]), axis=1)
    if every_step:
        return least.min(axis=1), greatest.max(axis=1)
    return least[:, -1], greatest[:, -1]
