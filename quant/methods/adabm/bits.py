"""Bits that images and layers decide, and the gradients that flow to what decides them.

The forward values are whole numbers of −1, 0 and 1; the gradients are those of smooth functions
through the same points (straight-through): tanh of the complexity's place between the thresholds,
and of the layer's measure. Specification 2.3; AdaBM (CVPR 2024), section 3.2.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from quant.methods.adabm.complexity import GREY, SOBEL

SENSITIVITY_PERCENTILES = (30, 70)
"""Layers of less sensitivity than the first lose a bit, those of more than the second gain one."""

LEAST_GAP = 1e-3
"""Between the thresholds of an image's complexity; keeps the smooth function finite."""


def complexities(images: Tensor) -> Tensor:
    """`quant.methods.adabm.complexity.complexity` of each image of a batch.

    Args:
        images: batch x 3 x height x width, pixels 0…255.

    Returns:
        float64 [batch].
    """
    grey = torch.einsum("bchw,c->bhw", images.double(), torch.tensor(GREY).double() / 1000)[:, None]
    across = torch.tensor(SOBEL, dtype=torch.float64)
    kernels = torch.stack([across, across.T])[:, None]
    padded = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
    total = functional.conv2d(padded, kernels).abs().sum(dim=(1, 2, 3))
    return total / (4.08 * images.shape[2] * images.shape[3])


class ImageBits(nn.Module):
    """Bits that an image adds: two thresholds of its complexity.

    Attributes:
        thresholds: [2], lower and upper.
    """

    def __init__(self) -> None:
        super().__init__()
        self.thresholds = nn.Parameter(torch.tensor([0.0, LEAST_GAP], dtype=torch.float64))
        self.offsets = torch.zeros(1, 1, 1, 1)

    def look_at(self, images: Tensor) -> None:
        """Decide for a batch: ``offsets`` becomes [batch, 1, 1, 1]."""
        lower, upper = self.thresholds
        found = complexities(images)
        hard = (found > upper).double() - (found < lower).double()
        smooth = torch.tanh((found - (upper + lower) / 2) * 2 / (upper - lower))
        self.offsets = (hard.detach() + (smooth - smooth.detach())).float()[:, None, None, None]

    def keep_apart(self) -> None:
        """Move the upper threshold so that it stays above the lower one."""
        with torch.no_grad():
            lower, upper = self.thresholds
            self.thresholds[1] = torch.maximum(upper, lower + LEAST_GAP)


def layer_offset(measure: Tensor) -> Tensor:
    """The bits a layer adds: its measure rounded to −1, 0 or 1, with the gradient of tanh."""
    smooth = torch.tanh(measure)
    hard = measure.clamp(-1, 1).round()
    return hard.detach() + (smooth - smooth.detach())


def initial_offsets(sensitivities: Sequence[float]) -> NDArray[np.float64]:
    """−1 for the least sensitive layers, 1 for the most sensitive, 0 for those between.

    Args:
        sensitivities: of the adaptive layers.
    """
    values = np.array(sensitivities, np.float64)
    low, high = np.percentile(values, SENSITIVITY_PERCENTILES)
    offsets: NDArray[np.float64] = (values > high).astype(np.float64) - (values < low)
    return offsets
