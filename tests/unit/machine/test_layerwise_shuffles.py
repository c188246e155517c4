"""A pixel shuffle that is stored by the convolution before it, and those that cannot be."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwsim.machine import KERNELS, REFERENCE, run_layerwise
from quant.graph import Accumulator, Graph, Node, PixelShuffle, TensorType
from tests.unit.graph.small_graphs import S8, convolution, image, requantize

IMAGE = np.random.default_rng(0).integers(0, 256, (5, 7, 2), np.int32)


def _graph(*others: Node, order: str = "dcr", output: str = "shuffle", **changes: Any) -> Graph:
    conv = Node("conv", convolution(**changes), ("image",), TensorType(4, S8))
    shuffle = Node("shuffle", PixelShuffle(2, order), ("conv",), TensorType(1, S8))
    return Graph("small", (image(), conv, shuffle, *others), output)


def _shuffled_at_once(graph: Graph) -> int:
    """How many shuffles the kernels' arithmetic stored from a convolution."""
    factors = []
    assert KERNELS.shuffled is not None
    inner = KERNELS.shuffled

    def spy(operator: Any, types: Any, operands: Any, factor: int) -> Any:
        factors.append(factor)
        return inner(operator, types, operands, factor)

    run_layerwise(graph, IMAGE, replace(KERNELS, shuffled=spy))
    return len(factors)


def test_a_shuffle_behind_a_convolution_is_stored_by_it() -> None:
    graph = _graph()
    assert _shuffled_at_once(graph) == 1
    found = run_layerwise(graph, IMAGE, KERNELS)
    assert len(np.unique(found)) > 20
    assert (found == run_layerwise(graph, IMAGE, REFERENCE)).all()


def test_an_observer_sees_every_node_in_types_to_compute_with() -> None:
    seen = {}
    run_layerwise(
        _graph(), IMAGE, KERNELS, observe=lambda node, _operands, codes: seen.update({node: codes})
    )
    assert [node.name for node in seen] == ["image", "conv", "shuffle"]
    assert {codes.dtype for codes in seen.values()} == {np.dtype(np.int32)}
    assert [codes.shape for codes in seen.values()] == [(5, 7, 2), (5, 7, 4), (10, 14, 1)]


OTHER_READER = Node("other", requantize(), ("conv",), TensorType(4, S8))


@pytest.mark.parametrize(
    "graph",
    [
        _graph(OTHER_READER),
        _graph(order="crd"),
        _graph(output="conv"),
        _graph(accumulator=Accumulator(32, "wrap")),
    ],
    ids=["another reader", "another order", "the convolution is the output", "an accumulator"],
)
def test_other_shuffles_are_not(graph: Graph) -> None:
    assert _shuffled_at_once(graph) == 0


def test_an_arithmetic_with_a_replaced_operator_computes_nothing_at_once() -> None:
    broken = KERNELS.replacing(PixelShuffle, lambda shuffle, types, operands: operands[0] * 0)
    assert broken.shuffled is None
    assert not run_layerwise(_graph(), IMAGE, broken).any()
