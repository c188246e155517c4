"""How much error each choice of each layer adds: measured one at a time, taken to add up.

Mean squared errors of small, uncorrelated disturbances add; decibels do not. So errors are added
and decibels only shown. A choice that measured *better* than the base did so because its rounding
happened to cancel other errors on these pictures; adding several such gains up would promise an
output better than the base, even a negative error. They count as 0 and are reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.survey import Survey
from quant.policy import LayerBits

UNITS_PER_SQUARED_CODE = 1_000_000_000
"""Errors are added as integers, in 1e-9 squared pixel codes, so that no sum is rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class QualityTable:
    """Error each choice adds to the base.

    Attributes:
        base: error of the base, in units.
        measured: int64 [layers, choices], the measured increases in units, negative ones too;
            0 where a choice is not available.
        non_monotone: pairs of choices of one layer of which the one with more bits in one operand
            and no fewer in the other measured the larger error.
    """

    base: int
    measured: NDArray[np.int64]
    non_monotone: int

    @property
    def increase(self) -> NDArray[np.int64]:
        """What the solver adds up: the measured increases, negative ones as 0."""
        return np.maximum(self.measured, 0)

    @property
    def clipped(self) -> int:
        """How many choices measured better than the base."""
        return int(np.count_nonzero(self.measured < 0))


def quality_table(survey: Survey) -> QualityTable:
    """The increases of error a survey found."""
    base = in_units(survey.base)
    measured = [
        [0 if np.isnan(mse) else in_units(mse) - base for mse in row] for row in survey.changed
    ]
    return QualityTable(
        base,
        np.array(measured, np.int64),
        sum(_non_monotone(survey.choices, row) for row in survey.changed),
    )


def in_units(mse: float) -> int:
    """A mean squared error in `UNITS_PER_SQUARED_CODE`."""
    return round(mse * UNITS_PER_SQUARED_CODE)


def _non_monotone(choices: Sequence[LayerBits], errors: NDArray[np.float64]) -> int:
    """Pairs of a layer's choices of which the wider one measured the larger error."""
    measured = [
        (bits.weight_bits, bits.activation_bits, mse)
        for bits, mse in zip(choices, errors.tolist(), strict=True)
        if not np.isnan(mse)
    ]
    return sum(
        narrow[0] <= wide[0] and narrow[1] <= wide[1] and narrow[2] < wide[2]
        for narrow in measured
        for wide in measured
    )
