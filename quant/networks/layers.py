"""Pieces several networks are built from."""

from collections.abc import Sequence

import torch
from torch import nn


def convolution(inputs: int, outputs: int, kernel: int = 3, *, bias: bool = True) -> nn.Conv2d:
    """A convolution of stride 1 that keeps height and width, for an odd kernel."""
    return nn.Conv2d(inputs, outputs, kernel_size=kernel, padding=kernel // 2, bias=bias)


def upsampling_steps(scale: int) -> list[int]:
    """Factors of the pixel shuffles that enlarge by 2, 3 or 4: fours are two times two."""
    return [2, 2] if scale == 4 else [scale]


def colour_shift(colour: Sequence[float]) -> nn.Conv2d:
    """A frozen 1x1 identity convolution that adds one colour to every pixel."""
    shift = nn.Conv2d(len(colour), len(colour), kernel_size=1)
    with torch.no_grad():
        shift.weight.copy_(torch.eye(len(colour))[:, :, None, None])
        assert shift.bias is not None
        shift.bias.copy_(torch.tensor(colour))
    return shift.requires_grad_(False)
