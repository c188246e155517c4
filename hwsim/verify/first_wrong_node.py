"""Which node of a graph made the first wrong feature map, and how its integer should come about."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwsim.machine import Arithmetic, run_layerwise
from hwsim.machine.arithmetic import Codes
from hwsim.verify.checks import Place, difference, first_difference
from hwsim.verify.explanation import explained
from quant.graph import Graph, Node

Image = NDArray[np.int32]


def first_wrong_node(
    graph: Graph, image: Image, arithmetic: Arithmetic, run: Callable[[Graph], Codes]
) -> Place:
    """The first node, in graph order, whose feature map is another's than an arithmetic's.

    Engines and machines do not show their inner feature maps, so each node in turn is made the
    output of a shorter graph.

    Args:
        graph: of which the output differs.
        image: int32 [height, width, channels], codes of the input.
        arithmetic: what computes the expected feature maps.
        run: from a graph to the output of what is checked.
    """
    for node in graph.nodes[1:]:
        found = run(ending_at(graph, node.name))
        where = f"{graph.name}: node '{node.name}'"
        place = compared_node(graph, node.name, image, arithmetic, found, where)
        if place is not None:
            return place
    raise AssertionError("the output differs, so some feature map does")


def compared_node(
    graph: Graph, name: str, image: Image, arithmetic: Arithmetic, found: Codes, where: str
) -> Place | None:
    """Where a node's feature map is not an arithmetic's; None where it is.

    Args:
        graph: holds the node.
        name: of the node.
        image: as above.
        arithmetic: what computes the expected feature map.
        found: the feature map to compare.
        where: the beginning of the sentence.
    """
    seen: list[tuple[Sequence[Codes], Codes]] = []

    def observe(node: Node, operands: Sequence[Codes], codes: Codes) -> None:
        if node.name == name:
            seen.append((operands, codes))

    run_layerwise(ending_at(graph, name), image, arithmetic, observe=observe)
    ((operands, expected),) = seen
    return place_of(graph, graph.node(name), operands, found, expected, where)


def place_of(
    graph: Graph, node: Node, operands: Sequence[Codes], found: Codes, expected: Codes, where: str
) -> Place | None:
    """Where two feature maps of a node differ first; None where they do not."""
    if not (found != expected).any():
        return None
    types = [graph.node(source).output for source in node.inputs]
    lines = explained(node.operator, types, operands, first_difference(found, expected))
    return Place(f"{where}, {difference(found, expected)}", lines)


def ending_at(graph: Graph, output: str) -> Graph:
    """The part of a graph that computes one node."""
    inputs = {node.name: node.inputs for node in graph.nodes}
    needed: set[str] = set()
    waiting = [output]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting.extend(inputs[name])
    nodes = tuple(node for node in graph.nodes if node.name in needed)
    return replace(graph, nodes=nodes, output=output)
