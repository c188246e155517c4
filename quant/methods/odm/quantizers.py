"""ODM's quantizers of layers' inputs and weights, and what they tell a regularizer."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from quant.methods.learning.quantizers import asymmetric, mid_rise

_NARROWEST = 1e-6
"""A range never gets narrower, nor a scale smaller: learning cannot turn them over."""

Penalty = Callable[[Tensor, Tensor], Tensor]
"""(input, quantized input) of a layer to what its regularizer is the sum of."""

OffsetKind = Literal["shift", "scale"]


class InputQuantizer(nn.Module):
    """A layer's input to the nearest of 2^bits values from ``low`` to ``high``.

    With an offset, each channel is shifted or scaled first, and nothing undoes it.

    Args:
        low: the least value.
        high: the greatest.
        bits: of a code.
        offset: what is done to each channel first.
        channels: of the input.
        penalty: computed on every input; None computes nothing.

    Attributes:
        penalized: the last penalty.
    """

    def __init__(
        self,
        low: float,
        high: float,
        bits: int,
        offset: OffsetKind | None,
        channels: int,
        penalty: Penalty | None,
    ) -> None:
        super().__init__()
        self.low = nn.Parameter(torch.tensor(low, dtype=torch.float32))
        self.high = nn.Parameter(torch.tensor(high, dtype=torch.float32))
        self.levels = float((1 << bits) - 1)
        self.kind = offset
        if offset is not None:
            start = float(offset == "scale")
            self.offset = nn.Parameter(torch.full((channels, 1, 1), start))
        self.penalty = penalty
        self.penalized: Tensor | None = None

    def forward(self, values: Tensor) -> Tensor:
        """Batch x channels x height x width to the same."""
        moved = values
        if self.kind == "shift":
            moved = values + self.offset
        elif self.kind == "scale":
            moved = values * self.offset.clamp(min=_NARROWEST)
        high = torch.maximum(self.high, self.low + _NARROWEST)
        quantized = asymmetric(moved, self.low, high, self.levels)
        if self.penalty is not None:
            self.penalized = self.penalty(values, quantized)
        return quantized

    def learned(self) -> dict[str, Tensor]:
        """The parameters by name, as they count: low, high, and shift or scale [channels]."""
        found = {"low": self.low, "high": torch.maximum(self.high, self.low + _NARROWEST)}
        if self.kind == "shift":
            found["shift"] = self.offset.reshape(-1)
        elif self.kind == "scale":
            found["scale"] = self.offset.clamp(min=_NARROWEST).reshape(-1)
        return found


class WeightQuantizer(nn.Module):
    """Weights to the nearest of 2^bits odd multiples of reach / (2^bits − 1).

    The reach is a percentile of the weights' magnitudes as they are now, times a learned factor
    (weight clipping correction, ODM version 2), or is learned by itself from there.

    Args:
        weight: of the layer, as it starts.
        bits: of a weight.
        percent: the percentile.
        corrects: whether the reach follows the weights.
    """

    def __init__(self, weight: Tensor, bits: int, percent: float, *, corrects: bool) -> None:
        super().__init__()
        self.percent = percent
        self.levels = float((1 << bits) - 1)
        self.corrects = corrects
        start = torch.ones(()) if corrects else percentile_reach(weight, percent)
        self.factor = nn.Parameter(start)

    def reach(self, weight: Tensor) -> Tensor:
        """The magnitude at which weights are clipped."""
        reach: Tensor = self.factor
        if self.corrects:
            reach = reach * percentile_reach(weight, self.percent)
        return reach.clamp(min=_NARROWEST)

    def forward(self, weight: Tensor) -> Tensor:
        """A weight of any shape to the same."""
        return mid_rise(weight, self.reach(weight), self.levels)


@torch.no_grad()
def percentile_reach(weight: Tensor, percent: float) -> Tensor:
    """A percentile of the magnitudes of a layer's weights; no gradient goes through it.

    Args:
        weight: of any shape.
        percent: 0…100; between two magnitudes it is interpolated.
    """
    magnitudes = weight.abs().reshape(-1)
    place = percent / 100 * (magnitudes.numel() - 1)
    below = int(place)
    largest = magnitudes.topk(magnitudes.numel() - below).values
    return torch.lerp(largest[-1], largest[max(len(largest) - 2, 0)], place - below)


def mismatch(values: Tensor, quantized: Tensor) -> Tensor:
    """‖X − q(X)‖₂ over a batch, q(X) being a fixed target (specification 5.1, O2 and O7)."""
    distance: Tensor = torch.linalg.vector_norm(values - quantized.detach())
    return distance


def straight_through_mismatch(values: Tensor, quantized: Tensor) -> Tensor:
    """The same with the gradient of q(X) as well: what remains is that of clipped values."""
    distance: Tensor = torch.linalg.vector_norm(values - quantized)
    return distance


def deviation(values: Tensor, _quantized: Tensor) -> Tensor:
    """The standard deviation of all of a layer's input over a batch (specification 5.2)."""
    centred = values - values.mean()
    spread: Tensor = torch.linalg.vector_norm(centred) / values.numel() ** 0.5
    return spread
