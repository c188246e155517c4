"""Where ranges begin: moving averages, the least error of weights, the shrink of least error."""

from collections.abc import Callable

import torch
from torch import Tensor

from quant.methods.learning.quantizers import asymmetric, mid_rise

MOMENTUM = 0.9
"""Of moving averages over calibration batches: the part of the old value that stays."""

_CLIP_STEPS, _WEIGHT_STEPS = 100, 50
_PARTS = 1 << 16
_CLIP_SHARE = 0.5
"""Of the best bounds in those that a layer begins with; the rest is what calibration found."""


def averaged(old: Tensor | None, new: Tensor) -> Tensor:
    """A moving average; the first batch is copied (specification 2.4)."""
    return new if old is None else MOMENTUM * old + (1 - MOMENTUM) * new


def least_error_reach(weight: Tensor, bits: int, *, signed_maximum: bool = False) -> float:
    """The reach of mid-rise weights that loses least: one of 50 parts of the greatest magnitude.

    Specification 2.4 (OMSE); of equal errors the larger reach counts.

    Args:
        weight: of any shape.
        bits: width of a weight.
        signed_maximum: start from the greatest weight, not the greatest magnitude, as the
            released code does.
    """
    values = weight.detach().double()
    greatest = values.max() if signed_maximum else values.abs().max()
    whole = greatest.clamp(min=torch.finfo(torch.float32).tiny)
    return _least(
        whole,
        _WEIGHT_STEPS,
        lambda reach: mid_rise(values, reach, float(2**bits - 1)) - values,
    )


def clipped_range(values: Tensor, low: Tensor, high: Tensor, bits: float) -> tuple[Tensor, Tensor]:
    """Bounds between those given and the best of 100 shrinks of both (bit-aware clipping).

    Specification 2.5; of equal errors the wider range counts. Values are counted in 65 536 equal
    parts of their range first, 256 of which make a step of 8 bits; a hundred searches through
    every value would take longer than all the rest of calibration.

    Args:
        values: what will be quantized.
        low: the lower bound.
        high: the upper bound, above it.
        bits: width of a code.
    """
    levels = 2.0**bits - 1
    middles, counts = _counted(values)
    part = _least(
        torch.ones_like(low),
        _CLIP_STEPS,
        lambda part: (
            (asymmetric(middles, low * part, high * part, levels) - middles) * counts.sqrt()
        ),
    )
    kept = 1 - _CLIP_SHARE
    return (
        kept * low + _CLIP_SHARE * part * low,
        kept * high + _CLIP_SHARE * part * high,
    )


def _counted(values: Tensor) -> tuple[Tensor, Tensor]:
    """The middles of equal parts of a range, and how many values lie in each; none are empty."""
    least, greatest = (float(bound) for bound in values.aminmax())
    if least == greatest:
        return values.new_tensor([least]), values.new_tensor([float(values.numel())])
    counts = torch.histc(values, _PARTS, least, greatest)
    width = (greatest - least) / _PARTS
    middles = least + width * (torch.arange(_PARTS) + 0.5)
    return middles[counts > 0], counts[counts > 0]


def _least(whole: Tensor, steps: int, difference: Callable[[Tensor], Tensor]) -> float:
    """Which of whole · (1 − 0.01·i), i from 0, has the least squared difference."""
    best, least = float(whole), float("inf")
    with torch.no_grad():
        for step in range(steps):
            tried = whole * (1 - 0.01 * step)
            error = float(difference(tried).square().sum(dtype=torch.float64))
            if error < least:
                best, least = float(tried), error
    return best
