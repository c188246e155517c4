"""Small super-resolution networks of published families, with random weights, as people write them.

They have the operators of the papers' networks in the same places, fewer blocks and channels.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


def _convolution(inputs: int, outputs: int, kernel: int = 3, **more: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, **more)


class ABPN(nn.Module):
    """Anchor-based plain net (Du et al., CVPRW 2021): nine copies of the image are added."""

    def __init__(self, channels: int = 12, scale: int = 3) -> None:
        super().__init__()
        self.scale = scale
        out = 3 * scale**2
        sizes = (3, channels, channels, out)
        self.body = nn.ModuleList(_convolution(a, b) for a, b in pairwise(sizes))
        self.last = _convolution(out, out)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, image: Tensor) -> Tensor:
        """Anchors are repeated pixels, added before the shuffle."""
        features = image
        for layer in self.body:
            features = functional.relu(layer(features))
        anchors = torch.cat(
            [image[:, c : c + 1] for c in range(3) for _ in range(self.scale**2)], 1
        )
        return torch.clamp(self.shuffle(self.last(features) + anchors), 0.0, 1.0)


class XLSR(nn.Module):
    """Extremely lightweight SR (Ayazoglu, CVPRW 2021): groups, 1×1 mixing, a clipped ReLU."""

    def __init__(self, channels: int = 16, scale: int = 3) -> None:
        super().__init__()
        self.head = nn.ModuleList(_convolution(3, channels // 2) for _ in range(2))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                _convolution(channels, channels, groups=4), nn.ReLU(),
                _convolution(channels, channels, 1), nn.ReLU(),
            )
            for _ in range(2)
        )  # fmt: skip
        self.mix = _convolution(2 * channels, channels, 1)
        self.tail = nn.Sequential(
            _convolution(channels, 3 * scale**2), nn.PixelShuffle(scale), nn.Hardtanh(0.0, 1.0)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Features of the head join those of the blocks."""
        first = torch.cat([layer(image) for layer in self.head], dim=1)
        features = first
        for block in self.blocks:
            features = block(features)
        return self.tail(functional.relu(self.mix(torch.cat([features, first], dim=1))))


class IMDN(nn.Module):
    """Information multi-distillation (Hui et al., ACM MM 2019), without its channel attention."""

    def __init__(self, channels: int = 16, scale: int = 2) -> None:
        super().__init__()
        self.kept = channels // 4
        self.head = _convolution(3, channels)
        sizes = (channels, channels - self.kept, channels - self.kept)
        self.steps = nn.ModuleList(_convolution(size, channels) for size in sizes)
        self.last = _convolution(channels - self.kept, self.kept)
        self.fuse = _convolution(4 * self.kept, channels, 1)
        self.act = nn.LeakyReLU(0.05)
        self.tail = nn.Sequential(_convolution(channels, 3 * scale**2), nn.PixelShuffle(scale))

    def forward(self, image: Tensor) -> Tensor:
        """Each step keeps some channels and refines the others."""
        features = first = self.head(image)
        kept = []
        for step in self.steps:
            part, features = torch.split(
                self.act(step(features)), [self.kept, step.out_channels - self.kept], dim=1
            )
            kept.append(part)
        kept.append(self.last(features))
        return self.tail(self.fuse(torch.cat(kept, dim=1)) + first)


class RFDN(nn.Module):
    """Residual feature distillation (Liu et al., ECCVW 2020), without its spatial attention."""

    def __init__(self, channels: int = 12, scale: int = 2) -> None:
        super().__init__()
        half = channels // 2
        self.head = _convolution(3, channels)
        self.distil = nn.ModuleList(_convolution(channels, half, 1) for _ in range(2))
        self.refine = nn.ModuleList(_convolution(channels, channels) for _ in range(2))
        self.last = _convolution(channels, half)
        self.fuse = _convolution(3 * half, channels, 1)
        self.tail = nn.Sequential(_convolution(channels, 3 * scale**2), nn.PixelShuffle(scale))

    def forward(self, image: Tensor) -> Tensor:
        """Shallow residual blocks beside 1×1 convolutions."""
        features = first = self.head(image)
        kept = []
        for distil, refine in zip(self.distil, self.refine, strict=True):
            kept.append(functional.leaky_relu(distil(features), 0.05))
            features = functional.leaky_relu(refine(features) + features, 0.05)
        kept.append(functional.leaky_relu(self.last(features), 0.05))
        return self.tail(self.fuse(torch.cat(kept, 1)) + first)


