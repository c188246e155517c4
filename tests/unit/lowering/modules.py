"""Small torch modules, at least one for each operator that can be lowered, with seeded weights."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from quant.networks.build import build_network
from quant.networks.config import (
    MobileSRConfig,
    MSRResNetConfig,
    RDNConfig,
    SRGANConfig,
    SRResNetConfig,
)


class Use(nn.Module):
    """Some modules, and what a test does with them."""

    def __init__(self, use: Callable[["Use", Tensor], Tensor], *modules: nn.Module) -> None:
        super().__init__()
        self.part = nn.ModuleList(modules)
        self._use = use

    def forward(self, image: Tensor) -> Tensor:
        return self._use(self, image)


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    """A module with seeded weights, and normalizations that have seen something."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = make()
        with torch.no_grad():
            network(torch.zeros(1, 3, 24, 24))  # gives lazy convolutions their weights
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    assert module.running_mean is not None
                    assert module.running_var is not None
                    module.running_mean.normal_(0, 3)
                    module.running_var.uniform_(0.5, 200)
                    module.weight.uniform_(0.5, 1.5)
                    module.bias.normal_()
                if isinstance(module, nn.PReLU):
                    module.weight.uniform_(-0.3, 0.6)
    return network.eval()


def between(*modules: nn.Module) -> nn.Module:
    """Modules between two convolutions of 8 channels."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), *modules, nn.LazyConv2d(3, 3, padding=1))


def between_with(use: Callable[[Tensor], Tensor]) -> nn.Module:
    """A function between two convolutions."""
    return Use(
        lambda net, x: net.part[1](use(net.part[0](x / 64))) * 64,  # type: ignore[no-any-return]
        nn.Conv2d(3, 8, 3, padding=1),
        nn.LazyConv2d(3, 3, padding=1),
    )


def _gated(net: Use, x: Tensor) -> Tensor:
    features = net.part[0](x / 64)
    return net.part[2](features * torch.sigmoid(net.part[1](features)))  # type: ignore[no-any-return]


def _dense(net: Use, x: Tensor) -> Tensor:
    first = net.part[0](x)
    second = torch.cat((first, net.part[1](first).relu()), 1)
    third = torch.cat((second, net.part[2](second).relu()), 1)
    return net.part[4](net.part[3](third) + first)  # type: ignore[no-any-return]


def _distilled(net: Use, x: Tensor) -> Tensor:
    """Split, distil and stack, as information multi-distillation networks do."""
    features = net.part[0](x)
    kept, rest = torch.split(functional.leaky_relu(net.part[1](features), 0.05), (2, 6), dim=1)
    also, last = net.part[2](rest).chunk(2, dim=1)
    stacked = torch.cat([kept, also.relu(), net.part[3](last)], dim=1)
    upscaled = functional.pixel_shuffle(net.part[4](stacked) + features, 2)
    return net.part[5](upscaled)  # type: ignore[no-any-return]


def _normalized_first(net: Use, x: Tensor) -> Tensor:
    features = net.part[0](x)
    return net.part[3](net.part[2](net.part[1](features).relu()) + features)  # type: ignore[no-any-return]


def _image_twice(net: Use, x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2) + functional.pixel_shuffle(net.part[0](x), 2)


def _conv(inputs: int, outputs: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)


MODULES: dict[str, Callable[[], nn.Module]] = {
    "stride": lambda: between(nn.Conv2d(8, 6, 3, stride=2, padding=1)),
    "dilation": lambda: between(nn.Conv2d(8, 6, 3, dilation=2, padding=2)),
    "groups": lambda: between(nn.Conv2d(8, 6, 3, groups=2, padding=1)),
    "depthwise": lambda: between(
        nn.Conv2d(8, 8, 5, groups=8, padding=2), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1), nn.ReLU6()
    ),
    "zero padding": lambda: between(nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(8, 6, 3)),
    "even kernel, same size": lambda: between(nn.Conv2d(8, 6, (2, 4), padding="same")),
    "transposed convolution": lambda: between(
        nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU()
    ),
    "transposed convolution, odd": lambda: between(
        nn.ConvTranspose2d(8, 6, (3, 5), stride=(2, 3), padding=1, output_padding=(1, 0))
    ),
    "prelu": lambda: between(nn.PReLU()),
    "prelu of channels": lambda: between(nn.PReLU(8)),
    "steep prelu": lambda: between(nn.BatchNorm2d(8), nn.PReLU(8), nn.LeakyReLU(1.7)),
    "leaky relu of a clamp": lambda: between(nn.Hardtanh(-40, 50), nn.LeakyReLU(0.2)),
    "prelu behind a shuffle": lambda: between(nn.PixelShuffle(2), nn.PReLU(2)),
    "sigmoid": lambda: between_with(torch.sigmoid),
    "tanh": lambda: between_with(torch.tanh),
    "gelu": lambda: between_with(functional.gelu),
    "gelu by tanh": lambda: between_with(lambda x: functional.gelu(x, approximate="tanh")),
    "silu": lambda: between_with(lambda x: functional.silu(x, inplace=True)),
    "hardswish": lambda: between_with(functional.hardswish),
    "hardsigmoid": lambda: between_with(functional.hardsigmoid),
    "tanh at the end": lambda: nn.Sequential(_conv(3, 3), nn.Tanh()),
    "gate": lambda: Use(_gated, _conv(3, 8), _conv(8, 8), _conv(8, 3)),
    "gate of one channel": lambda: Use(_gated, _conv(3, 8), _conv(8, 1), _conv(8, 3)),
    "square": lambda: between_with(lambda x: x * x),
    "clamped product": lambda: between_with(lambda x: (x * x).clamp(0.1, 6)),
    "nearest": lambda: between(nn.Upsample(scale_factor=2), _conv(8, 6)),
    "nearest of the image": lambda: Use(_image_twice, _conv(3, 12)),
    "bilinear": lambda: between(nn.Upsample(scale_factor=2, mode="bilinear")),
    "bilinear by four": lambda: between_with(
        lambda x: functional.interpolate(x, scale_factor=4, mode="bilinear")
    ),
    "average pool": lambda: between(nn.AvgPool2d(2)),
    "average pool with overlap": lambda: between(nn.AvgPool2d((3, 2), stride=1)),
    "shuffle of a sum": lambda: between_with(lambda x: functional.pixel_shuffle(x + x.relu(), 2)),
    "normalization first": lambda: Use(
        _normalized_first, _conv(3, 8), nn.BatchNorm2d(8), _conv(8, 8), _conv(8, 3)
    ),
    "factor of a branch": lambda: between_with(lambda x: x.relu() * 0.3 + x),
    "dense": lambda: Use(
        _dense, _conv(3, 4), _conv(4, 4), _conv(8, 4), _conv(12, 4, 1), _conv(4, 3)
    ),
    "distillation": lambda: Use(
        _distilled, _conv(3, 8), _conv(8, 8), _conv(6, 8), _conv(4, 2), _conv(8, 8), _conv(2, 3)
    ),
    "part of a sum": lambda: between_with(lambda x: (x + x.relu())[:, 2:5]),
    "stacked images": lambda: Use(lambda net, x: net.part[0](torch.cat((x, x), 1)), _conv(6, 3)),
    "SRResNet": lambda: build_network(SRResNetConfig(2, 8, 2), seed=5),
    "SRResNet with mean and tanh": lambda: build_network(
        SRResNetConfig(1, 8, 4, input_mean=(0.45, 0.44, 0.4), tanh=True), seed=5
    ),
    "MSRResNet": lambda: build_network(MSRResNetConfig(1, 8, 4), seed=5),
    "RDN": lambda: build_network(RDNConfig(2, 3, 8, 8, 2), seed=5),
    "mobile": lambda: build_network(MobileSRConfig(2, 8, 3), seed=5),
    "SRGAN": lambda: build_network(SRGANConfig(2), seed=5),
}
