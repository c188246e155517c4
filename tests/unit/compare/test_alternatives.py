import numpy as np

from hwsim.compare.alternatives import Alternatives
from hwsim.machine import REFERENCE, run_layerwise
from quant.graph import Graph
from tests.edsr_graphs import edsr_graph
from tests.unit.compare.adaptive_graphs import by_brightness

DARK = np.random.default_rng(1).integers(0, 60, (9, 8, 3), np.uint8)
LIGHT = np.random.default_rng(2).integers(190, 256, (9, 8, 3), np.uint8)


def unchanged(graph: Graph) -> Graph:
    return graph


def test_one_graph_is_one_variant_without_a_choice() -> None:
    graph = edsr_graph(1, 4)
    one = Alternatives.of(graph, unchanged)
    picture, variant = one.enlarge(DARK)
    assert (one.variants, one.selector, one.shares, variant) == ((graph,), None, (1.0,), 0)
    assert np.array_equal(picture, run_layerwise(graph, DARK.astype(np.int32), REFERENCE))
    assert one.graphs == (graph,)


def test_an_image_runs_the_variant_that_its_selector_says() -> None:
    adaptive = by_brightness()
    several = Alternatives.of(adaptive, unchanged)
    for image, expected in ((DARK, 0), (LIGHT, 1)):
        picture, variant = several.enlarge(image)
        codes = run_layerwise(adaptive.variants[expected], image.astype(np.int32), REFERENCE)
        assert variant == expected
        assert np.array_equal(picture, codes)
    assert several.shares == (0.25, 0.75)
    assert several.graphs == (*adaptive.variants, adaptive.selector)


def test_every_graph_becomes_what_the_machine_computes() -> None:
    seen: list[Graph] = []

    def as_computed(graph: Graph) -> Graph:
        seen.append(graph)
        return graph

    adaptive = by_brightness()
    Alternatives.of(adaptive, as_computed)
    assert seen == [*adaptive.variants, adaptive.selector]
