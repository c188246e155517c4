"""Every operator that can be lowered: its function kept, its integers near the real numbers.

The oracle is torch in float64: each float operator computed from what its operands' codes stand
for, with the weights that the integers stand for. A code may then differ from the real result, in
steps of the output, by its rounding, half a step, and by what the stored constants are off by:

* a bias that is rounded to whole accumulator units: half a unit;
* the slope of a PReLU, rounded to 15 bits: half of 2^-14 of the value;
* a multiplier of 31 bits: 2^-30 of the value, 2^-20 where sums are so wide that fewer bits remain.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from hwsim.machine import REFERENCE
from quant.graph import Encoding, Graph, Input, Node
from quant.lowering import Encodings, FloatNetwork, lower, scale_grid
from quant.lowering.execution import constants_of, result_of
from quant.lowering.float_network import FloatNode
from quant.lowering.float_operators import (
    FloatLayer,
    FloatOperator,
    FloatPRelu,
    Reals,
)
from quant.lowering.trace import trace
from quant.methods import Calibration
from quant.methods.ranges import range_encodings, whole_range
from quant.policy import BitPolicy
from tests.unit.lowering.modules import MODULES, seeded
from tests.unit.lowering.small_networks import picture
from tests.unit.lowering.test_trace import require_same_function

Codes = NDArray[np.int64]

# torch says so once a process, in whichever test comes first.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


class Lowered:
    """A network in reals and in integers, and all codes of one picture."""

    def __init__(self, network: FloatNetwork, policy: BitPolicy, rounding: str) -> None:
        self.network = network
        statistics = Calibration(network, [picture(24, 24, seed=7)]).ranges
        self.encodings: Encodings = range_encodings(
            network, policy, statistics, whole_range, scale_grid(network, rounding)
        )
        self.graph: Graph = lower(network, self.encodings, "small", {}, rounding)
        self.codes = self._computed()

    def check(self) -> None:
        """Each node's codes are the real result, rounded and limited."""
        floats = self.network.by_name()
        for node in self.graph.nodes:
            if node.name in floats:
                self._check(node, floats[node.name])
            else:
                (source,) = node.inputs
                self._require_near(node, self._decoded(source), 0.0)

    def _check(self, node: Node, origin: FloatNode) -> None:
        operator = origin.operator
        if isinstance(node.operator, Input):
            return
        slack = 0.0
        if isinstance(operator, FloatLayer):
            weights = self.encodings.weights[node.name]
            step = self.graph.node(node.inputs[0]).output.encoding.scale * weights.scale
            slack = float((step / node.output.encoding.scale).max()) / 2
            operator = replace(operator, weight=weights.weight * weights.scale[:, None, None, None])
        operands = [_tensor(self._decoded(name)) for name in node.inputs]
        real = _real(operator, operands)
        largest = max(float(operand.abs().max()) for operand in operands)
        largest /= node.output.encoding.scale
        if isinstance(operator, FloatPRelu):
            slack += largest * float(np.abs(operator.slope).max()) * 2.0**-14
        self._require_near(node, real, slack)

    def _require_near(self, node: Node, real: Reals, slack: float) -> None:
        integer, encoding = node.output.integer, node.output.encoding
        steps = real / encoding.scale + np.array(encoding.zero_point)
        reach = slack + np.abs(steps).clip(max=2 * integer.magnitude) * 2.0**-19
        lowest = np.floor(steps - reach + 0.5).clip(integer.low, integer.high)
        highest = np.floor(steps + reach + 0.5).clip(integer.low, integer.high)
        found = self.codes[node.name]
        assert found.shape == steps.shape, node.name
        assert np.all((lowest <= found) & (found <= highest)), node.name

    def _decoded(self, name: str) -> Reals:
        encoding: Encoding = self.graph.node(name).output.encoding
        source = self.encodings_of_images().get(name)
        zero = np.array(encoding.zero_point) if source is None else source
        real: Reals = encoding.scale * (self.codes[name] - zero)
        return real

    def encodings_of_images(self) -> dict[str, Reals]:
        """The exact zeros of the image, which a graph's encoding rounds to codes."""
        return {"image": self.encodings.inputs[self.network.layer_names()[0]].zero}

    def _computed(self) -> dict[str, Codes]:
        types = {node.name: node.output for node in self.graph.nodes}
        codes: dict[str, Codes] = {}
        for node in self.graph.nodes:
            if isinstance(node.operator, Input):
                codes[node.name] = picture(14, 16).astype(np.int32)
                continue
            codes[node.name] = REFERENCE.compute(
                node.operator,
                [types[name] for name in node.inputs],
                [codes[name] for name in node.inputs],
            )
        return codes


