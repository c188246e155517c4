"""EDSR, with the parameter names of its authors' code, so that published weights load as they are.

Every operation is a plain ``nn`` module or an addition: ``torch.fx`` traces the forward into a
graph that can be lowered to integers operator by operator.
"""

import torch
from torch import Tensor, nn

from quant.networks.config import DirectEDSRConfig, EDSRConfig
from quant.networks.layers import colour_shift, convolution, upsampling_steps

RGB_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean colour of the DIV2K training pictures, as a part of white; from the authors' code."""


class ResidualBlock(nn.Module):
    """3x3 convolution, ReLU, 3x3 convolution, times ``residual_scale``, plus the input.

    With ``prelu``, a PReLU of one slope takes the place of the ReLU.
    """

    def __init__(self, channels: int, residual_scale: float, *, prelu: bool = False) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.body = nn.Sequential(
            convolution(channels, channels),
            nn.PReLU() if prelu else nn.ReLU(),
            convolution(channels, channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features to features: float, N x channels x H x W."""
        residual: Tensor = self.body(features)
        if self.residual_scale != 1.0:
            residual = residual * self.residual_scale
        return residual + features


class EDSR(nn.Module):
    """Enhanced deep super-resolution network; ``EDSR(EDSRConfig(16, 64, 2))`` is EDSR-baseline x2.

    Subtract the mean colour, 3x3 head, residual blocks and a 3x3 convolution inside one long skip
    addition, 3x3 convolutions with pixel shuffles up to the scale, 3x3 to colours, add the mean.
    Source: arXiv 1707.02921, section 3, and the parameter names of the authors' published code.

    Attributes:
        config: the shape of the network.
    """

    def __init__(self, config: EDSRConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        blocks = [
            ResidualBlock(channels, config.residual_scale, prelu=config.prelu)
            for _ in range(config.blocks)
        ]
        self.sub_mean = _mean_shift(config, sign=-1)
        self.head = nn.Sequential(convolution(config.colours, channels))
        self.body = nn.Sequential(*blocks, convolution(channels, channels))
        self.tail = nn.Sequential(
            _upsampler(channels, config.scale), convolution(channels, config.colours)
        )
        self.add_mean = _mean_shift(config, sign=1)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge pictures.

        Args:
            image: float tensor, N x colours x H x W, values 0..pixel_range.

        Returns:
            float tensor, N x colours x scale*H x scale*W, not clamped.
        """
        shallow = self.head(self.sub_mean(image))
        deep = self.body(shallow) + shallow
        enlarged: Tensor = self.add_mean(self.tail(deep))
        return enlarged

    def implied_state(self) -> dict[str, Tensor]:
        """Slopes that weights of the same network with ReLUs do not have: a ReLU's slope is 0."""
        blocks = range(self.config.blocks if self.config.prelu else 0)
        return {f"body.{block}.body.1.weight": torch.zeros(1) for block in blocks}


class DirectEDSR(nn.Module):
    """EDSR without mean colour, whose last convolution gives every pixel of an enlarged block.

    The network of the MLPerf Mobile super-resolution task: 3x3 head, residual blocks and a 3x3
    convolution inside one long skip addition, one 3x3 convolution to scale^2 colours, one pixel
    shuffle. Nothing but the picture itself is ever as large as the picture.

    Attributes:
        config: the shape of the network.
    """

    def __init__(self, config: DirectEDSRConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        blocks = [ResidualBlock(channels, residual_scale=1.0) for _ in range(config.blocks)]
        self.head = nn.Sequential(convolution(3, channels))
        self.body = nn.Sequential(*blocks, convolution(channels, channels))
        self.tail = nn.Sequential(
            convolution(channels, 3 * config.scale**2), nn.PixelShuffle(config.scale)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge pictures: float, N x 3 x H x W in 0..255, to N x 3 x scale*H x scale*W."""
        shallow = self.head(image)
        enlarged: Tensor = self.tail(self.body(shallow) + shallow)
        return enlarged


def _upsampler(channels: int, scale: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for step in upsampling_steps(scale):
        layers += [convolution(channels, step * step * channels), nn.PixelShuffle(step)]
    return nn.Sequential(*layers)


def _mean_shift(config: EDSRConfig, sign: int) -> nn.Conv2d:
    mean = RGB_MEAN if config.colours == 3 else (sum(RGB_MEAN) / 3,)
    return colour_shift([sign * config.pixel_range * part for part in mean])
