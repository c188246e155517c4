"""Operators that no unit of the machine knows, in terms of those that it does."""

from quant.graph import AveragePool, Graph, TransposedConvolution
from quant.graph.passes import expand_average_pools, expand_transposed_convolutions


def expanded(graph: Graph) -> Graph:
    """The graph with transposed convolutions and average pools as convolutions.

    Every integer stays the same, and tensors keep their names. A transposed convolution that the
    pass leaves as it is (`quant.graph.passes`) is left for the scheduler to refuse.
    """
    if not any(
        isinstance(node.operator, TransposedConvolution | AveragePool) for node in graph.nodes
    ):
        return graph
    return expand_average_pools(expand_transposed_convolutions(graph))
