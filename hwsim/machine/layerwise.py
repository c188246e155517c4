"""The whole graph operator by operator on whole feature maps: what every schedule must equal.

Two arithmetics run it: the slow reference that reads like the operator pages, and the fast
kernels. Neither knows tiles, memories or addresses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic.convolution import convolve, pack_convolution
from hwsim.arithmetic.elementwise import (
    add_requantize,
    add_rounded_requantize,
    pixel_shuffle,
    requantize_codes,
)
from hwsim.arithmetic.fused_addition import add_fused
from quant.graph import (
    Add,
    Convolution,
    FusedTerms,
    Graph,
    Input,
    Node,
    PixelShuffle,
    Requantize,
    TensorType,
    TermRounding,
)

Codes = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How each kind of operator is computed: (node, operand types, operands) to codes."""

    name: str
    convolution: Callable[[Convolution, TensorType, Codes], Codes]
    add: Callable[[Add, Codes, Codes], Codes]
    requantize: Callable[[Requantize, Codes], Codes]
    pixel_shuffle: Callable[[Codes, int], Codes]


def run_layerwise(
    graph: Graph,
    image: NDArray[np.int32],
    arithmetic: "Arithmetic",
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.int32]:
    """Codes of a graph's output for the codes of an image.

    Args:
        graph: a verified graph.
        image: int32 [height, width, channels].
        arithmetic: `REFERENCE` or `KERNELS`.
        progress: called with nodes done and nodes in all.

    Returns:
        int32 [height, width, channels].
    """
    types = {node.name: node.output for node in graph.nodes}
    remaining = {name: len(readers) for name, readers in graph.consumers().items()}
    codes: dict[str, Codes] = {}
    for done, node in enumerate(graph.nodes, 1):
        operands = [codes[name] for name in node.inputs]
        codes[node.name] = (
            image if isinstance(node.operator, Input) else _run(node, operands, types, arithmetic)
        )
        for name in dict.fromkeys(node.inputs):
            remaining[name] -= 1
            if remaining[name] == 0 and name != graph.output:
                del codes[name]
        if progress is not None:
            progress(done, len(graph.nodes))
    return codes[graph.output].astype(np.int32)


def _run(
    node: Node, operands: list[Codes], types: dict[str, TensorType], arithmetic: Arithmetic
) -> Codes:
    match node.operator:
        case Convolution(stride=(1, 1), dilation=(1, 1), groups=1, accumulator=None) as convolution:
            return arithmetic.convolution(convolution, types[node.inputs[0]], operands[0])
        case Add() as add:
            return arithmetic.add(add, operands[0], operands[1])
        case Requantize() as requantize:
            return arithmetic.requantize(requantize, operands[0])
        case PixelShuffle(factor=factor, order="dcr"):
            return arithmetic.pixel_shuffle(operands[0], factor)
        case _:
            raise ValueError(f"'{node.name}': no arithmetic for {node.operator.kind}")


def _padded(convolution: Convolution, codes: Codes) -> Codes:
    """The input with its border of pad codes, by NumPy alone."""
    padding = convolution.padding
    height, width, channels = codes.shape
    padded = np.empty((height + padding.rows, width + padding.columns, channels), np.int32)
    padded[:] = convolution.pad_code
    padded[padding.top : padding.top + height, padding.left : padding.left + width] = codes
    return padded


def _reference_convolution(convolution: Convolution, ifm: TensorType, codes: Codes) -> Codes:
    padding = convolution.padding
    pad_code = np.broadcast_to(convolution.pad_code, convolution.in_channels)
    sides = (padding.top, padding.bottom, padding.left, padding.right)
    padded = reference.pad(codes, sides, pad_code)
    accumulator = reference.convolve(padded, convolution.weight, convolution.bias)
    return reference.requantize(accumulator, convolution.requantization)


def _kernel_convolution(convolution: Convolution, ifm: TensorType, codes: Codes) -> Codes:
    packed = pack_convolution(
        convolution.weight.astype(np.int32),
        convolution.bias,
        convolution.requantization,
        ifm.integer.low,
        ifm.integer.high,
    )
    return convolve(packed, _padded(convolution, codes))


def _reference_add(add: Add, first: Codes, second: Codes) -> Codes:
    requantization = add.requantization
    match add.term_rounding:
        case None:
            accumulator = reference.add(first, second, add.multipliers, add.bias)
        case TermRounding() as terms:
            accumulator = reference.add_rounded(first, second, add.multipliers, terms, add.bias)
        case FusedTerms() as terms:
            limits = requantization.low, requantization.high
            return reference.add_fused(first, second, add.multipliers, terms, *limits)
    return reference.requantize(accumulator, requantization)


def add_codes(add: Add, first: Codes, second: Codes) -> Codes:
    """An addition of two feature maps by the fast kernels, int32 codes in and out."""
    requantization = add.requantization
    match add.term_rounding:
        case None:
            return add_requantize(first, second, add.multipliers, add.bias, requantization)
        case TermRounding() as terms:
            return add_rounded_requantize(
                first, second, add.multipliers, terms, add.bias, requantization
            )
        case FusedTerms() as terms:
            limits = requantization.low, requantization.high
            return add_fused(first, second, add.multipliers, terms, *limits)


def requantized_codes(requantize: Requantize, codes: Codes) -> Codes:
    """A requantization of a feature map by the fast kernels, int32 codes in and out."""
    return requantize_codes(codes, requantize.bias, requantize.requantization)


REFERENCE = Arithmetic(
    "int64 reference",
    _reference_convolution,
    _reference_add,
    lambda requantize, codes: reference.requantize(
        codes.astype(np.int64) + requantize.bias, requantize.requantization
    ),
    reference.pixel_shuffle,
)
KERNELS = Arithmetic(
    "fast kernels", _kernel_convolution, add_codes, requantized_codes, pixel_shuffle
)
