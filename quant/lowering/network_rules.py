"""What a float network must keep to whose constants and wiring come from a file."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from quant.common.errors import UserError
from quant.graph import Padding, Size
from quant.lowering.float_network import FloatNetwork, FloatNode, channels_of
from quant.lowering.float_operators import (
    FloatAdd,
    FloatAffine,
    FloatAveragePool,
    FloatBilinear,
    FloatConvolution,
    FloatMultiply,
    FloatNearest,
    FloatOperator,
    FloatPad,
    FloatPixelShuffle,
    FloatPRelu,
    FloatSlice,
    FloatTransposedConvolution,
)

LARGEST_CHANNELS = 4096
"""Of a feature map; no network for pictures needs more."""
LARGEST_NODES = 1 << 10
LARGEST_VALUES = 1 << 27
"""Real numbers of all constants, and of what operators on channels may become: 1 GiB."""
LARGEST_FACTOR = 64
"""What a feature map may be larger than the image by, down a side."""

_PROBES = (Size(96, 97), Size(97, 98), Size(98, 99), Size(99, 96))
"""Images that sizes are compared on: sides of every remainder by four."""

_NOTHING = np.zeros(0)
_REALS = ("weight", "bias", "scale", "offset", "slope")


def require_consistent(network: FloatNetwork, what: str) -> None:
    """Make sure that constants fit feature maps, operands each other, and all numbers are finite.

    Args:
        network: as it was read.
        what: it is, for messages.

    Raises:
        UserError: the first node where they do not.
    """
    _require_small(network, what)
    channels: dict[str, int] = {}
    sizes: list[dict[str, Size]] = [{} for _ in _PROBES]
    for node in network.nodes:
        operands = [channels[source] for source in node.inputs]
        _require_finite(node)
        check = _CHANNELS.get(type(node.operator))
        problem = check(node.operator, operands) if check else None
        channels[node.name] = channels_of(node.operator, operands)
        for probe, known in zip(_PROBES, sizes, strict=True):
            problem = problem or _size_problem(node, known, probe)
        if problem:
            raise UserError(
                f"{what}: '{node.name[:80]}': expected constants and operands that fit, found "
                f"{problem}; correct the network"
            )


def _require_small(network: FloatNetwork, what: str) -> None:
    """A small file makes no large network: affine maps and slices may become convolutions."""
    channels = network.channels()
    values = sum(
        getattr(node.operator, "weight", _NOTHING).size
        + (channels[node.name] ** 2 if isinstance(node.operator, FloatAffine | FloatSlice) else 0)
        for node in network.nodes
    )
    widest, nodes = max(channels.values()), len(network.nodes)
    if widest > LARGEST_CHANNELS or nodes > LARGEST_NODES or values > LARGEST_VALUES:
        raise UserError(
            f"{what}: expected at most {LARGEST_CHANNELS} channels, {LARGEST_NODES} operators and "
            f"{LARGEST_VALUES} weights, found {widest}, {nodes} and {values}; give a smaller one"
        )


def _require_finite(node: FloatNode) -> None:
    values = [getattr(node.operator, name, ()) for name in _REALS]
    if not all(np.isfinite(value).all() for value in values):
        raise UserError(
            f"network layer '{node.name}': expected finite weights, found infinite ones or "
            "not-a-number; train it again or give other weights"
        )


def _convolution(operator: FloatConvolution, operands: Sequence[int]) -> str | None:
    outputs, *_, inputs = operator.weight.shape
    if inputs * operator.groups != operands[0]:
        return f"{inputs * operator.groups} input channels for {operands[0]}"
    if outputs % operator.groups:
        return f"{operator.groups} groups of {outputs} output channels"
    return _biases(operator)


def _transposed(operator: FloatTransposedConvolution, operands: Sequence[int]) -> str | None:
    inputs = operator.weight.shape[3]
    if inputs != operands[0]:
        return f"{inputs} input channels for {operands[0]}"
    return _biases(operator)


def _biases(operator: FloatConvolution | FloatTransposedConvolution) -> str | None:
    outputs = operator.weight.shape[0]
    fits = operator.bias.shape == (outputs,)
    return None if fits else f"{operator.bias.size} biases for {outputs} channels"


def _of_channels(*names: str) -> Callable[[Any, Sequence[int]], str | None]:
    def check(operator: Any, operands: Sequence[int]) -> str | None:
        for size in (getattr(operator, name).size for name in names):
            if size not in (1, operands[0]):
                return f"{size} constants for {operands[0]} channels"
        return None

    return check


def _addition(operator: FloatAdd, operands: Sequence[int]) -> str | None:
    same = operands[0] == operands[1]
    return None if same else f"{operands[0]} and {operands[1]} channels"


def _product(operator: FloatMultiply, operands: Sequence[int]) -> str | None:
    fits = operands[1] in (1, operands[0])
    return None if fits else f"{operands[0]} and {operands[1]} channels"


def _shuffle(operator: FloatPixelShuffle, operands: Sequence[int]) -> str | None:
    left = operands[0] % operator.factor**2
    return f"{operands[0]} channels in blocks of {operator.factor}" if left else None


def _slice(operator: FloatSlice, operands: Sequence[int]) -> str | None:
    fits = 0 <= operator.start < operator.stop <= operands[0]
    return None if fits else f"channels {operator.start} to {operator.stop} of {operands[0]}"


_CHANNELS: dict[type[FloatOperator], Callable[[Any, Sequence[int]], str | None]] = {
    FloatConvolution: _convolution,
    FloatTransposedConvolution: _transposed,
    FloatAffine: _of_channels("scale", "offset"),
    FloatPRelu: _of_channels("slope"),
    FloatAdd: _addition,
    FloatMultiply: _product,
    FloatPixelShuffle: _shuffle,
    FloatSlice: _slice,
}
"""What is wrong with an operator's channels, or None."""


