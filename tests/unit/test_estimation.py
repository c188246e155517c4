"""The estimator that remembers, against the plain estimate."""

import pytest

from hwsim.estimation import Estimator
from hwsim.simulation import estimate
from quant.graph import Graph, Node, Size, verify
from quant.graph.widths import with_layer_bits
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.machines import machine, prices


def test_it_gives_the_figures_of_a_fresh_estimate() -> None:
    accelerator = machine(16)
    energy = prices(accelerator)
    estimator = Estimator(accelerator, energy)
    for image in (Size(9, 14), Size(12, 5)):
        for changed in (None, *edsr_layers(1)):
            bits = dict.fromkeys(edsr_layers(1), (8, 8))
            if changed is not None:
                bits[changed] = (4, 3)
            graph = edsr_graph(blocks=1, channels=12, bits=bits)
            remembered = estimator.cost(graph, image)
            assert remembered == estimate(graph, accelerator, energy, image).cost


def test_one_layer_more_prices_only_what_changed() -> None:
    accelerator = machine(fusion=False)
    estimator = Estimator(accelerator, prices(accelerator))
    layers = edsr_layers(4)
    estimator.cost(edsr_graph(4, bits=dict.fromkeys(layers, (8, 8))), Size(8, 8))
    known = len(estimator._costs)
    bits = dict.fromkeys(layers, (8, 8)) | {"block2.conv1": (4, 4)}
    estimator.cost(edsr_graph(4, bits=bits), Size(8, 8))
    # The layer itself, and the group before it, which writes the layer's input.
    assert len(estimator._costs) == known + 2


def _with_nodes(graph: Graph, changed: dict[str, Node]) -> Graph:
    nodes = [changed.get(node.name, node) for node in graph.nodes]
    return verify(Graph.build(graph.name, nodes, graph.output, graph.metadata))


@pytest.mark.parametrize("sram_kib", [8, 64])
def test_a_fixed_division_prices_other_widths_as_a_fresh_estimate_does(sram_kib: int) -> None:
    accelerator = machine(sram_kib, fusion=False)  # so that every division is the same
    energy = prices(accelerator)
    graph, image = edsr_graph(blocks=2, channels=12), Size(9, 14)
    fixed = Estimator(accelerator, energy).fixed(graph, image)
    assert fixed.total == estimate(graph, accelerator, energy, image).cost
    for bits in ({"block0.conv2": (4, 3)}, {"head": (2, 8), "block1.conv1": (8, 2)}):
        changed = with_layer_bits(graph, bits)
        fresh = estimate(_with_nodes(graph, changed), accelerator, energy, image).cost
        assert fixed.cost(changed) == fresh
        assert fixed.cost(changed) == fresh  # looked up
    assert fixed.cost({}) == fixed.total


def test_a_fixed_division_keeps_what_runs_together() -> None:
    accelerator = machine(48)
    estimator = Estimator(accelerator, prices(accelerator))
    graph, image = edsr_graph(blocks=4, channels=16, residual_bits=8), Size(20, 40)
    fixed = estimator.fixed(graph, image)
    cascades = [cost.group.cascade for cost in fixed.total.groups]
    assert len(set(cascades)) < len(cascades)
    narrow = fixed.cost(with_layer_bits(graph, {"block2.conv1": (4, 4)}))
    assert narrow is not None
    assert [cost.group.cascade for cost in narrow.groups] == cascades
    assert [cost.group.name for cost in narrow.groups] == [
        cost.group.name for cost in fixed.total.groups
    ]
    assert narrow.energy_uj < fixed.total.energy_uj


def test_what_does_not_fit_any_more_has_no_cost() -> None:
    accelerator = machine(96)
    estimator = Estimator(accelerator, prices(accelerator))
    graph, image = edsr_graph(blocks=4, channels=32, bits=(2, 2), residual_bits=4), Size(20, 40)
    wide = with_layer_bits(graph, dict.fromkeys(edsr_layers(4)[1:], (16, 16)))
    assert estimator.fixed(graph, image).cost(wide) is None
