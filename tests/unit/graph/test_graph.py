from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.graph import Graph, GraphError, Node, Padding, PixelShuffle, Size, TensorType
from tests.integer_interpreter import execute
from tests.random_graphs import random_graphs, random_images
from tests.unit.graph.small_graphs import (
    S8,
    add_graph,
    convolution,
    convolution_graph,
    image,
    requantize,
)


def super_resolution() -> Graph:
    """Convolution to 4 channels, pixel shuffle by 2, 1x1 convolution to 3 channels."""
    nodes = [
        Node(
            "tail",
            convolution(
                weight=np.ones((3, 1, 1, 1), np.int64),
                bias=np.zeros(3, np.int64),
                padding=Padding(),
            ),
            ("up",),
            TensorType(3, S8),
        ),
        Node("up", PixelShuffle(2), ("conv",), TensorType(1, S8)),
        *convolution_graph().nodes,
    ]
    return Graph.build("super", nodes, "tail", {"method": "none"})


def test_build_puts_producers_before_consumers() -> None:
    assert [node.name for node in super_resolution().nodes] == ["image", "conv", "up", "tail"]


def test_the_scale_is_the_product_of_the_shuffles() -> None:
    assert super_resolution().scale() == Fraction(2)


def test_sizes_and_macs_follow_from_the_image() -> None:
    graph = super_resolution()
    sizes = graph.sizes(Size(5, 7))
    assert sizes["conv"] == Size(5, 7)
    assert sizes["tail"] == Size(10, 14)
    assert graph.macs(Size(5, 7)) == 4 * 3 * 3 * 2 * 35 + 3 * 140


def test_an_image_too_small_for_the_network_is_refused() -> None:
    graph = convolution_graph(padding=Padding())
    with pytest.raises(GraphError, match=r"^node 'conv': an image of 2×7 leaves nothing"):
        graph.sizes(Size(2, 7))


def test_consumers_are_listed_once_and_in_order() -> None:
    graph = add_graph()
    assert graph.consumers() == {"image": ("copy", "sum"), "copy": ("sum",), "sum": ()}
    assert sorted(graph.network().edges) == [("copy", "sum"), ("image", "copy"), ("image", "sum")]


def test_an_unknown_node_is_answered_with_the_nearest() -> None:
    with pytest.raises(GraphError, match=r"no node 'con'; did you mean 'conv'\?"):
        convolution_graph().node("con")


@pytest.mark.parametrize(
    ("nodes", "output", "message"),
    [
        ([image(), image()], "image", "node 'image': expected a name used once, found it twice"),
        ([image()], "imag", "output 'imag': no such node; did you mean 'image'?"),
        (
            [image(), Node("copy", requantize(), ("imgae",), TensorType(2, S8))],
            "copy",
            "node 'copy': unknown input 'imgae'; did you mean 'image'?",
        ),
        (
            [
                Node("one", requantize(), ("two",), TensorType(2, S8)),
                Node("two", requantize(), ("one",), TensorType(2, S8)),
            ],
            "two",
            "graph: expected no cycle, found one → two; break it",
        ),
    ],
)
def test_broken_wiring_is_named(nodes: list[Node], output: str, message: str) -> None:
    with pytest.raises(GraphError) as raised:
        Graph.build("broken", nodes, output)
    assert str(raised.value) == message


def test_a_graph_has_one_input() -> None:
    nodes = (image(), replace(image(), name="mask"))
    with pytest.raises(GraphError, match="expected exactly one input node, found 2"):
        _ = Graph("two", nodes, "image").input


@given(st.data())
def test_sizes_are_those_of_the_computed_feature_maps(data: st.DataObject) -> None:
    graph = data.draw(random_graphs())
    pixels = data.draw(random_images(graph))
    sizes = graph.sizes(Size(*pixels.shape[:2]))
    for name, codes in execute(graph, pixels).items():
        assert codes.shape == (
            sizes[name].height,
            sizes[name].width,
            graph.node(name).output.channels,
        )


@given(st.data())
def test_every_code_lies_in_its_type(data: st.DataObject) -> None:
    graph = data.draw(random_graphs())
    for name, codes in execute(graph, data.draw(random_images(graph))).items():
        integer = graph.node(name).output.integer
        assert integer.low <= codes.min()
        assert codes.max() <= integer.high