def _size_problem(node: FloatNode, sizes: dict[str, Size], probe: Size) -> str | None:
    """What is wrong with heights and widths; notes the node's own."""
    operands = [sizes[source] for source in node.inputs]
    if len(set(operands)) > 1:
        return f"feature maps of {' and '.join(map(str, operands))} for an image of {probe}"
    size = operands[0] if operands else probe
    made = _SIZES.get(type(node.operator))
    height, width = made(node.operator, size) if made else (size.height, size.width)
    sizes[node.name] = Size(height, width)
    limit = LARGEST_FACTOR * probe.height
    if not (1 <= height <= limit and 1 <= width <= limit):
        return f"a feature map of {height}×{width} for an image of {probe}"
    return None


def _walked(
    size: Size, kernel: tuple[int, ...], stride: tuple[int, int], around: Padding
) -> tuple[int, int]:
    return (
        (size.height + around.rows - kernel[0]) // stride[0] + 1,
        (size.width + around.columns - kernel[1]) // stride[1] + 1,
    )


def _convolved(operator: FloatConvolution, size: Size) -> tuple[int, int]:
    taps = operator.weight.shape[1:3]
    window = tuple(
        (count - 1) * step + 1 for count, step in zip(taps, operator.dilation, strict=True)
    )
    return _walked(size, window, operator.stride, operator.padding)


def _spread(operator: FloatTransposedConvolution, size: Size) -> tuple[int, int]:
    down, across = operator.stride
    spread = Size((size.height - 1) * down + 1, (size.width - 1) * across + 1)
    return _walked(spread, operator.weight.shape[1:3], (1, 1), operator.padding)


def _enlarged(operator: Any, size: Size) -> tuple[int, int]:
    return size.height * operator.factor, size.width * operator.factor


_SIZES: dict[type[FloatOperator], Callable[[Any, Size], tuple[int, int]]] = {
    FloatConvolution: _convolved,
    FloatTransposedConvolution: _spread,
    FloatPad: lambda operator, size: (
        size.height + operator.padding.rows,
        size.width + operator.padding.columns,
    ),
    FloatAveragePool: lambda operator, size: _walked(
        size, operator.kernel, operator.stride, Padding()
    ),
    FloatPixelShuffle: _enlarged,
    FloatNearest: _enlarged,
    FloatBilinear: _enlarged,
}
"""Height and width behind an operator that changes them."""
