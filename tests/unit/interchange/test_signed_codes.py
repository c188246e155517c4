"""Graphs with signed codes compute the same feature maps, 128 lower where they were unsigned."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.machine import REFERENCE, run_layerwise
from quant.graph import (
    Add,
    FusedTerms,
    Graph,
    GraphError,
    IntegerType,
    Node,
    Statistics,
    TensorType,
)
from quant.interchange.picture_ends import with_picture_ends
from quant.interchange.signed_codes import with_signed_codes
from tests.edsr_graphs import edsr_graph
from tests.random_graphs import random_graphs, random_images
from tests.unit.interchange.small_graphs import small_graph

U8 = IntegerType(8)


def maps(graph: Graph, image: NDArray[np.int32]) -> dict[str, NDArray[np.int64]]:
    found = {}

    def observe(node: Node, operands: object, codes: NDArray[np.int64]) -> None:
        found[node.name] = codes

    run_layerwise(graph, image, REFERENCE, None, observe)
    return found


@given(st.data())
@settings(max_examples=30)
def test_every_feature_map_is_the_same_but_for_128(data: st.DataObject) -> None:
    graph = data.draw(random_graphs(every_operator=True, image=U8))
    image = data.draw(random_images(graph)).astype(np.int32)
    if any(isinstance(node.operator, Statistics) for node in graph.nodes):
        return  # refused: a sum of codes is not moved by 128
    signed = with_signed_codes(graph)
    assert all(node.output.integer != U8 for node in signed.nodes)
    before, after = maps(graph, image), maps(signed, image - 128)
    for node in graph.nodes:
        if node.name in after:
            moved = 128 if node.output.integer == U8 else 0
            np.testing.assert_array_equal(after[node.name], before[node.name] - moved)


def test_pictures_ends_of_a_signed_network_go_away() -> None:
    graph = small_graph("tflite_double")
    ended = with_picture_ends(graph)
    signed = with_signed_codes(ended)
    assert [node.operator.kind for node in signed.nodes] == [
        node.operator.kind for node in graph.nodes
    ]
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.int32)
    found = run_layerwise(signed, image - 128, REFERENCE)
    np.testing.assert_array_equal(found, run_layerwise(graph, image - 128, REFERENCE))
    np.testing.assert_array_equal(found + 128, run_layerwise(ended, image, REFERENCE))


def test_what_depends_on_codes_otherwise_is_refused() -> None:
    graph = edsr_graph(1, 4)
    source = graph.node("image")
    summed = Node("total", Statistics("maximum"), ("image",), source.output)
    with pytest.raises(GraphError) as error:
        with_signed_codes(replace(graph, nodes=(source, summed), output="total"))
    assert str(error.value) == (
        "node 'total' (statistics): expected an operator of 8-bit codes, found statistics"
    )
    tail = graph.node("tail")
    first = replace(tail.operator.requantization, zero_point_first=True)
    changed = replace(tail, operator=replace(tail.operator, requantization=first))
    with pytest.raises(GraphError, match=r"'tail' .* expected a zero point that is added behind"):
        with_signed_codes(replace(graph, nodes=(*graph.nodes[:-1], changed)))


def test_an_addition_in_float32_is_refused() -> None:
    fused = Add((1, 1), 0, edsr_graph(1).node("tail").operator.requantization, FusedTerms(0))
    image = Node("image", *_input())
    node = Node("sum", fused, ("image", "image"), TensorType(3, U8))
    with pytest.raises(GraphError, match="expected an addition of integers, found one in float32"):
        with_signed_codes(Graph.build("sum", [image, node], "sum"))


def _input() -> tuple[object, tuple[str, ...], TensorType]:
    node = edsr_graph(1).input
    return node.operator, (), node.output


def test_narrower_codes_stay() -> None:
    graph = edsr_graph(1, 4, bits=(4, 4))
    signed = with_signed_codes(graph)
    kept = [n for n in signed.nodes if n.output.integer == IntegerType(4)]
    assert len(kept) == sum(n.output.integer == IntegerType(4) for n in graph.nodes) > 0
