"""How wide the accumulators of a graph's convolutions must be, and graphs that say how wide."""

from dataclasses import replace

from quant.common.accumulators import Accumulator, sum_bounds
from quant.graph.graph import Graph, Node
from quant.graph.operators import Convolution
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
    least, greatest = sum_bounds(
        convolution.weight, convolution.bias, codes.low, codes.high, every_step=True
    )
    return max((-int(least.min()) - 1).bit_length(), int(greatest.max()).bit_length()) + 1


def can_overflow(convolution: Convolution, ifm: IntegerType, accumulator: Accumulator) -> bool:
    """Whether some input codes of a type make a convolution's accumulator overflow."""
    return not accumulator.always_holds(convolution.weight, convolution.bias, ifm.low, ifm.high)


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
        if not can_overflow(convolution, types[node.inputs[0]].integer, accumulator):
            return node
        return replace(node, operator=replace(convolution, accumulator=accumulator))

    return verify(replace(graph, nodes=tuple(declared(node) for node in graph.nodes)))
