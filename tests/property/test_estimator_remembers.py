"""An estimator that remembers groups of one shape prices every graph as a fresh estimate does."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost import cascade_cost, total_cost
from hwsim.estimation import Estimator
from hwsim.simulation import estimate
from quant.graph import Graph, Size
from tests.edsr_graphs import Bits, edsr_graph, edsr_layers
from tests.machines import machine, prices
from tests.property.effort import effort
from tests.random_graphs import random_graphs, smallest_image


@cache
def _estimator() -> Estimator:
    """One for all examples, so that each meets what all the others left in memory."""
    # Accumulators of the widest random graphs need more than 40 bits now and then.
    accelerator = machine(sram_kib=256, array=8)
    array = accelerator.array.model_copy(update={"accumulator_bits": 64})
    accelerator = accelerator.model_copy(update={"array": array})
    return Estimator(accelerator, prices(accelerator))


def _agree(graph: Graph, image: Size) -> None:
    estimator = _estimator()
    accelerator, energy = estimator.accelerator, estimator.energy
    estimated = estimate(graph, accelerator, energy, image)
    fresh = total_cost(
        (
            cost
            for groups, commands in estimated.program.cascades()
            for cost in cascade_cost(groups, commands, accelerator, energy)
        ),
        accelerator,
    )
    assert estimated.cost == fresh
    assert estimator.cost(graph, image) == fresh


@effort(60)
@given(random_graphs(every_operator=True), st.integers(0, 6), st.integers(0, 6))
def test_random_graphs(graph: Graph, more_rows: int, more_columns: int) -> None:
    smallest = smallest_image(graph)
    _agree(graph, Size(smallest.height + more_rows, smallest.width + more_columns))


@st.composite
def _layer_bits(draw: st.DrawFn) -> dict[str, Bits]:
    widths = st.sampled_from((2, 4, 8))
    return {layer: (draw(widths), draw(widths)) for layer in edsr_layers(2)}


@effort(40)
@given(_layer_bits(), st.sampled_from((4, 12)), st.sampled_from((12, 16)))
def test_networks_with_layers_of_different_widths(
    bits: dict[str, Bits], channels: int, residual_bits: int
) -> None:
    _agree(edsr_graph(2, channels, bits=bits, residual_bits=residual_bits), Size(9, 11))
