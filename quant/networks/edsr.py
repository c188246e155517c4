"""EDSR, with the parameter names of its authors' code, so that published weights load as they are.

Every operation is a plain ``nn`` module or an addition: ``torch.fx`` traces the forward into a
graph that can be lowered to integers operator by operator.
"""

import torch
from torch import Tensor, nn

from quant.networks.config import EDSRConfig

RGB_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean colour of the DIV2K training pictures, as a part of white; from the authors' code."""


class ResidualBlock(nn.Module):
    """3x3 convolution, ReLU, 3x3 convolution, times ``residual_scale``, plus the input."""

    def __init__(self, channels: int, residual_scale: float) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.body = nn.Sequential(
            _convolution(channels, channels), nn.ReLU(), _convolution(channels, channels)
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
        blocks = [ResidualBlock(channels, config.residual_scale) for _ in range(config.blocks)]
        self.sub_mean = _mean_shift(config, sign=-1)
        self.head = nn.Sequential(_convolution(config.colours, channels))
        self.body = nn.Sequential(*blocks, _convolution(channels, channels))
        self.tail = nn.Sequential(
            _upsampler(channels, config.scale), _convolution(channels, config.colours)
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


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)


def _upsampler(channels: int, scale: int) -> nn.Sequential:
    steps = [2, 2] if scale == 4 else [scale]
    layers: list[nn.Module] = []
    for step in steps:
        layers += [_convolution(channels, step * step * channels), nn.PixelShuffle(step)]
    return nn.Sequential(*layers)


def _mean_shift(config: EDSRConfig, sign: int) -> nn.Conv2d:
    """A frozen 1x1 identity convolution whose bias adds or subtracts the mean colour."""
    mean = RGB_MEAN if config.colours == 3 else (sum(RGB_MEAN) / 3,)
    shift = nn.Conv2d(config.colours, config.colours, kernel_size=1)
    with torch.no_grad():
        shift.weight.copy_(torch.eye(config.colours)[:, :, None, None])
        assert shift.bias is not None
        shift.bias.copy_(sign * config.pixel_range * torch.tensor(mean))
    return shift.requires_grad_(False)
