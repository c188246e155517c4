"""Small graphs that an image chooses among, for tests that need no training."""

from dataclasses import replace

from quant.graph.adaptive import AdaptiveGraph, verify_adaptive
from quant.methods.adabm.complexity import UNIT, complexity_graph
from tests.edsr_graphs import edsr_graph

FRACTION_BITS = 8


def adaptive_graph(lower: float = 8.0, upper: float = 30.0) -> AdaptiveGraph:
    """Three small EDSRs of random weights with features of 4, 5 and 6 bits.

    Args:
        lower: complexity below which the first one runs.
        upper: complexity above which the last one runs.
    """
    low, middle, high = (
        replace(edsr_graph(1, 4, bits=(8, bits), seed=3), name=f"edsr {bits}") for bits in (4, 5, 6)
    )
    return verify_adaptive(
        AdaptiveGraph(
            "adaptive_edsr",
            complexity_graph(middle.input.output),
            (low, middle, high),
            round(lower * UNIT * 2**FRACTION_BITS),
            round(upper * UNIT * 2**FRACTION_BITS),
            FRACTION_BITS,
            UNIT,
            (1, 2, 1),
            {"network": "edsr_random", "method": "by hand", "counted_layers": "block0.conv1"},
        )
    )
