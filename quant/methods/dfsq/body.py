"""Which layers DFSQ quantizes: the body of a super-resolution network."""

from collections.abc import Iterable

import networkx as nx

from quant.lowering import FloatNetwork
from quant.lowering.float_operators import FloatAdd, FloatConcatenate, FloatConvolution


def body_layers(network: FloatNetwork) -> tuple[str, ...]:
    """The convolutions of the body, in order.

    They are those of the innermost residual branches (between a fork and the addition behind it,
    with no addition inside), and those that follow a concatenation of what such branches made, as
    the global fusion of RDN does. Of a network without residual branches they are all between the
    first layer and the last, which are never of the body.

    Args:
        network: a folded network.
    """
    wiring: nx.DiGraph[str] = nx.DiGraph()
    wiring.add_nodes_from(node.name for node in network.nodes)
    wiring.add_edges_from((source, node.name) for node in network.nodes for source in node.inputs)
    by_name, layers = network.by_name(), network.layer_names()

    def has(names: Iterable[str], kind: type) -> bool:
        return any(isinstance(by_name[name].operator, kind) for name in names)

    branches = [
        _branch(wiring, *node.inputs)
        for node in network.nodes
        if isinstance(node.operator, FloatAdd)
    ]
    inner = [branch for branch in branches if not has(branch, FloatAdd)]
    body = set().union(*inner)
    for branch in branches:
        for name in branch - body:
            if isinstance(by_name[name].operator, FloatConcatenate):
                body |= nx.descendants(wiring, name) & branch
    chosen = body if branches else set(layers)
    return tuple(
        name
        for name in layers[1:-1]
        if name in chosen
        and isinstance(operator := by_name[name].operator, FloatConvolution)
        and operator.groups == 1
    )


def _branch(wiring: "nx.DiGraph[str]", one: str, other: str) -> set[str]:
    """What only one of two feature maps depends on, those themselves included."""
    first, second = (nx.ancestors(wiring, name) | {name} for name in (one, other))
    return first ^ second
