"""What the accumulators of a run's convolutions did: how many overflowed, and where first."""

from collections.abc import Iterable
from dataclasses import dataclass

from hwsim.arithmetic.overflows import Overflows
from quant.common.accumulators import Accumulator
from quant.common.errors import CheckError


class AccumulatorOverflow(CheckError):
    """A sum left an accumulator whose overflow is ``error``: names operator, place and sum."""


@dataclass(frozen=True, slots=True)
class LayerOverflows:
    """The overflows of a convolution that declares an accumulator.

    Attributes:
        operator: name of the convolution.
        accumulator: what it declares.
        outputs: accumulators that were filled: height · width · channels of its output.
        overflows: those among them that overflowed.
    """

    operator: str
    accumulator: Accumulator
    outputs: int
    overflows: Overflows

    def require_none(self) -> None:
        """Refuse an overflow where the accumulator does.

        Raises:
            AccumulatorOverflow: there is one, and the accumulator's overflow is ``error``.
        """
        first, accumulator = self.overflows.first, self.accumulator
        if accumulator.overflow != "error" or first is None:
            return
        row, column, channel = first
        raise AccumulatorOverflow(
            f"operator '{self.operator}', row {row}, column {column}, channel {channel}: expected "
            f"sums of {accumulator.low} to {accumulator.high}, what an accumulator of "
            f"{accumulator.bits} bits holds, found {self.overflows.sum} ({self.overflows.count} of "
            f"{self.outputs} sums overflow); use a wider accumulator, fewer bits for this layer or "
            "another overflow than error"
        )


def total(layers: Iterable[LayerOverflows]) -> int:
    """Accumulators that overflowed, of all convolutions together."""
    return sum(layer.overflows.count for layer in layers)
