"""How wide the accumulators of a graph's convolutions must be, and graphs that say how wide."""

from dataclasses import replace

import numpy as np

from quant.common.accumulators import Accumulator, sum_bounds
from quant.graph.graph import Graph, Node
from quant.graph.operators import Convolution, Integers, ScaledConvolution
from quant.graph.requantization_rules import broken
from quant.graph.types import IntegerType, TensorType
from quant.graph.verifier import verify


def accumulator_bits(node: Node, operand: TensorType) -> int:
    """Least signed bits that hold every partial sum of a convolution, in `Accumulator`'s order.

    Exact: from the actual weights, as `quant.common.accumulators.sum_bounds` defines it.

    Raises:
        GraphError: the node is no convolution.
    """
    convolution = node.operator
    if not isinstance(convolution, Convolution):
        raise broken(node, "a convolution", convolution.kind)
    codes = operand.integer
    bits = 1
    for bias in _biases(convolution):
        least, greatest = sum_bounds(
            convolution.weight, bias, codes.low, codes.high, every_step=True
        )
        needed = max((-int(least.min()) - 1).bit_length(), int(greatest.max()).bit_length()) + 1
        bits = max(bits, needed)
    return bits


def can_overflow(convolution: Convolution, ifm: IntegerType, accumulator: Accumulator) -> bool:
    """Whether some input codes of a type make a convolution's accumulator overflow.

    With tap offsets, sums begin with anything between the bias and some of those offsets, of which
    only the least and the greatest are looked at: it may be true of a sum that never occurs.
    """
    return not all(
        accumulator.always_holds(convolution.weight, bias, ifm.low, ifm.high)
        for bias in _biases(convolution)
    )


def _biases(convolution: Convolution) -> tuple[Integers, ...]:
    """What sums begin with: the bias, or the least and the greatest that tap offsets make of it."""
    if convolution.tap_offset is None:
        return (convolution.bias,)
    return tuple(
        convolution.bias + part(convolution.tap_offset, 0).sum(axis=(1, 2))
        for part in (np.minimum, np.maximum)
    )


def with_accumulators(graph: Graph, accumulator: Accumulator) -> Graph:
    """The graph as a machine with such accumulators computes it.

    Every convolution that can overflow declares the accumulator. Those that cannot stay as they
    are, and so do those that declare one already.

    Args:
        graph: a verified graph.
        accumulator: of the machine.

    Raises:
        GraphError: a requantization does not take sums of that width.
    """
    types = {node.name: node.output for node in graph.nodes}

    def declared(node: Node) -> Node:
        convolution = node.operator
        if not isinstance(convolution, Convolution) or convolution.accumulator is not None:
            return node
        if isinstance(convolution, ScaledConvolution):
            return node  # its sums are kept beside the array's accumulators
        if not can_overflow(convolution, types[node.inputs[0]].integer, accumulator):
            return node
        return replace(node, operator=replace(convolution, accumulator=accumulator))

    return verify(replace(graph, nodes=tuple(declared(node) for node in graph.nodes)))
