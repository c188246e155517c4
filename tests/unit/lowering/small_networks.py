"""Small torch networks with seeded weights, and a picture to run through them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quant.networks import EDSRConfig
from quant.networks.build import build_network


def picture(height: int = 17, width: int = 22, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth waves and noise, so that neighbouring pixels are related as in photographs."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width] / 6.0
    waves = [np.sin(rows * k + columns) + np.cos(columns * (k + 1)) for k in range(3)]
    values = 128 + 45 * np.stack(waves, axis=2) + generator.normal(0, 20, (height, width, 3))
    return values.clip(0, 255).astype(np.uint8)


def edsr(blocks: int = 2, channels: int = 8, scale: int = 2, **settings: Any) -> nn.Module:
    config = EDSRConfig(blocks=blocks, channels=channels, scale=scale, **settings)
    return build_network(config, seed=1).eval()


class Net(nn.Module):
    """Two 3x3 convolutions and whatever a test does with them."""

    def __init__(self, use: Callable[["Net", Tensor], Tensor]) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.first = nn.Conv2d(3, 4, 3, padding=1)
            self.second = nn.Conv2d(4, 4, 3, padding=1)
            self.last = nn.Conv2d(4, 3, 3, padding=1)
            self.upsampler = nn.Conv2d(4, 12, 3, padding=1)
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor([114.0, 111.0, 103.0])[None, :, None, None])
        self._use = use

    def forward(self, image: Tensor) -> Tensor:
        return self._use(self, image)
