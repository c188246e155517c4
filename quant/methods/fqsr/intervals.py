"""FQSR's quantizers: one learned interval a tensor, with the quantization loss beside the values.

A tensor's interval starts as the running mean of its largest magnitudes and is trained from then
on (specification 4.1–4.3). The arithmetic is that of `quant.methods.learning.quantizers`, fused so
that large feature maps are walked through in parts that stay in the processor's cache.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

_PART = 1 << 16
"""Values handled at once: 256 KiB of float32, of which a few lie side by side in a second-level
cache."""

_LEAST_REACH = 1e-6
"""Of a tensor that is 0 throughout, so that nothing is divided by 0."""


class Interval(nn.Module):
    """A fake quantizer with one learned interval.

    The first ``warm_up`` calls in training mode pass their tensor through, and the reach becomes
    the running mean of the largest magnitudes. Source: specification 4.2.

    Args:
        levels: 2^bits − 1.
        signed: whether the grid is mid-rise, from −reach to reach; else it runs from 0 to reach.
        warm_up: calls that pass their tensor through.
        on_loss: called with mean|x − Q(x)| whenever something was quantized (specification 4.3).

    Attributes:
        reach: the learned interval, float32 [].
        calls: warm-up calls so far, int64 [].
    """

    reach: nn.Parameter
    calls: Tensor

    def __init__(
        self, levels: int, *, signed: bool, warm_up: int, on_loss: Callable[[Tensor], None]
    ) -> None:
        super().__init__()
        self.levels, self.signed, self.warm_up = levels, signed, warm_up
        self._on_loss = on_loss
        self.reach = nn.Parameter(torch.tensor(0.0))
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, values: Tensor) -> Tensor:
        """The nearest values of the grid; while warming up, the values themselves."""
        values = values.float() if values.dtype == torch.bfloat16 else values
        if self.is_warming_up():
            self._observe(values.detach())
            return values
        quantized, loss = nearest_of_interval(values, self.reach, self.levels, signed=self.signed)
        self._on_loss(loss)
        return quantized

    def is_warming_up(self) -> bool:
        """Whether the next call passes its tensor through."""
        return self.training and int(self.calls) < self.warm_up

    @torch.no_grad()
    def set_reach(self, reach: float) -> None:
        """Take over an interval that was learned; nothing is left to warm up."""
        self.reach.fill_(reach)
        self.calls.fill_(self.warm_up)

    @torch.no_grad()
    def keep_positive(self) -> None:
        """Put the reach back above 0, where an update may have taken it."""
        self.reach.clamp_(min=_LEAST_REACH)

    @torch.no_grad()
    def _observe(self, values: Tensor) -> None:
        seen = int(self.calls)
        largest = values.abs().max().clamp(min=_LEAST_REACH)
        self.reach.copy_((self.reach * seen + largest) / (seen + 1))
        self.calls += 1


def nearest_of_interval(
    values: Tensor, reach: Tensor, levels: int, *, signed: bool
) -> tuple[Tensor, Tensor]:
    """`mid_rise` or `half_range`, and the mean magnitude of what they change, both with gradients.

    Args:
        values: float32 of any shape.
        reach: float32 [], above 0.
        levels: 2^bits − 1.
        signed: whether the grid is mid-rise.

    Returns:
        Values of the grid, and mean|values − them| [].
    """
    quantized: Tensor
    loss: Tensor
    quantized, loss = _NearestOfInterval.apply(values, reach, levels, signed)  # type: ignore[no-untyped-call]
    return quantized, loss


class _NearestOfInterval(torch.autograd.Function):
    """The grid's nearest values, with the gradients of specification 4.1.

    With x in and y out: dy/dx is 1 inside and 0 outside; dy/dreach is (y − x) / reach inside and
    y / reach outside, which is 1, −1, or 0 below an unsigned grid.
    """

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, reach: Tensor, levels: int, signed: bool
    ) -> tuple[Tensor, Tensor]:
        values = values.contiguous()
        quantized = torch.empty_like(values)
        size = float(reach)
        steps = levels / 2 if signed else levels
        changed = values.new_zeros(())
        scratch = values.new_empty(min(_PART, values.numel()))
        for part, out in _parts(values, quantized):
            torch.mul(part, steps / size, out=out)
            if signed:
                # Not rounded around levels / 2, where float32 has lost the sign of what is tiny:
                # slopes near 0 make whole feature maps of that, and tables see the sign.
                out.floor_().add_(0.5).clamp_(-steps, steps)
            else:
                out.round_().clamp_(0, levels)
            out.mul_(size / steps)
            difference = torch.sub(part, out, out=scratch[: part.numel()])
            changed += difference.abs_().sum()
        ctx.save_for_backward(values, quantized)
        ctx.size, ctx.inside = size, partial(_where_inside, low=-size * signed, high=size)
        return quantized, changed / values.numel()

    @staticmethod
    def backward(
        ctx: Any, to_quantized: Tensor, to_loss: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        values, quantized = ctx.saved_tensors
        to_values = torch.empty_like(values)
        share = float(to_loss) / values.numel()
        to_reach = values.new_zeros(())
        scratch = values.new_empty(3, min(_PART, values.numel()))
        for x, y, gradient, out in _parts(values, quantized, to_quantized.contiguous(), to_values):
            slope, away, to_y = scratch[:, : x.numel()]
            torch.sub(y, ctx.inside(x, x, out=to_y), out=slope)  # of y in the reach, times it
            torch.sub(x, y, out=away).sign_()
            torch.sub(gradient, away, alpha=share, out=to_y)
            to_reach += torch.dot(to_y, slope)
            ctx.inside(to_y, x, out=out).add_(away, alpha=share)
        return to_values, to_reach / ctx.size, None, None


def _where_inside(
    numbers: Tensor, values: Tensor, *, low: float, high: float, out: Tensor
) -> Tensor:
    """Numbers whose value lies between two bounds, and 0 for others.

    The backward pass of a clamp does just that, many times faster than masks do.
    """
    result: Tensor = torch.ops.aten.hardtanh_backward.grad_input(
        numbers, values, low, high, grad_input=out
    )
    return result


def _parts(*tensors: Tensor) -> Any:
    """The same stretches of tensors of one size, as views."""
    flat = [tensor.view(-1) for tensor in tensors]
    return zip(*(torch.split(tensor, _PART) for tensor in flat), strict=True)
