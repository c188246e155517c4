"""What operands that are not uniformly random cost: a toggle model of a bit-parallel multiplier.

Calibrated on gate-level simulation of an 8 x 8 multiplier (NanGate 45 nm cells, this project's
study). docs/activity.md has the measurements, the fit and how far it misses them.
"""

from dataclasses import dataclass

from accelerators.mac_energy import BIT_PARALLEL, MacParts
from quant.common.errors import UserError

HAMMING_EXPONENT, NONZERO_EXPONENT = 0.595, 0.35
"""Of the relative Hamming distance of each operand that streams, and of the relative share of
products that are not zero; least squares of relative error."""

HELD_TOGGLES = 118 / 143
"""Toggles of the multiplier with one operand held, of those with both streaming."""

HELD: dict[str, str] = {
    "output_stationary": "output",
    "weight_stationary": "weight",
    "input_stationary": "input",
}
"""What stays in place on each kind of datapath that the model covers."""


@dataclass(frozen=True, slots=True)
class Operand:
    """How one of the operands of a layer's multiply-accumulates behaves.

    Attributes:
        bits: its width.
        hamming: mean bits that change from one to the next.
        nonzero_rate: share that is not zero, 0 to 1.
    """

    bits: int
    hamming: float
    nonzero_rate: float

    @property
    def relative_hamming(self) -> float:
        """Bits that change, of those of uniformly random operands, which are half of all."""
        return 2 * self.hamming / self.bits

    @property
    def relative_nonzero(self) -> float:
        """Share that is not zero, of that of uniformly random operands."""
        return self.nonzero_rate / (1 - 2.0**-self.bits)


def toggle_ratio(kind: str, weight: Operand, activation: Operand) -> float:
    """Toggles of a multiplier, of those with uniformly random operands in the same order.

    A power of the relative Hamming distance of each operand that streams, times a power of the
    relative share of products that are not zero.

    Args:
        kind: of the datapath, one of `HELD`.
        weight: of the layer.
        activation: of the layer.
    """
    ratio = 1.0
    if HELD[kind] != "weight":
        ratio *= weight.relative_hamming
    if HELD[kind] != "input":
        ratio *= activation.relative_hamming
    products = weight.relative_nonzero * activation.relative_nonzero
    return float(ratio**HAMMING_EXPONENT * products**NONZERO_EXPONENT)


def data_pj(parts: MacParts, ratio: float) -> float:
    """A multiply-accumulate at so many toggles: between its static part and beyond it.

    Args:
        parts: its price on uniformly random operands.
        ratio: of `toggle_ratio`.
    """
    return parts.static_pj + (parts.total_pj - parts.static_pj) * ratio


def require_covered(kind: str, accelerator: str) -> None:
    """Refuse a datapath whose switching the model knows nothing of.

    Raises:
        UserError: it is not bit-parallel.
    """
    if kind not in BIT_PARALLEL:
        raise UserError(
            f"measured energy: accelerator '{accelerator}' has the datapath '{kind}', but the "
            f"toggle model covers {', '.join(BIT_PARALLEL)}; leave out --energy-activity"
        )
