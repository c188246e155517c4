"""From sums to codes; every requantizing kernel ends here.

A mode is a family of formulas and per-channel parameters (`hwsim.arithmetic.requantization_modes`),
so the choice is made once for many pixels (`hwsim.arithmetic._requantization_emitter`).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._jit import StoredCodes, Wide, kernel
from hwsim.arithmetic._requantization_emitter import emitted_requantize

Sums = NDArray[np.integer[Any]]

LARGEST_FLOAT_CODE = 2**22
"""Magnitude up to which the float families round exactly."""


class Scaling(NamedTuple):
    """From sums to codes, as kernels take it.

    Attributes:
        parameters: int64 [ROWS, channels], of each channel.
        family: place in `hwsim.arithmetic._requantization_emitter.FAMILIES`.
        zero_point: added to the rounded quotient.
        low: the least code.
        high: the greatest code.
    """

    parameters: Wide
    family: int
    zero_point: int
    low: int
    high: int


@kernel
def requantize(
    sums: Sums,
    stride: int,
    scaling: Scaling,
    first: int,
    codes: StoredCodes,
    place: int,
    channels: int,
) -> None:
    """Requantize the sums of some channels of the pixels that ``codes`` holds.

    Args:
        sums: of any integer type, channel by channel, pixel after pixel.
        stride: sums from one pixel to the next.
        scaling: from sums to codes.
        first: the channel whose parameters are those of a pixel's first sum.
        codes: [pixels, C], written at channels ``place``, ``place + 1``, ….
        place: where a pixel's first code goes.
        channels: how many of a pixel's sums count.
    """
    emitted_requantize(
        sums,
        stride,
        scaling.parameters,
        first,
        codes,
        place,
        channels,
        scaling.family,
        scaling.zero_point,
        scaling.low,
        scaling.high,
    )
