"""Layers at other widths, for what depends on widths alone."""

import pytest

from quant.graph import Graph, GraphError, verify
from quant.graph.widths import with_layer_bits
from tests.edsr_graphs import edsr_graph


def test_the_graph_stays_valid_and_has_the_widths() -> None:
    graph = edsr_graph(blocks=1, channels=8)
    bits = {"block0.conv1": (3, 2), "block0.conv2": (1, 5), "tail": (16, 12)}
    changed = with_layer_bits(graph, bits)
    nodes = [changed.get(node.name, node) for node in graph.nodes]
    narrowed = verify(Graph.build(graph.name, nodes, graph.output))
    for name, (weight_bits, activation_bits) in bits.items():
        node = narrowed.node(name)
        assert node.operator.weight_type.bits == weight_bits
        assert narrowed.node(node.inputs[0]).output.integer.bits == activation_bits
    unchanged = {node.name for node in graph.nodes} - changed.keys()
    assert "head" in unchanged
    assert "block0.add" in unchanged


def test_a_layer_with_the_widths_it_has_costs_no_other_node() -> None:
    graph = edsr_graph(blocks=1, channels=8, bits=(8, 8))
    assert with_layer_bits(graph, {"block0.conv2": (8, 8)}).keys() == {"block0.conv2"}


def test_what_has_no_other_widths_is_refused() -> None:
    graph = edsr_graph(blocks=1, channels=8)
    with pytest.raises(GraphError) as caught:
        with_layer_bits(graph, {"global_add": (8, 8)})
    assert str(caught.value) == (
        "node 'global_add': expected a convolution, found add; give names of convolutions"
    )
    with pytest.raises(GraphError, match="no node 'block9"):
        with_layer_bits(graph, {"block9.conv1": (8, 8)})
