"""A float network run by torch, feature map by feature map."""

from collections.abc import Iterator
from math import inf

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quant.lowering.float_network import (
    FloatAdd,
    FloatClamp,
    FloatConvolution,
    FloatInput,
    FloatNetwork,
    FloatOperator,
    FloatPixelShuffle,
)


class Execution:
    """A folded float network with its weights as torch tensors, ready to run on pictures.

    Padding of the first layers is that of the integer graph: a tap outside the image has the
    value 0, which is the image's mean where the network subtracts one.
    """

    def __init__(self, network: FloatNetwork, dtype: torch.dtype = torch.float32) -> None:
        self._network = network
        self._dtype = dtype
        self._constants = {node.name: _constants(node.operator, dtype) for node in network.nodes}
        positions = {node.name: index for index, node in enumerate(network.nodes)}
        last_read = {name: positions[name] for name in positions}
        for node in network.nodes:
            last_read.update(dict.fromkeys(node.inputs, positions[node.name]))
        self._last_read = last_read

    def feature_maps(self, image: NDArray[np.uint8]) -> Iterator[tuple[str, Tensor]]:
        """Every feature map by name, in order; each is freed when no later one needs it.

        Args:
            image: uint8, height x width x colours.

        Yields:
            The node's name and a tensor 1 x channels x height x width.
        """
        codes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].to(self._dtype)
        alive: dict[str, Tensor] = {}
        with torch.no_grad():
            for position, node in enumerate(self._network.nodes):
                operands = [alive[source] for source in node.inputs] or [codes]
                result = _result(node.operator, operands, self._constants[node.name])
                yield node.name, result
                alive[node.name] = result
                for name in (*node.inputs, node.name):
                    if self._last_read[name] <= position:
                        alive.pop(name, None)

    def picture(self, image: NDArray[np.uint8]) -> Tensor:
        """The result for one image, 1 x colours x height x width, not rounded."""
        return next(
            values for name, values in self.feature_maps(image) if name == self._network.output
        )


def _constants(operator: FloatOperator, dtype: torch.dtype) -> tuple[Tensor, ...]:
    match operator:
        case FloatConvolution(weight=weight, bias=bias):
            ordered = np.ascontiguousarray(np.moveaxis(weight, 3, 1))
            return torch.from_numpy(ordered).to(dtype), torch.from_numpy(bias).to(dtype)
        case FloatInput(offset=offset):
            return (torch.from_numpy(offset).to(dtype)[:, None, None],)
        case _:
            return ()


def _result(
    operator: FloatOperator, operands: list[Tensor], constants: tuple[Tensor, ...]
) -> Tensor:
    match operator:
        case FloatInput(scale=scale):
            return operands[0] * scale + constants[0]
        case FloatConvolution(padding=padding, clamp=clamp):
            weight, bias = constants
            return _clamped(functional.conv2d(operands[0], weight, bias, padding=padding), clamp)
        case FloatAdd(clamp=clamp):
            return _clamped(operands[0] + operands[1], clamp)
        case FloatClamp(clamp=clamp):
            return _clamped(operands[0], clamp)
        case FloatPixelShuffle(factor=factor, order="dcr"):
            return _depth_to_space(operands[0], factor)
    raise AssertionError(f"{type(operator).__name__} does not occur in a folded network")


def _clamped(values: Tensor, clamp: tuple[float, float]) -> Tensor:
    return values if clamp == (-inf, inf) else values.clamp(*clamp)


def _depth_to_space(values: Tensor, factor: int) -> Tensor:
    """DCR order: the offset within a block is the slow part of the channel index."""
    batch, channels, height, width = values.shape
    blocks = values.view(batch, factor, factor, channels // factor**2, height, width)
    # To batch, channel, row, row in block, column, column in block.
    return blocks.permute(0, 3, 4, 1, 5, 2).reshape(
        batch, channels // factor**2, height * factor, width * factor
    )
