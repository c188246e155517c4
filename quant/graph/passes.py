"""Graphs rewritten in simpler operators, every integer unchanged."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from quant.common.codes import CodeKind
from quant.common.transposed import Phase, phases
from quant.graph.graph import Graph, Node
from quant.graph.operators import (
    AveragePool,
    Convolution,
    Integers,
    PixelShuffle,
    Requantization,
    TransposedConvolution,
)
from quant.graph.types import Encoding, IntegerType, Padding, TensorType

_ONES = IntegerType(1, CodeKind.UNSIGNED)


def expand_transposed_convolutions(graph: Graph) -> Graph:
    """Turn transposed convolutions into a convolution of the image and a pixel shuffle.

    The convolution has the channels of every phase of the stride (`quant.common.transposed`), and
    taps that read only pad codes there are part of its bias. A node stays as it is

    - with strides that differ down and across,
    - with padding that makes no whole number of output pixels for each input pixel, and
    - where phases have different taps and its type of weights has no zero to fill them with.

    Args:
        graph: a verified graph.

    Returns:
        A graph in which the nodes' tensors keep their names; each new convolution is named after
        its node with ``.phases`` behind.
    """

    def expand(node: Node, _: TensorType) -> tuple[Node, ...]:
        operator = node.operator
        if not isinstance(operator, TransposedConvolution):
            return (node,)
        convolution = _phase_convolution(operator)
        if convolution is None:
            return (node,)
        factor = operator.stride[0]
        if factor == 1:
            return (replace(node, operator=convolution),)
        name = f"{node.name}.phases"
        output = TensorType(
            convolution.out_channels,
            node.output.integer,
            _repeated(node.output.encoding, factor**2),
        )
        return (
            Node(name, convolution, node.inputs, output),
            replace(node, operator=PixelShuffle(factor), inputs=(name,)),
        )

    return _rewritten(graph, expand)


def expand_average_pools(graph: Graph) -> Graph:
    """Turn average pools into depthwise convolutions with weights of 1.

    Args:
        graph: a verified graph.

    Returns:
        A graph with the same names.
    """

    def expand(node: Node, operand: TensorType) -> tuple[Node, ...]:
        pool = node.operator
        if not isinstance(pool, AveragePool):
            return (node,)
        channels = operand.channels
        convolution = Convolution(
            np.ones((channels, *pool.kernel, 1), np.int64),
            _ONES,
            np.full(channels, pool.bias, np.int64),
            Padding(),
            np.array([operand.integer.low]),
            pool.requantization,
            stride=pool.stride,
            groups=channels,
        )
        return (replace(node, operator=convolution),)

    return _rewritten(graph, expand)


def _rewritten(graph: Graph, expand: Callable[[Node, TensorType], tuple[Node, ...]]) -> Graph:
    """The graph with each node that has operands put through ``expand``, given the first's type."""
    types = {node.name: node.output for node in graph.nodes}
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes += expand(node, types[node.inputs[0]]) if node.inputs else (node,)
    return Graph.build(graph.name, nodes, graph.output, graph.metadata)


def _phase_convolution(transposed: TransposedConvolution) -> Convolution | None:
    """All phases as one convolution of stride 1, None where there is none."""
    (factor, other), padding = transposed.stride, transposed.padding
    rows, columns = transposed.kernel
    sides = (padding.top, padding.bottom, rows), (padding.left, padding.right, columns)
    # Outputs are factor · pixels + excess, along each axis.
    excesses = [before + behind + 2 - factor - taps for before, behind, taps in sides]
    if factor != other or any(excess % factor for excess in excesses):
        return None
    down, across = (phases(taps, factor, before) for before, _, taps in sides)
    weight, is_full = _phase_weights(transposed, down, across)
    if not (is_full or transposed.weight_type.contains(np.zeros(1, np.int64))):
        return None
    (top, bottom), (left, right) = (
        _phase_padding(axis, excess // factor)
        for axis, excess in zip((down, across), excesses, strict=True)
    )
    return Convolution(
        weight,
        transposed.weight_type,
        _phase_biases(transposed, down, across),
        Padding(top, bottom, left, right),
        transposed.pad_code,
        _tiled(transposed.requantization, factor**2),
    )


def _window(axis: tuple[Phase, ...]) -> range:
    """The pixels around an output that any phase meets."""
    met = [phase for phase in axis if phase.taps]
    return range(
        min(phase.first for phase in met), max(phase.first + len(phase.taps) for phase in met)
    )


def _phase_padding(axis: tuple[Phase, ...], excess: int) -> tuple[int, int]:
    """Before and behind the image, for ``excess`` more outputs of a phase than there are pixels."""
    window = _window(axis)
    return -window.start, excess + window.stop - 1


def _phase_weights(
    transposed: TransposedConvolution, down: tuple[Phase, ...], across: tuple[Phase, ...]
) -> tuple[Integers, bool]:
    """Weights of every phase's channels, and whether each tap of each has one."""
    rows, columns = _window(down), _window(across)
    outputs, _, _, inputs = transposed.weight.shape
    shape = len(down), len(across), outputs, len(rows), len(columns), inputs
    weight = np.zeros(shape, np.int64)
    taps = 0
    for dy, vertical in enumerate(down):
        for dx, horizontal in enumerate(across):
            y, x = vertical.first - rows.start, horizontal.first - columns.start
            place = slice(y, y + len(vertical.taps)), slice(x, x + len(horizontal.taps))
            if vertical.taps and horizontal.taps:
                met = np.ix_(range(outputs), vertical.taps, horizontal.taps)
                weight[dy, dx][:, place[0], place[1]] = transposed.weight[met]
                taps += len(vertical.taps) * len(horizontal.taps)
    is_full = taps == len(down) * len(across) * len(rows) * len(columns)
    return weight.reshape(-1, len(rows), len(columns), inputs), is_full


def _phase_biases(
    transposed: TransposedConvolution, down: tuple[Phase, ...], across: tuple[Phase, ...]
) -> Integers:
    """Biases of every phase's channels, its taps that meet no pixel among them."""
    pad_code = np.broadcast_to(transposed.pad_code, transposed.in_channels)
    products = transposed.weight @ pad_code
    biases = []
    for vertical in down:
        for horizontal in across:
            met = products[np.ix_(range(len(products)), vertical.taps, horizontal.taps)]
            unmet = products.sum(axis=(1, 2)) - met.sum(axis=(1, 2))
            biases.append(transposed.bias + unmet)
    return np.concatenate(biases)


def _tiled(requantization: Requantization, times: int) -> Requantization:
    """The parameters of some channels for as many times those channels."""
    multiplier, shift = (
        values if len(values) == 1 else np.tile(values, times)
        for values in (requantization.multiplier, requantization.shift)
    )
    return replace(requantization, multiplier=multiplier, shift=shift)


def _repeated(encoding: Encoding, times: int) -> Encoding:
    zeros = encoding.zero_point
    return encoding if len(zeros) == 1 else Encoding(encoding.scale, zeros * times)
