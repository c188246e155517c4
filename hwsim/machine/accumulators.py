"""What the accumulators of a run's convolutions did: how many overflowed, and where first."""

from dataclasses import dataclass, replace

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
        outputs: accumulators that were filled: height · width · channels of its output, and those
            again that strips of a cascade compute again.
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


class OverflowLog:
    """Gathers the overflows of convolutions that are computed in parts, by several threads."""

    def __init__(self) -> None:
        self._parts: dict[str, list[LayerOverflows]] = {}

    def add(self, part: LayerOverflows) -> None:
        """Note a part of a convolution, its place already that in the whole output."""
        self._parts.setdefault(part.operator, []).append(part)

    def layers(self) -> tuple[LayerOverflows, ...]:
        """Each convolution as a whole, in the order in which their first parts came."""
        return tuple(
            replace(
                parts[0],
                outputs=sum(part.outputs for part in parts),
                overflows=Overflows.merged(part.overflows for part in parts),
            )
            for parts in self._parts.values()
        )

    def require_none(self) -> None:
        """As `LayerOverflows.require_none`, of every convolution so far."""
        for layer in self.layers():
            layer.require_none()
