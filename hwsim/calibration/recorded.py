"""Operands of a network's own layers, in the order in which arrays are fed with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis.products import Product
from accelerators.synthesis.scale_units import Scaled
from accelerators.synthesis.simulator import STREAMS
from hwsim.arithmetic.geometry import Padding
from hwsim.arithmetic.rearrangement import constant_border
from hwsim.machine import KERNELS, execute_layerwise
from quant.common.codes import CodeKind
from quant.common.errors import UserError
from quant.graph import Add, Convolution, Graph, Node

Codes = NDArray[np.int32]
Integers = NDArray[np.int64]
Quantize = Callable[[str], Graph]
"""From a policy such as ``w4a8`` to the graph."""

PIXELS = 512
"""Of each layer, one behind the other along rows, from the middle of the picture on."""

SUMS = 200
"""Of each channel, for requantizers."""


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A convolution that was computed: what it read and what its sums became."""

    product: Product
    convolution: Convolution


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What a network's layers computed with.

    Attributes:
        products: of its convolutions of the commonest shape, all of one reduction.
        sums: what their requantizers were given.
        additions: operands of its additions; None where it has none.
    """

    products: tuple[Product, ...]
    sums: Scaled
    additions: Scaled | None


def record(graph: Graph, image: Codes) -> Recording:
    """Run a graph layer by layer and keep operands of its convolutions and additions.

    Left out are convolutions that no array multiplies as two's complement or unsigned integers,
    or that are requantized otherwise than by rounding halves up.

    Args:
        graph: what to run.
        image: int32 [height, width, channels], codes of its input.

    Raises:
        UserError: no convolution is left, or the picture has too few pixels.
    """
    layers: list[_Layer] = []
    additions: list[tuple[Add, Codes, Codes]] = []
    types = {node.name: node.output.integer for node in graph.nodes}

    def observe(node: Node, operands: Sequence[Codes], _: Codes) -> None:
        operator = node.operator
        if isinstance(operator, Add) and operator.term_rounding is None:
            additions.append((operator, operands[0], operands[1]))
        if type(operator) is Convolution and _is_plain(operator):
            integer = types[node.inputs[0]]
            if integer.kind in (CodeKind.SIGNED, CodeKind.UNSIGNED):
                product = _product(operator, operands[0], integer.bits, integer.kind)
                layers.append(_Layer(product, operator))

    execute_layerwise(graph, image, KERNELS, observe=observe)
    shapes = [layer.convolution.weight.shape for layer in layers]
    if not shapes:
        raise UserError(
            f"graph '{graph.name}' has no convolution that an array multiplies as plain integers; "
            "record another network"
        )
    commonest = max(set(shapes), key=shapes.count)
    chosen = [layer for layer in layers if layer.convolution.weight.shape == commonest]
    return Recording(
        tuple(layer.product for layer in chosen),
        _sums(chosen),
        _additions(additions) if additions else None,
    )


def _is_plain(convolution: Convolution) -> bool:
    return (
        convolution.weight_type.kind == CodeKind.SIGNED
        and convolution.groups == 1
        and convolution.stride == convolution.dilation == (1, 1)
        and convolution.border == "code"
        and convolution.tap_offset is None
        and convolution.requantization.rounding == "half_up"
    )


def _product(convolution: Convolution, ifm: Codes, bits: int, kind: CodeKind) -> Product:
    """Pixels from the middle of the picture on, each with the whole window it needs."""
    given = convolution.padding
    padding = Padding(given.top, given.bottom, given.left, given.right)
    padded = constant_border(ifm, padding, convolution.pad_code)
    windows = np.lib.stride_tricks.sliding_window_view(padded, convolution.kernel, axis=(0, 1))
    rows = windows.transpose(0, 1, 3, 4, 2).reshape(-1, convolution.weight[0].size)
    first = windows.shape[1] * (windows.shape[0] // 2)
    pixels = rows[first : first + PIXELS]
    if len(pixels) < PIXELS:
        raise UserError(
            f"a picture of {windows.shape[0]} x {windows.shape[1]} pixels is too small to record "
            f"{PIXELS} of them from its middle on; give a larger one"
        )
    weights = convolution.weight.reshape(len(convolution.weight), -1).T
    return Product(
        pixels.astype(np.int64),
        weights.astype(np.int64),
        bits,
        convolution.weight_type.bits,
        kind == CodeKind.SIGNED,
    )


def _sums(layers: Sequence[_Layer]) -> Scaled:
    """Sums of one channel a stream, layers and channels in turns."""
    columns = []
    for stream in range(STREAMS):
        layer = layers[stream % len(layers)]
        convolution, scale = layer.convolution, layer.convolution.requantization
        channel = stream // len(layers) % len(convolution.weight)
        columns.append(
            (
                layer.product.activations[:SUMS] @ layer.product.weights[:, channel],
                _of_channel(scale.multiplier, channel),
                _of_channel(scale.shift, channel),
                scale.zero_point,
                scale.low,
                scale.high,
                _of_channel(convolution.bias, channel),
                0,
            )
        )
    fields = [np.stack([column[place] for column in columns], axis=-1) for place in range(8)]
    return Scaled(*fields)


def _of_channel(values: Integers, channel: int) -> int:
    return int(values[channel % len(values)])


def _additions(found: Sequence[tuple[Add, Codes, Codes]]) -> Scaled:
    """Elements of one channel a stream, along rows, additions and channels in turns."""
    columns = []
    for stream in range(STREAMS):
        operator, first, second = found[stream % len(found)]
        channel = stream // len(found) % first.shape[2]
        scale = operator.requantization
        start = first.shape[1] * (first.shape[0] // 2)
        one, other = (
            each[:, :, channel].reshape(-1)[start : start + SUMS].astype(np.int64)
            for each in (first, second)
        )
        # A sum's own multiplier and those of its operands are one.
        factor = _of_channel(scale.multiplier, 0)
        columns.append(
            (
                one,
                operator.multipliers[0] * factor,
                _of_channel(scale.shift, 0),
                scale.zero_point,
                scale.low,
                scale.high,
                0,
                operator.bias * factor,
                other,
                operator.multipliers[1] * factor,
            )
        )
    fields = [np.stack([column[place] for column in columns], axis=-1) for place in range(10)]
    return Scaled(*fields)
