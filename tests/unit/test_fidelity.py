"""Graphs against the same networks in real numbers: what is found, and that errors are found."""

from dataclasses import replace

import numpy as np

from hwsim.fidelity import fidelity
from hwsim.machine import KERNELS, REFERENCE
from quant.graph import Convolution, Graph
from quant.lowering.trace import trace
from quant.methods import Calibration, MinMax
from quant.policy import BitPolicy
from tests.unit.lowering.small_networks import edsr, picture

NETWORK = trace(edsr(blocks=1))
QUANTIZED = MinMax().quantize(
    NETWORK, BitPolicy.parse("w4a4"), Calibration(NETWORK, [picture(seed=7)])
)
LAYER = "body.0.body.2"


def _shifted(graph: Graph) -> Graph:
    """One bias is wrong by half a code of the result, or by 1 if that is more."""
    node = graph.node(LAYER)
    convolution = node.operator
    assert isinstance(convolution, Convolution)
    requantization = convolution.requantization
    factors = np.ldexp(requantization.multiplier.astype(float), -requantization.shift)
    bias = convolution.bias.copy()
    bias[3] += max(1, round(0.5 / factors[3]))
    wrong = replace(node, operator=replace(convolution, bias=bias))
    nodes = tuple(wrong if other.name == LAYER else other for other in graph.nodes)
    return replace(graph, nodes=nodes)


def test_a_graph_differs_from_its_oracle_at_ties_only() -> None:
    image = picture(12, 13)
    found = fidelity(QUANTIZED.graph(), QUANTIZED.execution(), image, REFERENCE)
    assert [entry.name for entry in found] == [node.name for node in QUANTIZED.graph().nodes[1:]]
    assert all(entry.farthest < 1e-4 and entry.largest <= 1 for entry in found)
    assert found == fidelity(QUANTIZED.graph(), QUANTIZED.execution(), image, KERNELS)


def test_a_wrong_bias_is_found_in_its_layer_and_nowhere_else() -> None:
    found = fidelity(_shifted(QUANTIZED.graph()), QUANTIZED.execution(), picture(12, 13), REFERENCE)
    far = {entry.name: entry for entry in found if entry.farthest > 1e-4}
    assert far.keys() == {LAYER}
    # About half of the values of one channel of eight move to another code, or more.
    assert 0.03 < far[LAYER].differing / far[LAYER].values <= 0.125


def test_the_picture_in_real_numbers_is_that_of_the_graph_but_for_ties() -> None:
    image = picture(12, 13)
    real = QUANTIZED.execution().picture(image)
    codes = dict(QUANTIZED.execution().codes(image))
    np.testing.assert_array_equal(codes[NETWORK.output], real)
