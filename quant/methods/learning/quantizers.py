"""Fake quantizers: real numbers to the nearest of a grid's, with gradients past the rounding.

``round`` is torch's, halves to even. Its gradient is taken as 1 (the straight-through estimator:
Bengio, Léonard and Courville, arXiv 1308.3432); the gradients of the bounds then follow from the
formulas, as in LSQ (Esser et al., arXiv 1902.08153) and PACT (Choi et al., arXiv 1805.06085).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def rounded(values: Tensor) -> Tensor:
    """The nearest whole numbers; the gradient passes as if nothing was rounded."""
    return values + (values.round() - values).detach()


def asymmetric(values: Tensor, low: Tensor, high: Tensor, levels: Tensor | float) -> Tensor:
    """The nearest of ``levels`` + 1 values evenly from ``low`` to ``high``.

    AdaBM and ODM quantize feature maps so (specification 2.1, 5.1). Inside, the gradient to the
    bounds is the rounding error; outside it is 1 to the bound that was met.

    Args:
        values: of any shape.
        low: the least value; anything that broadcasts.
        high: the greatest, above ``low``.
        levels: 2^bits − 1; a tensor where images differ in bits.
    """
    if not isinstance(levels, Tensor) and low.numel() == high.numel() == 1:
        apply: Callable[..., Tensor] = _Asymmetric.apply
        return apply(values, low, high, float(levels))
    inside = torch.minimum(torch.maximum(values, low), high)
    places = (inside - low) / (high - low)
    return rounded(places * levels) / levels * (high - low) + low


class _Asymmetric(torch.autograd.Function):
    """`asymmetric` with one range, in a quarter of the passes over memory.

    A value that equals a bound counts as inside, as torch's ``clamp`` has it.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, low: Tensor, high: Tensor, levels: float) -> Tensor:
        ctx.save_for_backward(values, low, high)
        ctx.levels = levels
        places = values.sub(low).mul_(levels / (high - low)).clamp_(0, levels)
        return places.round_().mul_((high - low) / levels).add_(low)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        values, low, high = ctx.saved_tensors
        (gradient,) = gradients
        places = values.sub(low).mul_(ctx.levels / (high - low))
        below, above = places < 0, places > ctx.levels
        for_below, for_above = (
            torch.where(outside, gradient, 0.0).sum() for outside in (below, above)
        )
        inside = gradient.masked_fill(below.logical_or_(above), 0)
        places.clamp_(0, ctx.levels)
        errors = places.round().sub_(places)
        rounding = errors.mul_(gradient).sum() / ctx.levels
        for_low, for_high = for_below - rounding, for_above + rounding
        return inside, for_low.reshape(low.shape), for_high.reshape(high.shape), None


def mid_rise(values: Tensor, reach: Tensor, levels: float) -> Tensor:
    """The nearest of the ``levels`` + 1 values reach · (2·k − levels) / levels; 0 is none of them.

    Weights of AdaBM, ODM and FQSR, and FQSR's signed feature maps (specification 2.1, 4.1).

    Args:
        values: of any shape.
        reach: the greatest value, above 0; anything that broadcasts.
        levels: 2^bits − 1.
    """
    inside = torch.minimum(torch.maximum(values / reach, -torch.ones_like(reach)), reach / reach)
    places = (inside + 1) / 2
    return reach * (2 * rounded(places * levels) / levels - 1)


def half_range(values: Tensor, reach: Tensor, levels: float) -> Tensor:
    """The nearest of the ``levels`` + 1 values from 0 to ``reach``.

    FQSR's unsigned feature maps (specification 4.1).

    Args:
        values: of any shape.
        reach: the greatest value, above 0; anything that broadcasts.
        levels: 2^bits − 1.
    """
    inside = torch.minimum(torch.clamp(values / reach, min=0), reach / reach)
    return reach * rounded(inside * levels) / levels
