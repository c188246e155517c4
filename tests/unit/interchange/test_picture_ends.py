"""Signed networks between pictures."""

import numpy as np

from hwsim.machine import REFERENCE, run_layerwise
from quant.graph import IntegerType
from quant.interchange.picture_ends import with_picture_ends
from tests.unit.interchange.small_graphs import small_graph


def test_pixels_are_codes_plus_128() -> None:
    graph = small_graph("tflite_double")
    pictures = with_picture_ends(graph)
    assert pictures.input.output.integer == IntegerType(8)
    assert pictures.input.output.encoding.zero_point == (121,)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.int32)
    found = run_layerwise(pictures, pixels, REFERENCE)
    assert (found == run_layerwise(graph, pixels - 128, REFERENCE) + 128).all()
    assert with_picture_ends(pictures).nodes == pictures.nodes
