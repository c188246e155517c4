"""Fewer bits never move more bytes and never take more energy, scheduled for DRAM traffic."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from accelerators import resized
from hwsim.simulation import estimate
from quant.graph import Size
from tests.edsr_graphs import Bits, edsr_graph, edsr_layers
from tests.machines import machine, prices
from tests.property.effort import effort
from tests.property.random_machines import scheduled, sides

WIDTHS = st.integers(1, 8)
_machine, _prices = cache(machine), cache(prices)


@st.composite
def bits_and_fewer(draw: st.DrawFn, blocks: int) -> tuple[dict[str, Bits], dict[str, Bits]]:
    """Widths of each layer, and the same with some layers narrower."""
    layers = edsr_layers(blocks)
    wide = {layer: (draw(WIDTHS), draw(WIDTHS)) for layer in layers}
    changed = draw(st.sets(st.sampled_from(layers), min_size=1))
    narrow = {
        layer: (draw(st.integers(1, bits[0])), draw(st.integers(1, bits[1])))
        for layer, bits in wide.items()
        if layer in changed
    }
    return wide, {**wide, **narrow}


@effort(60)
@given(
    st.data(),
    st.integers(1, 2),
    st.integers(1, 48),
    st.integers(2, 3),
    st.tuples(sides, sides),
    st.sampled_from((4, 8, 16, 32, 512)),
    st.sampled_from((8, 16, 32)),
)
def test_fewer_bits_never_cost_more(
    data: st.DataObject,
    blocks: int,
    channels: int,
    scale: int,
    size: tuple[int, int],
    sram_kib: int,
    array: int,
) -> None:
    wide, narrow = data.draw(bits_and_fewer(blocks))
    graph = edsr_graph(blocks, channels, scale, wide)
    # What fits with more bits must fit with fewer, so only the wide graph may ask for memory.
    machine = resized(_machine(sram_kib, array), objective="dram")
    _, accelerator = scheduled(graph, machine, Size(*size))
    energy = _prices(accelerator)
    more = estimate(graph, accelerator, energy, Size(*size)).cost
    graph = edsr_graph(blocks, channels, scale, narrow)
    fewer = estimate(graph, accelerator, energy, Size(*size)).cost
    assert fewer.dram_read_bytes + fewer.dram_write_bytes <= (
        more.dram_read_bytes + more.dram_write_bytes
    )
    assert fewer.energy_uj <= more.energy_uj * (1 + 1e-12)
