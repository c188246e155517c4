"""The constants of one operator's requantization in a named mode, from real scales."""

from dataclasses import dataclass
from math import isinf

import numpy as np
from numpy.typing import ArrayLike

from quant.common.errors import UserError
from quant.common.requantization_modes import (
    DEFAULT_MODE,
    PRIMITIVE_MODES,
    RequantizationMode,
)
from quant.common.rescaling import Rescaling, rescaling
from quant.graph import Requantization
from quant.graph.fixed_point import LARGEST_FACTOR, fixed_point
from quant.graph.operators import Integers
from quant.lowering.encodings import MapEncoding
from quant.lowering.float_operators import UNCLAMPED, Reals

_TOLERANCE = 2.0**-7
"""Most that a mode's constants may differ from a factor, as a part of it. All modes but those with
short multipliers or none stay below a millionth."""


@dataclass(frozen=True, slots=True)
class Requantizer:
    """Derives the constants of an operator, and refuses what its mode cannot express.

    Attributes:
        mode: how sums become codes.
        layer: name of the operator, for errors.
    """

    mode: RequantizationMode
    layer: str

    def from_scales(
        self,
        source_scale: float,
        weight_scales: ArrayLike,
        target: MapEncoding,
        width: int,
        clamp: tuple[float, float] = UNCLAMPED,
    ) -> Requantization:
        """From sums in units of source scale · weight scale to codes of a target.

        Args:
            source_scale: real step of the codes that are read.
            weight_scales: [channels] or one number; real step of the weights.
            target: encoding of the result.
            width: signed bits of the widest sum.
            clamp: real limits of the result.

        Raises:
            UserError: the mode takes no sums of that width, or no such factor.
        """
        weights = np.atleast_1d(np.asarray(weight_scales, np.float64))
        return self._requantization(
            self._rescaling(source_scale, weights, target.scale, width), target, clamp
        )

    def from_shift(
        self, shift: int, target: MapEncoding, clamp: tuple[float, float]
    ) -> Requantization:
        """From sums in units of 2^-shift steps of a target to its codes."""
        if self.mode.is_float:
            found = rescaling(self.mode.name, 2.0**-shift, 1.0, 1.0)
        else:
            found = Rescaling(np.ones(1, np.int64), np.array([shift], np.int64))
        return self._requantization(found, target, clamp)

    def require_sums(self, width: int) -> None:
        """Raises: UserError: the mode takes no sums of so many signed bits."""
        if width > self.mode.sum_bits:
            raise UserError(
                f"layer '{self.layer}': rounding {self.mode.name} takes sums of at most "
                f"{self.mode.sum_bits} bits, but this layer's may have {width}; give it fewer bits "
                f"or choose another rounding, such as {DEFAULT_MODE}"
            )

    def _rescaling(
        self, source_scale: float, weights: Reals, target_scale: float, width: int
    ) -> Rescaling:
        self.require_sums(width)
        factor = source_scale * weights / target_scale
        if self.mode.name in PRIMITIVE_MODES:
            return Rescaling(*fixed_point(factor, width))
        bounded = np.where(
            factor > LARGEST_FACTOR,
            _largest_factor(self.mode) * target_scale / source_scale,
            weights,
        )
        found = rescaling(self.mode.name, source_scale, bounded, target_scale)
        self._require_close(found, source_scale * bounded / target_scale, width)
        return found

    def _require_close(self, found: Rescaling, factor: Reals, width: int) -> None:
        """Where any sum is worth half a code, the constants stand for the factor."""
        counts = np.ldexp(factor, width - 1) >= 0.5
        far = counts & (np.abs(_factors(self.mode, found) / factor - 1) > _TOLERANCE)
        if far.any():
            raise UserError(
                f"layer '{self.layer}': rounding {self.mode.name} cannot scale by "
                f"{factor[far][0]:.4g}; give the layer other bits or choose another rounding, such "
                f"as {DEFAULT_MODE}"
            )

    def _requantization(
        self, found: Rescaling, target: MapEncoding, clamp: tuple[float, float]
    ) -> Requantization:
        low, high = (clamp_code(limit, target) for limit in clamp)
        return Requantization(
            found.multiplier,
            found.shift,
            target.zero_point,
            low,
            high,
            self.mode.name,
            found.destination_scale,
        )


def clamp_code(limit: float, target: MapEncoding) -> int:
    """The code nearest to a limit, which may be infinite."""
    if isinf(limit):
        return target.integer.low if limit < 0 else target.integer.high
    (zero,) = set(target.zero.tolist())
    code = np.floor(limit / target.scale + (zero - target.zero_point) + 0.5) + target.zero_point
    return int(np.clip(code, target.integer.low, target.integer.high))


def _largest_factor(mode: RequantizationMode) -> float:
    """What stands for factors beyond `LARGEST_FACTOR`, which occur where a range is empty."""
    if mode.is_float:
        return LARGEST_FACTOR
    return min(LARGEST_FACTOR, max(mode.multipliers[1] / 2.0 ** (mode.shifts[0] + 1), 1.0))


def _factors(mode: RequantizationMode, found: Rescaling) -> Reals:
    """The real numbers that constants of a mode stand for."""
    if not mode.is_float:
        return np.ldexp(found.multiplier.astype(np.float64), -found.shift)
    factors = _floats(found.multiplier)
    if mode.has_destination_scale:
        factors = factors * _floats(np.array([found.destination_scale]))
    return factors


def _floats(bits: Integers) -> Reals:
    return bits.astype(np.int32).view(np.float32).astype(np.float64)
