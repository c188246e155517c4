"""The mobile network of this project: a chain of 3x3 convolutions and a repeated picture.

``docs/networks.md`` says why it looks the way it does.
"""

from torch import Tensor, nn

from quant.networks.config import MobileSRConfig
from quant.networks.layers import convolution


class MobileSR(nn.Module):
    """3x3 convolutions with ReLUs to scale^2 colours, a pixel shuffle, plus the repeated picture.

    The chain learns what the enlarged picture lacks: every pixel of the input, repeated scale
    times each way, is added to its result (the anchor of Du et al., "Anchor-based plain net for
    mobile image super-resolution", CVPR workshops 2021, arXiv 2105.09750). The sum is clamped to
    the range of pixels.

    Attributes:
        config: the shape of the network.
    """

    def __init__(self, config: MobileSRConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        self.head = nn.Sequential(convolution(3, channels), nn.ReLU())
        layers: list[nn.Module] = []
        for _ in range(config.layers):
            layers += [convolution(channels, channels), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.tail = nn.Sequential(
            convolution(channels, 3 * config.scale**2), nn.PixelShuffle(config.scale)
        )
        self.anchor = nn.Upsample(scale_factor=config.scale, mode="nearest")
        self.clip = nn.Hardtanh(0.0, config.pixel_range)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge pictures: float, N x 3 x H x W in 0..255, to N x 3 x scale*H x scale*W."""
        detail = self.tail(self.body(self.head(image)))
        enlarged: Tensor = detail + self.anchor(image)
        # While it trains, a clamped pixel would have no gradient.
        return enlarged if self.training else self.clip(enlarged)
