"""Networks as other code bases compute them: their names, their range of pixels, their order.

Each class draws small random weights and computes pictures with ``torch.nn.functional`` alone, so
that it shares nothing with the networks and the conversions it is compared with.
"""

import torch
from torch import Tensor
from torch.nn import functional

from quant.networks.config import (
    DirectEDSRConfig,
    EDSRConfig,
    MSRResNetConfig,
    NetworkConfig,
    RDNConfig,
    SRGANConfig,
    SRResNetConfig,
)

MEAN = torch.tensor([0.4488, 0.4371, 0.4040])[None, :, None, None]
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406])[None, :, None, None]
IMAGENET_DEVIATION = torch.tensor([0.229, 0.224, 0.225])[None, :, None, None]
BLOCKS, CHANNELS = 2, 6


class Foreign:
    """Draws weights by name; ``state`` is what the code base would have saved."""

    config: NetworkConfig

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(0)
        self.state: dict[str, Tensor] = {}

    def convolution(
        self, name: str, inputs: int, outputs: int, kernel: int = 3, bias: bool = True
    ) -> None:
        spread = 0.7 / (inputs * kernel * kernel) ** 0.5
        self.state[f"{name}.weight"] = spread * self._random(outputs, inputs, kernel, kernel)
        if bias:
            self.state[f"{name}.bias"] = 0.1 * self._random(outputs)

    def normalization(self, name: str, channels: int) -> None:
        self.state[f"{name}.weight"] = 1 + 0.2 * self._random(channels)
        self.state[f"{name}.bias"] = 0.1 * self._random(channels)
        self.state[f"{name}.running_mean"] = 0.1 * self._random(channels)
        self.state[f"{name}.running_var"] = 1 + self._random(channels).abs()

    def slopes(self, name: str, channels: int = 1) -> None:
        self.state[f"{name}.weight"] = 0.25 + 0.1 * self._random(channels)

    def convolve(self, name: str, features: Tensor) -> Tensor:
        weight = self.state[f"{name}.weight"]
        bias = self.state.get(f"{name}.bias")
        return functional.conv2d(features, weight, bias, padding=weight.shape[2] // 2)

    def normalize(self, name: str, features: Tensor) -> Tensor:
        mean, variance, scale, offset = (
            self.state[f"{name}.{kind}"]
            for kind in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(features, mean, variance, scale, offset)

    def prelu(self, name: str, features: Tensor) -> Tensor:
        return functional.prelu(features, self.state[f"{name}.weight"])

    def picture(self, image: Tensor) -> Tensor:
        """From pixels in 0..255 to pixels in 0..255."""
        raise NotImplementedError

    def _random(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator)


class EDSRWithMean(Foreign):
    """EDSR on (pixel - mean) / (white / 2), with the mean colour in a buffer."""

    config = EDSRConfig(BLOCKS, CHANNELS, 2)

    def __init__(self) -> None:
        super().__init__()
        self.state["mean"] = MEAN.flatten()
        self.convolution("head", 3, CHANNELS)
        for n in range(BLOCKS):
            self.convolution(f"body.{n}.0", CHANNELS, CHANNELS)
            self.convolution(f"body.{n}.2", CHANNELS, CHANNELS)
        self.convolution(f"body.{BLOCKS}", CHANNELS, CHANNELS)
        self.convolution("up.0", CHANNELS, 4 * CHANNELS)
        self.convolution("tail", CHANNELS, 3)

    def picture(self, image: Tensor) -> Tensor:
        shallow = features = self.convolve("head", (image / 255 - MEAN) / 0.5)
        for n in range(BLOCKS):
            inner = self.convolve(f"body.{n}.0", features).relu()
            features = features + self.convolve(f"body.{n}.2", inner)
        features = self.convolve(f"body.{BLOCKS}", features) + shallow
        enlarged = functional.pixel_shuffle(self.convolve("up.0", features), 2)
        return (self.convolve("tail", enlarged) * 0.5 + MEAN) * 255


class PublishedEDSR(Foreign):
    """EDSR x3 of EDSR-PyTorch with weakened residuals, on pixels in 0..255."""

    config = EDSRConfig(BLOCKS, CHANNELS, 3, residual_scale=0.1)

    def __init__(self) -> None:
        super().__init__()
        for name, sign in (("sub_mean", -1), ("add_mean", 1)):
            self.state[f"{name}.weight"] = torch.eye(3)[:, :, None, None]
            self.state[f"{name}.bias"] = sign * 255 * MEAN.flatten()
        self.convolution("head.0", 3, CHANNELS)
        for n in range(BLOCKS):
            self.convolution(f"body.{n}.body.0", CHANNELS, CHANNELS)
            self.convolution(f"body.{n}.body.2", CHANNELS, CHANNELS)
        self.convolution(f"body.{BLOCKS}", CHANNELS, CHANNELS)
        scale = self.config.scale
        self.convolution("tail.0.0", CHANNELS, scale**2 * CHANNELS)
        self.convolution("tail.1", CHANNELS, 3)

    def activate(self, block: int, features: Tensor) -> Tensor:
        return features.relu()

    def picture(self, image: Tensor) -> Tensor:
        shallow = features = self.convolve("head.0", image - 255 * MEAN)
        for n in range(BLOCKS):
            inner = self.activate(n, self.convolve(f"body.{n}.body.0", features))
            residual = self.convolve(f"body.{n}.body.2", inner)
            features = features + self.config.residual_scale * residual
        features = self.convolve(f"body.{BLOCKS}", features) + shallow
        wide = self.convolve("tail.0.0", features)
        enlarged = functional.pixel_shuffle(wide, self.config.scale)
        return self.convolve("tail.1", enlarged) + 255 * MEAN


class PublishedPReLUEDSR(PublishedEDSR):
    """EDSR x2 of FQSR, whose blocks have a slope each."""

    config = EDSRConfig(BLOCKS, CHANNELS, 2, prelu=True)

    def __init__(self) -> None:
        super().__init__()
        for n in range(BLOCKS):
            self.slopes(f"body.{n}.body.1")

    def activate(self, block: int, features: Tensor) -> Tensor:
        return self.prelu(f"body.{block}.body.1", features)


class BasicSREDSR(Foreign):
    """BasicSR's EDSR x4, whose mean colour is no part of its state."""

    config = EDSRConfig(BLOCKS, CHANNELS, 4)

    def __init__(self) -> None:
        super().__init__()
        self.convolution("conv_first", 3, CHANNELS)
        for n in range(BLOCKS):
            self.convolution(f"body.{n}.conv1", CHANNELS, CHANNELS)
            self.convolution(f"body.{n}.conv2", CHANNELS, CHANNELS)
        self.convolution("conv_after_body", CHANNELS, CHANNELS)
        self.convolution("upsample.0", CHANNELS, 4 * CHANNELS)
        self.convolution("upsample.2", CHANNELS, 4 * CHANNELS)
        self.convolution("conv_last", CHANNELS, 3)

    def picture(self, image: Tensor) -> Tensor:
        shallow = features = self.convolve("conv_first", (image / 255 - MEAN) * 255)
        for n in range(BLOCKS):
            inner = self.convolve(f"body.{n}.conv1", features).relu()
            features = features + self.convolve(f"body.{n}.conv2", inner)
        features = self.convolve("conv_after_body", features) + shallow
        for name in ("upsample.0", "upsample.2"):
            features = functional.pixel_shuffle(self.convolve(name, features), 2)
        return (self.convolve("conv_last", features) / 255 + MEAN) * 255


class MLPerfEDSR(Foreign):
    """MLPerf's EDSR: numbered convolutions with a flag each, depth to space with colours last."""

    config = DirectEDSRConfig(BLOCKS, CHANNELS, 2)

    def __init__(self) -> None:
        super().__init__()
        last = 2 * BLOCKS + 2
        for n in range(last + 1):
            self.convolution(f"conv{n}", 3 if n == 0 else CHANNELS, 12 if n == last else CHANNELS)
            self.state[f"conv{n}.relu"] = torch.tensor(int(n % 2 == 1 and n < last - 1))

    def picture(self, image: Tensor) -> Tensor:
        shallow = features = self.convolve("conv0", image)
        for n in range(BLOCKS):
            inner = self.convolve(f"conv{2 * n + 1}", features).relu()
            features = features + self.convolve(f"conv{2 * n + 2}", inner)
        features = self.convolve(f"conv{2 * BLOCKS + 1}", features) + shallow
        depth = self.convolve(f"conv{2 * BLOCKS + 2}", features)
        pictures, _, height, width = depth.shape
        blocks = depth.reshape(pictures, 2, 2, 3, height, width).permute(0, 3, 4, 1, 5, 2)
        return blocks.reshape(pictures, 3, 2 * height, 2 * width)


class NumberedSRResNet(Foreign):
    """SRResNet x4 with numbered layers, from 0..1 to -1..1, with a slope per channel."""

    config = SRResNetConfig(BLOCKS, CHANNELS, 4)

    def __init__(self) -> None:
        super().__init__()
        self.convolution("c0", 3, CHANNELS, 9)
        for n in range(1, 2 * BLOCKS + 2):
            self.convolution(f"c{n}", CHANNELS, CHANNELS, bias=False)
            self.normalization(f"n{n - 1}", CHANNELS)
        for n in (2 * BLOCKS + 2, 2 * BLOCKS + 3):
            self.convolution(f"c{n}", CHANNELS, 4 * CHANNELS)
        self.convolution(f"c{2 * BLOCKS + 4}", CHANNELS, 3, 9)
        for n in range(BLOCKS + 3):
            self.slopes(f"s{n}", CHANNELS)
        self.layers, self.state = self.state, {}
        kinds = {"running_mean": "moving_mean", "running_var": "moving_var"}
        norms = {"weight": "gamma", "bias": "beta"}
        for name, value in self.layers.items():
            layer, kind = name.split(".")
            word = {"c": "convolution", "n": "batchnorm", "s": "leakyrelu"}[layer[0]]
            theirs = norms.get(kind, kind) if layer[0] == "n" else kind
            self.state[f"{word}{layer[1:]}_{kinds.get(theirs, theirs)}"] = value

    def picture(self, image: Tensor) -> Tensor:
        saved, self.state = self.state, self.layers
        shallow = features = self.prelu("s0", self.convolve("c0", image / 255))
        for n in range(BLOCKS):
            inner = self.normalize(f"n{2 * n}", self.convolve(f"c{2 * n + 1}", features))
            inner = self.convolve(f"c{2 * n + 2}", self.prelu(f"s{n + 1}", inner))
            features = features + self.normalize(f"n{2 * n + 1}", inner)
        last = 2 * BLOCKS
        features = self.normalize(f"n{last}", self.convolve(f"c{last + 1}", features)) + shallow
        for step in (0, 1):
            wide = self.convolve(f"c{last + 2 + step}", features)
            features = self.prelu(f"s{BLOCKS + 1 + step}", functional.pixel_shuffle(wide, 2))
        picture = (self.convolve(f"c{last + 4}", features) + 1) * 127.5
        self.state = saved
        return picture


class TutorialSRResNet(Foreign):
    """SRResNet x4 of the PyTorch tutorial: ImageNet's normalization, biases everywhere, tanh."""

    config = SRResNetConfig(BLOCKS, CHANNELS, 4, input_mean=(0.485, 0.456, 0.406), tanh=True)
    prefix = ""

    def __init__(self) -> None:
        super().__init__()
        p = self.prefix
        self.convolution(f"{p}conv_block1.conv_block.0", 3, CHANNELS, 9)
        self.slopes(f"{p}conv_block1.conv_block.1")
        for n in range(BLOCKS):
            block = f"{p}residual_blocks.{n}"
            for half in (1, 2):
                self.convolution(f"{block}.conv_block{half}.conv_block.0", CHANNELS, CHANNELS)
                self.normalization(f"{block}.conv_block{half}.conv_block.1", CHANNELS)
            self.slopes(f"{block}.conv_block1.conv_block.2")
        self.convolution(f"{p}conv_block2.conv_block.0", CHANNELS, CHANNELS)
        self.normalization(f"{p}conv_block2.conv_block.1", CHANNELS)
        for step in (0, 1):
            name = f"{p}subpixel_convolutional_blocks.{step}"
            self.convolution(f"{name}.conv", CHANNELS, 4 * CHANNELS)
            self.slopes(f"{name}.prelu")
        self.convolution(f"{p}conv_block3.conv_block.0", CHANNELS, 3, 9)

    def picture(self, image: Tensor) -> Tensor:
        p = self.prefix
        normalized = (image / 255 - IMAGENET_MEAN) / IMAGENET_DEVIATION
        first = self.convolve(f"{p}conv_block1.conv_block.0", normalized)
        shallow = features = self.prelu(f"{p}conv_block1.conv_block.1", first)
        for n in range(BLOCKS):
            one, two = (f"{p}residual_blocks.{n}.conv_block{half}.conv_block" for half in (1, 2))
            inner = self.normalize(f"{one}.1", self.convolve(f"{one}.0", features))
            inner = self.convolve(f"{two}.0", self.prelu(f"{one}.2", inner))
            features = features + self.normalize(f"{two}.1", inner)
        middle = f"{p}conv_block2.conv_block"
        features = self.normalize(f"{middle}.1", self.convolve(f"{middle}.0", features)) + shallow
        for step in (0, 1):
            name = f"{p}subpixel_convolutional_blocks.{step}"
            wide = functional.pixel_shuffle(self.convolve(f"{name}.conv", features), 2)
            features = self.prelu(f"{name}.prelu", wide)
        return (self.convolve(f"{p}conv_block3.conv_block.0", features).tanh() + 1) * 127.5


class TutorialGenerator(TutorialSRResNet):
    """The same network as the generator of an SRGAN, one level deeper."""

    prefix = "net."


class EDSRStyleSRResNet(Foreign):
    """SRResNet x2 of the quantization literature: no biases, one slope per PReLU."""

    config = SRResNetConfig(BLOCKS, CHANNELS, 2)

    def __init__(self) -> None:
        super().__init__()
        scale = self.config.scale
        self.convolution("head.0", 3, CHANNELS, 9, bias=False)
        self.slopes("head.1")
        for n in range(BLOCKS):
            for layer in (0, 3):
                self.convolution(f"body.{n}.body.{layer}", CHANNELS, CHANNELS, bias=False)
                self.normalization(f"body.{n}.body.{layer + 1}", CHANNELS)
            self.slopes(f"body.{n}.body.2")
        self.convolution(f"body.{BLOCKS}", CHANNELS, CHANNELS, bias=False)
        self.normalization(f"body.{BLOCKS + 1}", CHANNELS)
        self.convolution("tail.0.0", CHANNELS, scale**2 * CHANNELS, bias=False)
        self.slopes("tail.0.2")
        self.convolution("tail.1", CHANNELS, 3, 9, bias=False)

    def picture(self, image: Tensor) -> Tensor:
        shallow = features = self.prelu("head.1", self.convolve("head.0", image))
        for n in range(BLOCKS):
            b = f"body.{n}.body"
            inner = self.normalize(f"{b}.1", self.convolve(f"{b}.0", features))
            inner = self.convolve(f"{b}.3", self.prelu(f"{b}.2", inner))
            features = features + self.normalize(f"{b}.4", inner)
        trunk = self.normalize(f"body.{BLOCKS + 1}", self.convolve(f"body.{BLOCKS}", features))
        scale = self.config.scale
        wide = functional.pixel_shuffle(self.convolve("tail.0.0", trunk + shallow), scale)
        return self.convolve("tail.1", self.prelu("tail.0.2", wide))


class EDSRStyleSRResNetX3(EDSRStyleSRResNet):
    """The same x3: one shuffle by three."""

    config = SRResNetConfig(BLOCKS, CHANNELS, 3)


class BasicSRMSRResNet(Foreign):
    """BasicSR's MSRResNet x4 on pixels in 0..1."""

    config = MSRResNetConfig(BLOCKS, CHANNELS, 4)

    def __init__(self) -> None:
        super().__init__()
        self.convolution("conv_first", 3, CHANNELS)
        for n in range(BLOCKS):
            self.convolution(f"body.{n}.conv1", CHANNELS, CHANNELS)
            self.convolution(f"body.{n}.conv2", CHANNELS, CHANNELS)
        self.convolution("upconv1", CHANNELS, 4 * CHANNELS)
        self.convolution("upconv2", CHANNELS, 4 * CHANNELS)
        self.convolution("conv_hr", CHANNELS, CHANNELS)
        self.convolution("conv_last", CHANNELS, 3)

    def picture(self, image: Tensor) -> Tensor:
        image = image / 255
        features = functional.leaky_relu(self.convolve("conv_first", image), 0.1)
        for n in range(BLOCKS):
            inner = self.convolve(f"body.{n}.conv1", features).relu()
            features = features + self.convolve(f"body.{n}.conv2", inner)
        for name in ("upconv1", "upconv2"):
            shuffled = functional.pixel_shuffle(self.convolve(name, features), 2)
            features = functional.leaky_relu(shuffled, 0.1)
        features = functional.leaky_relu(self.convolve("conv_hr", features), 0.1)
        base = functional.interpolate(image, scale_factor=4, mode="bilinear", align_corners=False)
        return (self.convolve("conv_last", features) + base) * 255


class LeftthomasGenerator(Foreign):
    """The SRGAN generator of five blocks, x2, on pixels in 0..1, from before batch counters."""

    config = SRGANConfig(scale=2)

    def __init__(self) -> None:
        super().__init__()
        self.convolution("block1.0", 3, 64, 9)
        self.slopes("block1.1")
        for n in range(2, 7):
            for half in (1, 2):
                self.convolution(f"block{n}.conv{half}", 64, 64)
                self.normalization(f"block{n}.bn{half}", 64)
            self.slopes(f"block{n}.prelu")
        self.convolution("block7.0", 64, 64)
        self.slopes("block7.1")
        self.convolution("block8.0.conv", 64, 256)
        self.slopes("block8.0.prelu")
        self.convolution("block8.1", 64, 3, 9)

    def picture(self, image: Tensor) -> Tensor:
        shallow = features = self.prelu("block1.1", self.convolve("block1.0", image / 255))
        for n in range(2, 7):
            b = f"block{n}"
            inner = self.normalize(f"{b}.bn1", self.convolve(f"{b}.conv1", features))
            inner = self.convolve(f"{b}.conv2", self.prelu(f"{b}.prelu", inner))
            features = features + self.normalize(f"{b}.bn2", inner)
        features = shallow + self.prelu("block7.1", self.convolve("block7.0", features))
        wide = functional.pixel_shuffle(self.convolve("block8.0.conv", features), 2)
        last = self.convolve("block8.1", self.prelu("block8.0.prelu", wide))
        return (last.tanh() + 1) / 2 * 255


class PublishedRDN(Foreign):
    """RDN x4 of EDSR-PyTorch, whose upsampler goes on with the growth's channels."""

    config = RDNConfig(blocks=2, layers=3, growth=4, channels=6, scale=4)

    def __init__(self) -> None:
        super().__init__()
        self.convolution("SFENet1", 3, 6)
        self.convolution("SFENet2", 6, 6)
        for n in range(2):
            for layer in range(3):
                self.convolution(f"RDBs.{n}.convs.{layer}.conv.0", 6 + 4 * layer, 4)
            self.convolution(f"RDBs.{n}.LFF", 6 + 4 * 3, 6, 1)
        self.convolution("GFF.0", 2 * 6, 6, 1)
        self.convolution("GFF.1", 6, 6)
        self.convolution("UPNet.0", 6, 4 * 4)
        self.convolution("UPNet.2", 4, 4 * 4)
        self.convolution("UPNet.4", 4, 3)

    def picture(self, image: Tensor) -> Tensor:
        shallow = self.convolve("SFENet1", image)
        features = self.convolve("SFENet2", shallow)
        results = []
        for n in range(2):
            stack = features
            for layer in range(3):
                grown = self.convolve(f"RDBs.{n}.convs.{layer}.conv.0", stack).relu()
                stack = torch.cat([stack, grown], dim=1)
            features = self.convolve(f"RDBs.{n}.LFF", stack) + features
            results.append(features)
        fused = self.convolve("GFF.1", self.convolve("GFF.0", torch.cat(results, dim=1)))
        enlarged = fused + shallow
        for name in ("UPNet.0", "UPNet.2"):
            enlarged = functional.pixel_shuffle(self.convolve(name, enlarged), 2)
        return self.convolve("UPNet.4", enlarged)


ALL = (
    EDSRWithMean, PublishedEDSR, PublishedPReLUEDSR, BasicSREDSR, MLPerfEDSR, NumberedSRResNet,
    TutorialSRResNet, TutorialGenerator,
    EDSRStyleSRResNet, EDSRStyleSRResNetX3, BasicSRMSRResNet, LeftthomasGenerator, PublishedRDN,
)  # fmt: skip
