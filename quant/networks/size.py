"""How large a network is, counted from its traced operators."""

from dataclasses import dataclass
from functools import reduce

import torch
from torch import fx, nn

from quant.networks.build import build_network
from quant.networks.config import NetworkConfig


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """Figures of a network's shape; they do not depend on its weights.

    Attributes:
        parameters: learned numbers; frozen colours and running statistics do not count.
        macs_per_output_pixel: multiplications of convolutions, as if nothing were padded.
        receptive_field_pixels: side of the square of input pixels an output pixel can depend on.
    """

    parameters: int
    macs_per_output_pixel: float
    receptive_field_pixels: int


def network_size(config: NetworkConfig) -> NetworkSize:
    """Count a network's parameters, multiplications and reach.

    Args:
        config: its shape; no memory is taken for its weights.
    """
    with torch.device("meta"):
        network = build_network(config).eval()
    walk = _Walk(network)
    return NetworkSize(
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        macs_per_output_pixel=float(walk.macs_per_input_pixel / config.scale**2),
        receptive_field_pixels=walk.receptive_field_pixels(),
    )


@dataclass(frozen=True, slots=True)
class _Reach:
    """Which input pixels the pixels of a feature map depend on, along one side.

    A feature map has ``len(first)`` pixels in the place of an input pixel; for each of them, the
    first and last input pixel it depends on, counted from the one in whose place it lies.
    """

    first: tuple[int, ...] = (0,)
    last: tuple[int, ...] = (0,)

    @property
    def scale(self) -> int:
        return len(self.first)

    def union(self, other: "_Reach") -> "_Reach":
        """What pixels depend on that are made from the pixels of two feature maps of one size."""
        return _Reach(
            tuple(map(min, self.first, other.first)), tuple(map(max, self.last, other.last))
        )

    def widened(self, margin: int) -> "_Reach":
        """Behind a window that reaches ``margin`` pixels of this feature map each way."""
        scale = self.scale
        near = [[divmod(p + d, scale) for d in range(-margin, margin + 1)] for p in range(scale)]
        return _Reach(
            tuple(min(whole + self.first[phase] for whole, phase in places) for places in near),
            tuple(max(whole + self.last[phase] for whole, phase in places) for places in near),
        )

    def enlarged(self, factor: int) -> "_Reach":
        """Behind a pixel shuffle, or a repetition of every pixel."""
        phases = [phase // factor for phase in range(factor * self.scale)]
        return _Reach(
            tuple(self.first[phase] for phase in phases),
            tuple(self.last[phase] for phase in phases),
        )


class _Walk:
    """Goes through a traced network once, node by node."""

    def __init__(self, network: nn.Module) -> None:
        self.macs_per_input_pixel = 0
        reaches: dict[fx.Node, _Reach] = {}
        for node in fx.symbolic_trace(network).graph.nodes:
            sources = [reaches[source] for source in node.all_input_nodes]
            reach = reduce(_Reach.union, sources) if sources else _Reach()
            if node.op == "call_module":
                reach = self._through(network.get_submodule(str(node.target)), reach)
            reaches[node] = self.reach = reach

    def receptive_field_pixels(self) -> int:
        """Of the output pixel that depends on most."""
        spans = zip(self.reach.first, self.reach.last, strict=True)
        return max(last - first + 1 for first, last in spans)

    def _through(self, module: nn.Module, reach: _Reach) -> _Reach:
        match module:
            case nn.Conv2d():
                height, width = module.kernel_size
                macs = module.in_channels * module.out_channels * height * width // module.groups
                self.macs_per_input_pixel += macs * reach.scale**2
                return reach.widened(height // 2)
            case nn.PixelShuffle():
                return reach.enlarged(module.upscale_factor)
            case nn.Upsample():
                assert isinstance(module.scale_factor, float)
                # Bilinear: between the pixel's own source and the next one on one of its sides.
                source = reach if module.mode == "nearest" else reach.widened(1)
                return source.enlarged(int(module.scale_factor))
            case _:
                return reach
