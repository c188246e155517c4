"""Accumulators of a declared width, and what happens to a sum that leaves it."""

from dataclasses import dataclass

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
    each ascending. Only ``saturate_step`` depends on that order.

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

    def __str__(self) -> str:
        return f"{self.bits} bits, {self.overflow}"
