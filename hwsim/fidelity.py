"""How a graph's codes differ from the same network in real numbers, feature map by feature map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hwsim.machine import Arithmetic, run_layerwise
from quant.graph import Graph, Node

Integers = NDArray[np.integer[Any]]


class Oracle(Protocol):
    """What computes a feature map's codes without a graph's constants.

    `quant.lowering.encoded_execution.EncodedExecution` is one.
    """

    def codes_from(
        self, name: str, operands: Sequence[Integers]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The codes of a feature map from its operands', and how far each is from a tie.

        The distance is in codes: 0 where a value lies in the middle between two.
        """
        ...


@dataclass(frozen=True, slots=True)
class MapFidelity:
    """The codes of one feature map against an oracle's, both from the graph's operands.

    Attributes:
        name: of the feature map.
        values: codes compared.
        differing: how many are not equal.
        largest: the largest difference, in codes.
        farthest: how far from the middle between two codes the value of a differing code was at
            most, in codes; 0 where none differs.
    """

    name: str
    values: int
    differing: int
    largest: int
    farthest: float


def fidelity(
    graph: Graph, oracle: Oracle, image: NDArray[np.uint8], arithmetic: Arithmetic
) -> tuple[MapFidelity, ...]:
    """Compare every feature map of a graph with an oracle that is given the graph's operands.

    Differences do not add up from layer to layer that way: each is one rounding.

    Args:
        graph: a verified graph.
        oracle: of the network and encodings the graph was made from.
        image: uint8, height x width x colours.
        arithmetic: what computes the graph.
    """
    found: list[MapFidelity] = []

    def compare(node: Node, operands: Sequence[Integers], codes: Integers) -> None:
        if operands:
            expected, to_middle = oracle.codes_from(node.name, operands)
            difference = np.abs(expected - codes.astype(np.int64))
            differing = difference != 0
            farthest = float(to_middle[differing].max()) if differing.any() else 0.0
            count, largest = int(differing.sum()), int(difference.max())
            found.append(MapFidelity(node.name, codes.size, count, largest, farthest))

    run_layerwise(graph, image.astype(np.int32), arithmetic, observe=compare)
    return tuple(found)