def _tensor(values: Reals) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, 2, 0)))[None].double()


def _real(operator: FloatOperator, operands: list[Tensor]) -> Reals:
    constants = constants_of(operator, torch.float64)
    with torch.no_grad():
        result = result_of(operator, operands, constants)
    values: Reals = np.moveaxis(result[0].numpy(), 0, 2)
    return values


@pytest.mark.parametrize("name", MODULES)
def test_a_traced_module_keeps_its_function(name: str) -> None:
    network = seeded(MODULES[name]).double()
    require_same_function(network, trace(network))


LARGE = "SRGAN"  # of 64 channels; its operators are those of SRResNet
MEAN = "SRResNet with mean and tanh"  # whose padding is not exactly zero, see test_lower


@pytest.mark.parametrize("text", ["w8a8", "w3a4/all"])
@pytest.mark.parametrize("name", [name for name in MODULES if name not in (LARGE, MEAN)])
def test_every_operator_computes_what_it_stands_for(name: str, text: str) -> None:
    Lowered(trace(seeded(MODULES[name])), BitPolicy.parse(text), "half_up").check()


def kinds(name: str) -> list[str]:
    """Kinds of the operators a module becomes, in order."""
    network = trace(seeded(MODULES[name]))
    return [
        node.operator.kind
        for node in Lowered(network, BitPolicy.parse("w8a8"), "half_up").graph.nodes
    ]


OPERATORS: dict[str, str] = {
    "depthwise": "input convolution convolution convolution convolution",
    "zero padding": "input convolution convolution convolution",
    "transposed convolution": "input convolution transposed_convolution convolution",
    "prelu behind a shuffle": "input convolution prelu pixel_shuffle convolution",
    "tanh at the end": "input convolution lookup_table",
    "gate": "input convolution requantize convolution lookup_table multiply convolution",
    "nearest of the image": "input nearest_resize convolution pixel_shuffle add",
    "bilinear": "input convolution bilinear_resize convolution",
    "shuffle of a sum": "input convolution requantize add pixel_shuffle convolution",
    "average pool": "input convolution average_pool convolution",
    "mobile": "input convolution convolution convolution convolution pixel_shuffle "
    "nearest_resize add",
}


@pytest.mark.parametrize("name", OPERATORS)
def test_what_a_module_becomes(name: str) -> None:
    assert kinds(name) == OPERATORS[name].split()


def test_a_normalization_leaves_no_operator() -> None:
    assert Counter(kinds("SRResNet")) == Counter(
        input=1, convolution=8, requantize=2, prelu=4, add=3, pixel_shuffle=1
    )


@pytest.mark.parametrize("name", ["dense", "distillation", "stacked images", "RDN"])
def test_stacked_features_have_one_encoding(name: str) -> None:
    graph = Lowered(trace(seeded(MODULES[name])), BitPolicy.parse("w4a5"), "half_up").graph
    stacks = [node for node in graph.nodes if node.operator.kind == "concatenate"]
    assert stacks
    for stack in stacks:
        for source in stack.inputs:
            assert graph.node(source).output.encoding.scale == stack.output.encoding.scale


def test_parts_of_a_convolution_are_convolutions_of_their_own() -> None:
    network = trace(seeded(MODULES["distillation"]))
    names = network.layer_names()
    assert {"part.1.0_2", "part.1.2_8", "part.2.0_4", "part.2.4_8"} < set(names)
    assert not {"part.1", "part.2"} & set(names)
    policy = BitPolicy.parse("w4a4").resolve(names)
    assert set(policy) == set(names)


@pytest.mark.parametrize("mode", ["tflite_double", "xnnpack", "onnxruntime", "nvdla", "onednn"])
@pytest.mark.parametrize("name", ["SRResNet", "MSRResNet", "distillation", "gate", "mobile"])
def test_other_modes_lower_and_run(name: str, mode: str) -> None:
    network = trace(seeded(MODULES[name]))
    policy = replace(BitPolicy.parse("w8a8"), residual_bits=8)
    usual, other = (Lowered(network, policy, rounding) for rounding in ("half_up", mode))
    out = usual.graph.output
    assert np.abs(usual.codes[out] - other.codes[out]).max() <= 64


def test_wide_codes_are_narrowed_for_a_table() -> None:
    policy = replace(BitPolicy.parse("w8a8"), residual_bits=16)
    lowered = Lowered(trace(seeded(MODULES["tanh"])), policy, "half_up")
    lowered.check()
    (table,) = (node for node in lowered.graph.nodes if node.operator.kind == "lookup_table")
    copy = lowered.graph.node(table.inputs[0])
    assert (str(copy.output.integer), copy.operator.kind) == ("s12", "requantize")
