"""The residual dense network, with the parameter names of its authors' and EDSR-PyTorch's code."""

import torch
from torch import Tensor, nn

from quant.networks.config import RDNConfig
from quant.networks.layers import convolution, upsampling_steps


class DenseLayer(nn.Module):
    """3x3 convolution and ReLU; its result is stacked behind its input."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(convolution(inputs, growth), nn.ReLU())

    def forward(self, features: Tensor) -> Tensor:
        """N x inputs x H x W to N x (inputs + growth) x H x W."""
        return torch.cat((features, self.conv(features)), 1)


class ResidualDenseBlock(nn.Module):
    """Dense layers, a 1x1 convolution that fuses all of them, plus the input."""

    def __init__(self, config: RDNConfig) -> None:
        super().__init__()
        channels, growth = config.channels, config.growth
        self.convs = nn.Sequential(
            *(DenseLayer(channels + n * growth, growth) for n in range(config.layers))
        )
        self.LFF = convolution(channels + config.layers * growth, channels, kernel=1)

    def forward(self, features: Tensor) -> Tensor:
        """Features to features: float, N x channels x H x W."""
        fused: Tensor = self.LFF(self.convs(features))
        return fused + features


class RDN(nn.Module):
    """Residual dense network; ``RDN(RDNConfig(16, 8, 64, 64, 2))`` is configuration "B".

    Two 3x3 convolutions, dense blocks whose results are all fused by a 1x1 and a 3x3 convolution
    inside one long skip addition, 3x3 convolutions with pixel shuffles, 3x3 to colours. Source:
    arXiv 1802.08797, section 3.

    Attributes:
        config: the shape of the network.
    """

    def __init__(self, config: RDNConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        self.SFENet1 = convolution(3, channels)
        self.SFENet2 = convolution(channels, channels)
        self.RDBs = nn.ModuleList(ResidualDenseBlock(config) for _ in range(config.blocks))
        self.GFF = nn.Sequential(
            convolution(config.blocks * channels, channels, kernel=1),
            convolution(channels, channels),
        )
        self.UPNet = _upsampler(config)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge pictures: float, N x 3 x H x W in 0..255, to N x 3 x scale*H x scale*W."""
        shallow = self.SFENet1(image)
        features = self.SFENet2(shallow)
        results = []
        for block in self.RDBs:
            features = block(features)
            results.append(features)
        enlarged: Tensor = self.UPNet(self.GFF(torch.cat(results, 1)) + shallow)
        return enlarged


def _upsampler(config: RDNConfig) -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = config.channels
    for step in upsampling_steps(config.scale):
        layers += [convolution(inputs, config.growth * step * step), nn.PixelShuffle(step)]
        inputs = config.growth
    return nn.Sequential(*layers, convolution(inputs, 3))
