"""The real scales of a convolution's weights, from the integers a graph keeps of them."""

import numpy as np
from numpy.typing import NDArray

from quant.common.requantization import Requantization
from quant.common.requantization_modes import MODES
from quant.common.rescaling import Doubles, Singles, rescaling
from quant.graph.operators import Integers

_REACH = 8
"""Neighbours of the first guess that are tried, each way: every step of a derivation rounds to
float32 once, and there are at most five."""


def weight_scales(
    requantization: Requantization, channels: int, input_scale: float, output_scale: float
) -> Singles | None:
    """Float32 scales from which the mode derives exactly these multipliers and shifts.

    Args:
        requantization: of a convolution's sums.
        channels: output channels.
        input_scale: of the feature map read; taken as float32.
        output_scale: of the feature map written; taken as float32.

    Returns:
        float32 [channels], or None where no scales near the right size give these integers.
    """
    mode = requantization.rounding
    wanted = [
        np.broadcast_to(values, channels)
        for values in (requantization.multiplier, requantization.shift)
    ]
    guess = real_factor(requantization, channels) * output_scale / input_scale
    bits = guess.astype(np.float32).view(np.int32)
    steps = np.arange(-_REACH, _REACH + 1, dtype=np.int32)
    candidates = np.maximum(bits[None] + steps[:, None], 1).view(np.float32)
    found = rescaling(mode, input_scale, candidates.reshape(-1), output_scale)
    if found.destination_scale != requantization.destination_scale:
        return None
    right = _equal(found.multiplier, wanted[0]) & _equal(found.shift, wanted[1])
    if not right.any(axis=0).all():
        return None
    # Of several right ones the one nearest to the guess.
    nearest = np.where(right, np.abs(steps)[:, None], _REACH + 1).argmin(axis=0)
    scales: Singles = candidates[nearest, np.arange(channels)]
    return scales


def real_factor(requantization: Requantization, channels: int) -> Doubles:
    """What sums are multiplied by, as real numbers: float64 [channels]."""
    multiplier = np.broadcast_to(requantization.multiplier, channels)
    shift = np.broadcast_to(requantization.shift, channels)
    if not MODES[requantization.rounding].is_float:
        return np.ldexp(multiplier.astype(np.float64), -shift)
    factor = multiplier.astype(np.int32).view(np.float32).astype(np.float64)
    if requantization.destination_scale:
        factor = factor * np.int32(requantization.destination_scale).view(np.float32)
    return factor


def _equal(found: Integers, wanted: Integers) -> NDArray[np.bool_]:
    """Where candidates, [candidates · channels], give what is wanted, [channels]."""
    equal: NDArray[np.bool_] = found.reshape(-1, len(wanted)) == wanted
    return equal
