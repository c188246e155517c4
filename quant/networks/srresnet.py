"""SRResNet, with and without batch normalization, and the SRGAN generator.

Every operation is a plain ``nn`` module, an addition or a constant factor, which ``torch.fx``
traces. Convolutions in front of a batch normalization have no bias, which would change nothing.
"""

from torch import Tensor, nn

from quant.networks.config import MSRResNetConfig, SRGANConfig, SRResNetConfig
from quant.networks.layers import colour_shift, convolution, upsampling_steps

_PICTURE_KERNEL = 9  # of the first and last convolution of SRResNet


class NormalizedBlock(nn.Module):
    """3x3 convolution, normalization, PReLU, 3x3 convolution, normalization, plus the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(channels, channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.PReLU(channels),
            convolution(channels, channels, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features to features: float, N x channels x H x W."""
        residual: Tensor = self.body(features)
        return residual + features


class SRResNet(nn.Module):
    """The residual network of the SRGAN paper; ``SRResNet(SRResNetConfig(16, 64, 4))`` is its size.

    9x9 head with PReLU, blocks and a normalized 3x3 convolution inside one long skip addition, 3x3
    convolutions with pixel shuffles and PReLUs up to the scale, 9x9 to colours. Slopes are per
    channel. Parameter names are those of the quantization literature's EDSR-style code
    (``head``, ``body``, ``tail``); source: arXiv 1609.04802, figure 4.

    Attributes:
        config: the shape of the network.
    """

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        blocks = [NormalizedBlock(channels) for _ in range(config.blocks)]
        if config.input_mean is not None:
            self.sub_mean = colour_shift([-config.pixel_range * part for part in config.input_mean])
        self.head = nn.Sequential(convolution(3, channels, _PICTURE_KERNEL), nn.PReLU(channels))
        self.body = nn.Sequential(
            *blocks, convolution(channels, channels, bias=False), nn.BatchNorm2d(channels)
        )
        self.tail = nn.Sequential(
            _normalized_upsampler(channels, config.scale), convolution(channels, 3, _PICTURE_KERNEL)
        )
        if config.tanh:
            self.squash = nn.Tanh()

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge pictures: float, N x 3 x H x W in 0..255, to N x 3 x scale*H x scale*W."""
        centred = image if self.config.input_mean is None else self.sub_mean(image)
        shallow = self.head(centred)
        enlarged: Tensor = self.tail(self.body(shallow) + shallow)
        if self.config.tanh:
            half = self.config.pixel_range / 2
            enlarged = self.squash(enlarged) * half + half
        return enlarged


class PlainBlock(nn.Module):
    """3x3 convolution, ReLU, 3x3 convolution, plus the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = convolution(channels, channels)
        self.relu = nn.ReLU()
        self.conv2 = convolution(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Features to features: float, N x channels x H x W."""
        residual: Tensor = self.conv2(self.relu(self.conv1(features)))
        return residual + features


class MSRResNet(nn.Module):
    """BasicSR's modified SRResNet: no normalization, leaky ReLUs, a bilinear long skip.

    Parameter names are those of BasicSR, so that its published weights load as they are.

    Attributes:
        config: the shape of the network.
    """

    _SLOPE = 0.1

    def __init__(self, config: MSRResNetConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        steps = upsampling_steps(config.scale)
        self.conv_first = convolution(3, channels)
        self.body = nn.Sequential(*(PlainBlock(channels) for _ in range(config.blocks)))
        self.upconv1 = convolution(channels, channels * steps[0] ** 2)
        if len(steps) == 2:
            self.upconv2 = convolution(channels, channels * steps[1] ** 2)
        self.pixel_shuffle = nn.PixelShuffle(steps[0])
        self.conv_hr = convolution(channels, channels)
        self.conv_last = convolution(channels, 3)
        self.lrelu = nn.LeakyReLU(self._SLOPE)
        self.base = nn.Upsample(scale_factor=config.scale, mode="bilinear", align_corners=False)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge pictures: float, N x 3 x H x W in 0..1, to N x 3 x scale*H x scale*W."""
        features = self.body(self.lrelu(self.conv_first(image)))
        features = self.lrelu(self.pixel_shuffle(self.upconv1(features)))
        if self.config.scale == 4:
            features = self.lrelu(self.pixel_shuffle(self.upconv2(features)))
        enlarged: Tensor = self.conv_last(self.lrelu(self.conv_hr(features))) + self.base(image)
        return enlarged


class GeneratorBlock(nn.Module):
    """A normalized residual block under the names of the published generator."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = convolution(channels, channels)
        self.bn1 = nn.BatchNorm2d(channels)
        self.prelu = nn.PReLU()
        self.conv2 = convolution(channels, channels)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Features to features: float, N x channels x H x W."""
        residual: Tensor = self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(features)))))
        return features + residual


class GeneratorUpsampler(nn.Module):
    """3x3 convolution, pixel shuffle, PReLU."""

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.conv = convolution(channels, factor**2 * channels)
        self.pixel_shuffle = nn.PixelShuffle(factor)
        self.prelu = nn.PReLU()

    def forward(self, features: Tensor) -> Tensor:
        """N x channels x H x W to N x channels x factor*H x factor*W."""
        enlarged: Tensor = self.prelu(self.pixel_shuffle(self.conv(features)))
        return enlarged


class SRGANGenerator(nn.Module):
    """The published SRGAN generator of five blocks: SRResNet with one slope per PReLU, and tanh.

    Parameter names are those of the published code (leftthomas), so that its weights load as they
    are; there, unlike in the paper, the trunk ends in a PReLU instead of a normalization.

    Attributes:
        config: the shape of the network.
    """

    CHANNELS = 64

    def __init__(self, config: SRGANConfig) -> None:
        super().__init__()
        self.config = config
        channels = self.CHANNELS
        upsamplers = [GeneratorUpsampler(channels, step) for step in upsampling_steps(config.scale)]
        self.block1 = nn.Sequential(convolution(3, channels, _PICTURE_KERNEL), nn.PReLU())
        self.block2 = GeneratorBlock(channels)
        self.block3 = GeneratorBlock(channels)
        self.block4 = GeneratorBlock(channels)
        self.block5 = GeneratorBlock(channels)
        self.block6 = GeneratorBlock(channels)
        self.block7 = nn.Sequential(convolution(channels, channels), nn.PReLU())
        self.block8 = nn.Sequential(*upsamplers, convolution(channels, 3, _PICTURE_KERNEL))
        self.squash = nn.Tanh()

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge pictures: float, N x 3 x H x W in 0..1, to N x 3 x scale*H x scale*W."""
        shallow = self.block1(image)
        deep = self.block6(self.block5(self.block4(self.block3(self.block2(shallow)))))
        enlarged: Tensor = self.squash(self.block8(shallow + self.block7(deep)))
        return enlarged * 0.5 + 0.5


def _normalized_upsampler(channels: int, scale: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for step in upsampling_steps(scale):
        layers += [
            convolution(channels, step * step * channels),
            nn.PixelShuffle(step),
            nn.PReLU(channels),
        ]
    return nn.Sequential(*layers)
