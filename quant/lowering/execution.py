"""A float network run by torch, feature map by feature map."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quant.graph.types import Padding
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import (
    UNCLAMPED,
    FloatAdd,
    FloatAffine,
    FloatAveragePool,
    FloatBilinear,
    FloatClamp,
    FloatConcatenate,
    FloatConvolution,
    FloatFunction,
    FloatInput,
    FloatMultiply,
    FloatNearest,
    FloatOperator,
    FloatPad,
    FloatPixelShuffle,
    FloatPRelu,
    FloatSlice,
    FloatTransposedConvolution,
    Reals,
)


class Execution:
    """A float network with its weights as torch tensors, ready to run on pictures.

    Padding of the first layers is that of the integer graph: a tap outside the image has the
    value 0, which is the image's mean where the network subtracts one.
    """

    def __init__(self, network: FloatNetwork, dtype: torch.dtype = torch.float32) -> None:
        self._network = network
        self._dtype = dtype
        self._constants = {node.name: constants_of(node.operator, dtype) for node in network.nodes}
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
                result = result_of(node.operator, operands, self._constants[node.name])
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

    def enlarge(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The result as pixels that are not rounded, float32 height x width x colours in 0..255."""
        pixels = self.picture(image)[0] / (self._network.pixel_range / 255)
        return np.ascontiguousarray(pixels.clamp(0, 255).permute(1, 2, 0).float().numpy())


def constants_of(operator: FloatOperator, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """The weights, biases, slopes … of an operator as tensors that `result_of` takes."""
    match operator:
        case FloatConvolution() | FloatTransposedConvolution():
            ordered = np.ascontiguousarray(np.moveaxis(operator.weight, 3, 1))
            return torch.from_numpy(ordered).to(dtype), torch.from_numpy(operator.bias).to(dtype)
        case FloatInput(offset=offset):
            return (_per_channel(offset, dtype),)
        case FloatAffine(scale=scale, offset=offset):
            return _per_channel(scale, dtype), _per_channel(offset, dtype)
        case FloatPRelu(slope=slope):
            return (_per_channel(slope, dtype),)
        case _:
            return ()


def _per_channel(values: Reals, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(values).to(dtype)[:, None, None]


Constants = tuple[Tensor, ...]


def result_of(operator: FloatOperator, operands: list[Tensor], constants: Constants) -> Tensor:
    """What an operator of a float network makes of its operands.

    Args:
        operator: the operator; what it holds besides ``constants`` counts, weights do not.
        operands: each batch x channels x height x width; of an input, the image's codes.
        constants: as `constants_of` orders them.
    """
    return _RESULTS[type(operator)](operator, operands, constants)


def _convolution(
    operator: FloatConvolution, operands: list[Tensor], constants: Constants
) -> Tensor:
    weight, bias = constants
    result = functional.conv2d(
        _padded(operands[0], operator.padding),
        weight,
        bias,
        operator.stride,
        dilation=operator.dilation,
        groups=operator.groups,
    )
    return _clamped(result, operator.clamp)


def _transposed(
    operator: FloatTransposedConvolution, operands: list[Tensor], constants: Constants
) -> Tensor:
    """As the operator is defined: zeros between the pixels, then a plain convolution."""
    weight, bias = constants
    (ifm,) = operands
    (down, across), (batch, channels, height, width) = operator.stride, ifm.shape
    spread = ifm.new_zeros(batch, channels, (height - 1) * down + 1, (width - 1) * across + 1)
    spread[:, :, ::down, ::across] = ifm
    result = functional.conv2d(_padded(spread, operator.padding), weight, bias)
    return _clamped(result, operator.clamp)


def _padded(values: Tensor, padding: Padding) -> Tensor:
    if padding == Padding():
        return values
    return functional.pad(values, (padding.left, padding.right, padding.top, padding.bottom))


def _clamped(values: Tensor, clamp: tuple[float, float]) -> Tensor:
    return values if clamp == UNCLAMPED else values.clamp(*clamp)


def _function(operator: FloatFunction, operands: list[Tensor], constants: Constants) -> Tensor:
    values: Tensor = _FUNCTIONS[operator.name](operands[0])
    return values * operator.scale + operator.offset


def _shuffled(operator: FloatPixelShuffle, operands: list[Tensor], constants: Constants) -> Tensor:
    (values,) = operands
    if operator.order == "crd":
        return functional.pixel_shuffle(values, operator.factor)
    return _depth_to_space(values, operator.factor)


def _depth_to_space(values: Tensor, factor: int) -> Tensor:
    """DCR order: the offset within a block is the slow part of the channel index."""
    batch, channels, height, width = values.shape
    blocks = values.view(batch, factor, factor, channels // factor**2, height, width)
    # To batch, channel, row, row in block, column, column in block.
    return blocks.permute(0, 3, 4, 1, 5, 2).reshape(
        batch, channels // factor**2, height * factor, width * factor
    )


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "gelu_tanh": lambda values: functional.gelu(values, approximate="tanh"),
    "silu": functional.silu,
    "hardsigmoid": functional.hardsigmoid,
    "hardswish": functional.hardswish,
}
"""What `quant.lowering.functions.FUNCTIONS` computes, on tensors."""

_RESULTS: dict[type[FloatOperator], Callable[[Any, list[Tensor], Constants], Tensor]] = {
    FloatInput: lambda operator, operands, constants: operands[0] * operator.scale + constants[0],
    FloatConvolution: _convolution,
    FloatTransposedConvolution: _transposed,
    FloatAffine: lambda _, operands, constants: operands[0] * constants[0] + constants[1],
    FloatAdd: lambda operator, operands, _: _clamped(operands[0] + operands[1], operator.clamp),
    FloatMultiply: lambda operator, operands, _: _clamped(
        operands[0] * operands[1], operator.clamp
    ),
    FloatClamp: lambda operator, operands, _: _clamped(operands[0], operator.clamp),
    FloatPRelu: lambda _, operands, constants: torch.where(
        operands[0] < 0, operands[0] * constants[0], operands[0]
    ),
    FloatFunction: _function,
    FloatConcatenate: lambda _, operands, constants: torch.cat(operands, dim=1),
    FloatSlice: lambda operator, operands, _: operands[0][:, operator.start : operator.stop],
    FloatPad: lambda operator, operands, _: _padded(operands[0], operator.padding),
    FloatPixelShuffle: _shuffled,
    FloatNearest: lambda operator, operands, _: functional.interpolate(
        operands[0], scale_factor=operator.factor, mode="nearest"
    ),
    FloatBilinear: lambda operator, operands, _: functional.interpolate(
        operands[0], scale_factor=operator.factor, mode="bilinear", align_corners=False
    ),
    FloatAveragePool: lambda operator, operands, _: functional.avg_pool2d(
        operands[0], operator.kernel, operator.stride
    ),
}
"""(operator, operands, constants) to the result."""
