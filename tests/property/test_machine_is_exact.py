"""The integers a machine computes are those of the graph, whatever the machine."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Accelerator
from hwsim.machine import KERNELS, REFERENCE, execute, run_layerwise
from quant.graph import Graph, Size
from tests.edsr_graphs import edsr_graph
from tests.property.effort import effort
from tests.property.random_machines import random_accelerators, scheduled, sides
from tests.random_graphs import random_graphs, random_images

FEW = effort(40)


@FEW
@given(random_graphs(every_operator=True), random_accelerators(), st.data())
def test_random_graphs(graph: Graph, accelerator: Accelerator, data: st.DataObject) -> None:
    image = data.draw(random_images(graph)).astype(np.int32)
    program, accelerator = scheduled(graph, accelerator, Size(*image.shape[:2]))
    output = execute(program, accelerator, image).output
    np.testing.assert_array_equal(output, run_layerwise(graph, image, REFERENCE))


@FEW
@given(random_graphs(every_operator=True), st.data())
def test_kernels_compute_random_graphs(graph: Graph, data: st.DataObject) -> None:
    image = data.draw(random_images(graph)).astype(np.int32)
    np.testing.assert_array_equal(
        run_layerwise(graph, image, KERNELS), run_layerwise(graph, image, REFERENCE)
    )


@FEW
@given(
    st.integers(1, 3),
    st.integers(1, 24),
    st.integers(2, 3),
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
    random_accelerators(),
    st.tuples(sides, sides),
)
def test_residual_networks(
    blocks: int,
    channels: int,
    scale: int,
    bits: tuple[int, int],
    accelerator: Accelerator,
    size: tuple[int, int],
) -> None:
    graph = edsr_graph(blocks, channels, scale, bits)
    image = np.random.default_rng(7).integers(0, 256, (*size, 3), np.int32)
    program, accelerator = scheduled(graph, accelerator, Size(*size))
    output = execute(program, accelerator, image).output
    np.testing.assert_array_equal(output, run_layerwise(graph, image, KERNELS))