class FSRCNN(nn.Module):
    """Fast SRCNN (Dong et al., ECCV 2016): PReLU and a transposed convolution."""

    def __init__(
        self, channels: int = 16, narrow: int = 8, scale: int = 2, colours: int = 3
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(colours, channels, 5), nn.PReLU(channels),
            _convolution(channels, narrow, 1), nn.PReLU(narrow),
            _convolution(narrow, narrow), nn.PReLU(narrow),
            _convolution(narrow, channels, 1), nn.PReLU(channels),
        )  # fmt: skip
        self.tail = nn.ConvTranspose2d(
            channels, colours, 9, stride=scale, padding=4, output_padding=scale - 1
        )

    def forward(self, image: Tensor) -> Tensor:
        """One chain."""
        return self.tail(self.body(image))


class ESPCN(nn.Module):
    """Sub-pixel convolution (Shi et al., CVPR 2016): hyperbolic tangents."""

    def __init__(self, channels: int = 16, scale: int = 2) -> None:
        super().__init__()
        self.first = _convolution(3, channels, 5)
        self.second = _convolution(channels, channels // 2)
        self.third = _convolution(channels // 2, 3 * scale**2)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, image: Tensor) -> Tensor:
        """One chain."""
        features = torch.tanh(self.second(torch.tanh(self.first(image))))
        return self.shuffle(self.third(features))


class ECBSR(nn.Module):
    """Edge-oriented blocks after re-parameterization (Zhang et al., ACM MM 2021), and the image."""

    def __init__(self, channels: int = 12, scale: int = 2) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(3, channels), nn.PReLU(channels),
            _convolution(channels, channels), nn.PReLU(channels),
            _convolution(channels, 3 * scale**2),
        )  # fmt: skip
        self.shuffle, self.scale = nn.PixelShuffle(scale), scale

    def forward(self, image: Tensor) -> Tensor:
        """The repeated image is added behind the shuffle."""
        repeated = functional.interpolate(image, scale_factor=self.scale, mode="nearest")
        return self.shuffle(self.body(image)) + repeated


class QuickSRNet(nn.Module):
    """QuickSRNet (Berger et al., CVPRW 2023) after its residuals are folded: ReLU and a clip."""

    def __init__(self, channels: int = 16, layers: int = 2, scale: int = 2) -> None:
        super().__init__()
        body = [m for _ in range(layers) for m in (_convolution(channels, channels), nn.ReLU6())]
        self.net = nn.Sequential(
            _convolution(3, channels), nn.ReLU6(), *body, _convolution(channels, 3 * scale**2),
            nn.PixelShuffle(scale), nn.Hardtanh(0.0, 1.0),
        )  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        """One chain."""
        return self.net(image)


class SESR(nn.Module):
    """Collapsed SESR (Bhardwaj et al., MLSys 2022): a long residual, and the image once more."""

    def __init__(self, channels: int = 12, layers: int = 2, scale: int = 2) -> None:
        super().__init__()
        self.head = _convolution(3, channels, 5)
        self.acts = nn.ModuleList(nn.PReLU(channels) for _ in range(layers + 1))
        self.body = nn.ModuleList(_convolution(channels, channels) for _ in range(layers))
        self.tail = _convolution(channels, 3 * scale**2, 5)
        self.shuffle, self.scale = nn.PixelShuffle(scale), scale

    def forward(self, image: Tensor) -> Tensor:
        """Features skip the body, the image skips everything."""
        features = first = self.acts[0](self.head(image))
        for layer, act in zip(self.body, self.acts[1:], strict=True):
            features = act(layer(features))
        out = self.tail(features + first)
        return self.shuffle(out + torch.cat([image] * self.scale**2, dim=1))


class SRResNet(nn.Module):
    """SRResNet (Ledig et al., CVPR 2017): batch normalization and PReLU."""

    def __init__(self, channels: int = 12, scale: int = 2) -> None:
        super().__init__()
        self.head = nn.Sequential(_convolution(3, channels, 9), nn.PReLU())
        self.block = nn.Sequential(
            _convolution(channels, channels), nn.BatchNorm2d(channels), nn.PReLU(),
            _convolution(channels, channels), nn.BatchNorm2d(channels),
        )  # fmt: skip
        self.up = nn.Sequential(
            _convolution(channels, channels * scale**2), nn.PixelShuffle(scale), nn.PReLU()
        )
        self.tail = _convolution(channels, 3, 9)
        for module in self.block:
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_var, 0.5, 2.0)
                nn.init.normal_(module.running_mean)

    def forward(self, image: Tensor) -> Tensor:
        """One residual block."""
        first = self.head(image)
        return self.tail(self.up(self.block(first) + first))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    kind.__name__: kind
    for kind in (
        ABPN, XLSR, IMDN, RFDN, FSRCNN, ESPCN, ECBSR, QuickSRNet, SESR, SRResNet,
    )
}  # fmt: skip


def random_network(name: str, seed: int = 0) -> nn.Module:
    """One of `NETWORKS`, its weights drawn from a seed, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[name]().eval()
