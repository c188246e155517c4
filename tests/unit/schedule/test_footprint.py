"""The size of a group's buffers, without their places."""

from hypothesis import given
from hypothesis import strategies as st

from hwsim.schedule.allocation import allocate
from hwsim.schedule.expansion import expanded
from hwsim.schedule.footprint import Footprint
from hwsim.schedule.groups import form_groups
from hwsim.schedule.program import Tiling
from quant.graph import Graph, Size
from tests.machines import machine
from tests.property.effort import effort
from tests.random_graphs import random_graphs, smallest_image


@effort(60)
@given(random_graphs(every_operator=True), st.integers(0, 9), st.integers(0, 9), st.data())
def test_it_is_the_size_of_the_allocation(
    graph: Graph, more_rows: int, more_columns: int, data: st.DataObject
) -> None:
    graph, accelerator = expanded(graph), machine()
    smallest = smallest_image(graph)
    sizes = graph.sizes(Size(smallest.height + more_rows, smallest.width + more_columns))
    types = {node.name: node.output for node in graph.nodes}
    for group in form_groups(graph, sizes):
        footprint = Footprint(group, types, sizes, accelerator)
        convolution = group.convolution
        channels = 1 if convolution is None else convolution.out_channels
        for _ in range(3):
            tiling = Tiling(
                data.draw(st.integers(1, group.grid.width), label="columns"),
                data.draw(st.integers(1, group.grid.height), label="rows"),
                data.draw(st.integers(1, channels), label="channels"),
            )
            allocated = allocate(group, tiling, types, sizes, accelerator)
            assert footprint.size_bytes(tiling) == allocated.size_bytes
