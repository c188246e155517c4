"""Networks whose weights others have published, as far as the registry has not got them."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from quant.networks import load_network
from quant.networks.weights import read_state


class PublishedESPCN(nn.Module):
    """ESPCN of 64 and 32 channels."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(3, 64, 5, padding=2)
        self.conv_2 = nn.Conv2d(64, 32, 3, padding=1)
        self.conv_3 = nn.Conv2d(32, 3 * scale**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, image: Tensor) -> Tensor:
        """One chain."""
        features = torch.tanh(self.conv_2(torch.tanh(self.conv_1(image))))
        return self.shuffle(self.conv_3(features))


class PublishedFSRCNN(nn.Module):
    """FSRCNN(56, 12, 4) on luma."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.first_part = nn.Sequential(nn.Conv2d(1, 56, 5, padding=2), nn.PReLU(56))
        middle: list[nn.Module] = [nn.Conv2d(56, 12, 1), nn.PReLU(12)]
        for _ in range(4):
            middle += [nn.Conv2d(12, 12, 3, padding=1), nn.PReLU(12)]
        middle += [nn.Conv2d(12, 56, 1), nn.PReLU(56)]
        self.mid_part = nn.Sequential(*middle)
        self.last_part = nn.ConvTranspose2d(
            56, 1, 9, stride=scale, padding=4, output_padding=scale - 1
        )

    def forward(self, image: Tensor) -> Tensor:
        """One chain."""
        return self.last_part(self.mid_part(self.first_part(image)))


class _Named(nn.Module):
    """A convolution under the name ``conv``."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)

    def forward(self, image: Tensor) -> Tensor:
        """With a ReLU."""
        return functional.relu(self.conv(image))


class _Group(nn.Module):
    """A block of XLSR."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(channels, channels, 3, padding=1, groups=4)
        self.conv1 = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Groups, then all channels."""
        return self.conv1(functional.relu(self.conv0(features)))


class PublishedXLSR(nn.Module):
    """XLSR ×3 of 32 channels."""

    def __init__(self) -> None:
        super().__init__()
        for branch in range(4):
            setattr(self, f"conv0_{branch}", _Named(3, 8, 3))
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 32, 1)
        self.Gblocks = nn.Sequential(*(_Group(32) for _ in range(3)))
        self.conv3 = _Named(48, 32, 1)
        self.conv4 = nn.Conv2d(32, 27, 3, padding=1)
        self.shuffle = nn.PixelShuffle(3)

    def forward(self, image: Tensor) -> Tensor:
        """Features of the image join those of the blocks."""
        branches = torch.cat([getattr(self, f"conv0_{b}")(image) for b in range(4)], dim=1)
        joined = torch.cat([self.Gblocks(self.conv2(branches)), self.conv1(image)], dim=1)
        return torch.clamp(self.shuffle(self.conv4(self.conv3(joined))), 0.0, 1.0)


class _Scaled(nn.Module):
    """A network of the registry for pixels from 0 to 1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.white = float(network.config.pixel_range)

    def forward(self, image: Tensor) -> Tensor:
        """In the range that the network knows."""
        return self.network(image * self.white) / self.white


PUBLISHED: dict[str, tuple[str, str]] = {
    **{f"ESPCN ×{s}": ("espcn", f"ESPCN-x{s}.pt") for s in (2, 3, 4)},
    **{f"FSRCNN ×{s}": ("fsrcnn", f"FSRCNN_x{s}_yjn870.pth") for s in (2, 3, 4)},
    "XLSR ×3": ("xlsr", "XLSR_best.pt"),
    "EDSR-8-64 ×2": ("edsr_r8f64_x2", "EDSR_r8f64_x2_krasserm.pt"),
    "EDSR of MLPerf ×2": ("edsr_mlperf_x2", "mlperf_edsr_f32b5_fp32.pt"),
    "SRResNet-8-64 ×4": ("srresnet_r8f64_x4", "SRResNet_r8f64_bn_x4_pytorch_tutorial.pt"),
    "SRGAN ×2": ("srgan_x2", "SRGAN_G_x2_leftthomas.pth"),
}
"""By name: which network it is, and its file among the shared weights."""


def published_network(name: str, file: Path) -> tuple[nn.Module, int]:
    """A network with its published weights for pixels from 0 to 1, and its colours."""
    kind, _ = PUBLISHED[name]
    scale = int(name[-1])
    made = {"espcn": PublishedESPCN, "fsrcnn": PublishedFSRCNN}
    if kind not in (*made, "xlsr"):
        return _Scaled(load_network(kind, file)).eval(), 3
    network = PublishedXLSR() if kind == "xlsr" else made[kind](scale)
    network.load_state_dict(read_state(file))
    return network.eval(), 1 if kind == "fsrcnn" else 3
