"""The pass that makes a graph declare its accumulators, and the width that they need."""

from dataclasses import replace

import numpy as np
import pytest

from quant.graph import (
    Accumulator,
    CodeKind,
    Convolution,
    Graph,
    GraphError,
    IntegerType,
    Node,
    Padding,
    Requantization,
    TensorType,
    accumulator_bits,
    can_overflow,
    with_accumulators,
)
from quant.graph.operators import Input

U4 = IntegerType(4)


def _convolution(weights: list[int], bias: int = 0) -> Convolution:
    taps = np.array(weights, np.int64).reshape(1, 1, 1, -1)
    requantization = Requantization(np.array([1]), np.array([2]), 0, 0, 15)
    return Convolution(
        taps, IntegerType(4, CodeKind.SIGNED), np.array([bias]), Padding(), np.zeros(1, np.int64),
        requantization,
    )  # fmt: skip


def _graph(*operators: Convolution) -> Graph:
    nodes = [Node("image", Input(), (), TensorType(1, U4))]
    for index, operator in enumerate(operators):
        nodes.append(Node(f"conv{index}", operator, (nodes[-1].name,), TensorType(1, U4)))
    return Graph("small", tuple(nodes), nodes[-1].name)


def _accumulators(graph: Graph) -> list[Accumulator | None]:
    return [
        node.operator.accumulator for node in graph.nodes if isinstance(node.operator, Convolution)
    ]


def test_only_what_can_overflow_is_marked() -> None:
    graph = _graph(_convolution([1]), _convolution([7]), _convolution([-7]))  # 15, 105, -105
    mark = Accumulator(7, "wrap")
    assert _accumulators(with_accumulators(graph, mark)) == [None, mark, mark]
    assert _accumulators(with_accumulators(graph, Accumulator(8, "wrap"))) == [None] * 3
    assert _accumulators(graph) == [None] * 3


def test_a_declared_accumulator_stays() -> None:
    own = Accumulator(6, "saturate_step")
    graph = _graph(replace(_convolution([7]), accumulator=own), _convolution([7]))
    mark = Accumulator(7, "wrap")
    marked = with_accumulators(graph, mark)
    assert _accumulators(marked) == [own, mark]
    assert _accumulators(with_accumulators(marked, Accumulator(5))) == [own, mark]


@pytest.mark.parametrize(
    ("weights", "bias", "bits"),
    [
        ([1], 0, 5),  # 0 … 15
        ([-1], 0, 5),  # -15 … 0
        ([-1], -1, 5),  # -16 … -1
        ([-1], -2, 6),  # -17
        ([1], -16, 5),  # -16 … -1: the bias comes first and keeps the sum within five bits
        ([1], 1, 6),  # 16
    ],
)
def test_bits_needed_in_the_declared_order(weights: list[int], bias: int, bits: int) -> None:
    graph = _graph(_convolution(weights, bias))
    assert accumulator_bits(graph.nodes[1], graph.nodes[0].output) == bits
    for overflow in ("error", "saturate_step"):
        operator = graph.nodes[1].operator
        assert isinstance(operator, Convolution)
        assert not can_overflow(operator, U4, Accumulator(bits, overflow))
        assert can_overflow(operator, U4, Accumulator(bits - 1, overflow))


def test_a_mode_that_takes_no_such_sums_is_refused() -> None:
    scaling = Requantization(np.array([2**30]), np.array([31]), 0, 0, 15, "tflite_double")
    wide = replace(_convolution([7], 2**38), requantization=scaling, accumulator=None)
    with pytest.raises(GraphError, match=r"node 'conv0' \(convolution\)"):
        with_accumulators(_graph(wide), Accumulator(34, "wrap"))
