import math

import pytest

from quant.graph import Size
from quant.graph.bits import (
    counted_layers,
    feature_average_bits,
    layer_operations,
    weight_average_bits,
)
from tests.edsr_graphs import edsr_graph, edsr_layers


def test_bit_operations_are_multiplications_times_both_widths() -> None:
    bits = dict.fromkeys(edsr_layers(1), (8, 8)) | {"block0.conv1": (4, 6)}
    layers = {
        layer.name: layer for layer in layer_operations(edsr_graph(1, 5, bits=bits), Size(7, 9))
    }
    assert list(layers) == edsr_layers(1)
    inner = layers["block0.conv1"]
    assert (inner.weight_bits, inner.activation_bits) == (4, 6)
    assert inner.macs == 7 * 9 * 5 * 5 * 3 * 3
    assert inner.bit_operations == inner.macs * 4 * 6
    tail = layers["tail"]  # on the enlarged grid
    assert tail.bit_operations == 14 * 18 * 5 * 3 * 3 * 3 * 8 * 8


def test_the_layers_are_all_the_multiplications_there_are() -> None:
    graph = edsr_graph(2, 4, scale=3)
    layers = layer_operations(graph, Size(6, 5))
    assert sum(layer.macs for layer in layers) == graph.macs(Size(6, 5))


def test_averages_count_convolutions_once_and_weights_once() -> None:
    bits = dict.fromkeys(edsr_layers(0), (8, 8)) | {"body_end": (2, 4)}
    graph = edsr_graph(0, 4, bits=bits)
    assert feature_average_bits(graph) == pytest.approx((8 + 4 + 8 + 8) / 4)
    assert feature_average_bits(graph, {"body_end", "tail"}) == (4 + 8) / 2
    weights = {"head": 3 * 4 * 9, "body_end": 4 * 4 * 9, "upsampler": 4 * 16 * 9, "tail": 4 * 3 * 9}
    total = sum(count * (2 if name == "body_end" else 8) for name, count in weights.items())
    assert weight_average_bits(graph) == pytest.approx(total / sum(weights.values()))
    assert not math.isnan(weight_average_bits(graph))


def test_the_layers_that_papers_count_are_named_in_metadata() -> None:
    assert counted_layers({"counted_layers": "a,b.c"}) == {"a", "b.c"}
    assert counted_layers({}) is None
