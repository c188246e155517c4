"""The integer graph against real numbers, operator by operator, and against itself as a whole.

The oracle computes each operator in float64 from the codes its operands really have: decoded
operands, decoded weights, the float bias. A code may then differ from the real result r (in steps
of the output) only by rounding: half a step, plus what the stored constants are off by:

* the bias is rounded to whole accumulator units: at most half a unit, M/2 output steps, where M
  is the real multiplier;
* a multiplier of n bits is off by at most 2^-n of itself, so |sum| · M · 2^(1 - n) is ample.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from quant.graph import (
    Add,
    Convolution,
    Encoding,
    Graph,
    Node,
    PixelShuffle,
    Requantize,
    accumulator_bits,
)
from quant.lowering import Encodings, FloatNetwork, MapEncoding, lower
from quant.lowering.float_operators import UNCLAMPED, FloatAffine, FloatConvolution
from quant.lowering.trace import trace
from quant.methods import Calibration, MinMax
from quant.methods.ranges import range_encodings, whole_range
from quant.policy import BitPolicy, LayerBits
from tests.integer_interpreter import Codes, accumulators, execute
from tests.unit.lowering.small_networks import Net, edsr, picture
from tests.unit.lowering.test_trace import SUPPORTED

Reals = NDArray[np.float64]
POLICIES = ("w8a8", "w4a4", "w4a4/all", "w2a2/all", "w1a1/all", "w3a6", "w12a10", "w16a16")


class Lowered:
    """A network in reals and in integers, and all codes of one picture."""

    def __init__(self, network: nn.Module, policy: BitPolicy) -> None:
        self.network: FloatNetwork = trace(network)
        statistics = Calibration(self.network, [picture(seed=7)]).ranges
        self.encodings: Encodings = range_encodings(self.network, policy, statistics, whole_range)
        self.graph: Graph = lower(self.network, self.encodings, "small", {})
        self.codes: dict[str, Codes] = execute(self.graph, picture(11, 13).astype(np.int64))

    def check(self) -> None:
        for node in self.graph.nodes:
            match node.operator:
                case Convolution() as convolution:
                    self._check_convolution(node, convolution)
                case Add() | Requantize():
                    self._check_elementwise(node)
                case PixelShuffle():
                    (source,) = node.inputs
                    assert node.output.encoding == self.graph.node(source).output.encoding

    def _check_convolution(self, node: Node, convolution: Convolution) -> None:
        layer = self.network.by_name()[node.name].operator
        weights, source = self.encodings.weights[node.name], self.encodings.inputs[node.name]
        assert isinstance(layer, FloatConvolution)
        codes = self.codes[node.inputs[0]]
        real = convolved(layer, weights.weight * weights.scale[:, None, None, None], codes, source)
        factor = source.scale * weights.scale / node.output.encoding.scale
        multiplier = np.maximum(convolution.requantization.multiplier, 1)
        steps = np.abs(accumulators(convolution, codes)) * np.minimum(factor, 2.0**17)
        error = np.minimum(steps, node.output.integer.magnitude * 2) / multiplier
        assert error.max() < 0.1
        self._require_near(node, real.clip(*layer.clamp), node.output.encoding, factor / 2 + error)

    def _check_elementwise(self, node: Node) -> None:
        encodings = [self.graph.node(name).output.encoding for name in node.inputs]
        target = node.output.encoding
        if node.inputs == ("image",):
            # Black is code 0 in every width, however much of it the network then subtracts.
            encodings, target = [replace(encodings[0], zero_point=(0,))], Encoding(target.scale)
        operands = [
            encoding.scale * (self.codes[name] - np.array(encoding.zero_point))
            for name, encoding in zip(node.inputs, encodings, strict=True)
        ]
        origin = self._float_operator(node)
        if isinstance(origin, FloatAffine):
            operands = [operands[0] * origin.scale]
        clamp = getattr(origin, "clamp", UNCLAMPED)
        error = np.sum(np.abs(operands), axis=0) / target.scale * 2.0**-29
        assert error.max() < 0.001
        self._require_near(node, np.sum(operands, axis=0).clip(*clamp), target, error)

    def _float_operator(self, node: Node) -> object:
        found = self.network.by_name().get(node.name)  # none for copies
        return found.operator if found else None

    def _require_near(self, node: Node, real: Reals, encoding: Encoding, slack: Reals) -> None:
        """Codes are the real result, rounded and limited, up to a slack in output steps."""
        integer = node.output.integer
        steps = real / encoding.scale + encoding.zero_point[0]
        lowest = np.floor(steps - slack + 0.5).clip(integer.low, integer.high)
        highest = np.floor(steps + slack + 0.5).clip(integer.low, integer.high)
        assert np.all(lowest <= self.codes[node.name]), node.name
        assert np.all(self.codes[node.name] <= highest), node.name


def convolved(layer: FloatConvolution, weight: Reals, codes: Codes, source: MapEncoding) -> Reals:
    """float64 [height, width, out_channels]; taps outside the image hold the code nearest to 0."""
    around = layer.padding
    padding = ((around.top, around.bottom), (around.left, around.right))
    channels = [
        np.pad(codes[..., c], padding, constant_values=source.zero_codes[c % source.zero.size])
        for c in range(codes.shape[2])
    ]
    real = source.scale * (np.stack(channels) - source.zero[:, None, None])
    kernel = torch.from_numpy(np.moveaxis(weight, 3, 1).copy())
    result = functional.conv2d(torch.from_numpy(real)[None], kernel, torch.from_numpy(layer.bias))
    return np.moveaxis(result[0].numpy(), 0, 2)


@pytest.mark.parametrize("text", POLICIES)
@pytest.mark.parametrize("scale", [2, 4])
def test_every_operator_of_an_edsr_computes_what_it_stands_for(text: str, scale: int) -> None:
    Lowered(edsr(scale=scale, residual_scale=0.3), BitPolicy.parse(text)).check()


@pytest.mark.parametrize("text", ["w8a8", "w3a3/all"])
@pytest.mark.parametrize("case", SUPPORTED)
def test_every_operator_of_plain_modules_computes_what_it_stands_for(case: str, text: str) -> None:
    Lowered(Net(SUPPORTED[case]), BitPolicy.parse(text)).check()


@pytest.mark.parametrize("bits", [2, 6, 12, 16])
def test_residual_bits_are_those_of_the_streams(bits: int) -> None:
    lowered = Lowered(edsr(blocks=1), replace(BitPolicy.parse("w4a4"), residual_bits=bits))
    lowered.check()
    streams = {
        n.name: str(n.output.integer) for n in lowered.graph.nodes if n.output.integer.low < 0
    }
    assert streams == dict.fromkeys(["head.0", "body.0.body.2", "body.1"], f"s{bits}")


def test_the_graph_of_a_mixed_policy() -> None:
    policy = BitPolicy.parse("w4a6").with_layer("head", LayerBits(8, 5))
    policy = policy.with_layer("body.0.body.2", LayerBits(1, 3))
    graph = Lowered(edsr(blocks=1), policy).graph
    assert [(n.name, n.operator.kind, str(n.output)) for n in graph.nodes] == [
        ("image", "input", "3×u8"),
        ("head.0.input", "requantize", "3×u5"),
        ("head.0", "convolution", "8×s12"),
        ("body.0.body.0.input", "requantize", "8×u6"),
        ("body.0.body.0", "convolution", "8×u3"),
        ("body.0.body.2", "convolution", "8×s12"),
        ("body.0.add", "add", "8×u6"),
        ("body.1", "convolution", "8×s12"),
        ("add", "add", "8×u6"),
        ("tail.0.0", "convolution", "32×u8"),
        ("tail.0.1", "pixel_shuffle", "8×u8"),
        ("tail.1", "convolution", "3×u8"),
    ]
    types = {
        n.name: str(n.operator.weight_type)
        for n in graph.nodes
        if isinstance(n.operator, Convolution)
    }
    assert types == {
        "head.0": "s8",
        "body.0.body.0": "s4",
        "body.0.body.2": "o1",
        "body.1": "s4",
        "tail.0.0": "s4",
        "tail.1": "s8",
    }


def test_a_relu_is_the_lower_limit_of_its_codes() -> None:
    graph = Lowered(edsr(blocks=1), BitPolicy.parse("w8a8")).graph
    convolution = graph.node("body.0.body.0").operator
    assert isinstance(convolution, Convolution)
    assert convolution.requantization.low == convolution.requantization.zero_point == 0


def test_layers_of_one_encoding_share_a_copy() -> None:
    network = Net(lambda net, x: net.last(_two_readers(net, net.first(x))))
    shared = Lowered(network, BitPolicy.parse("w4a4")).graph
    copies = [node.name for node in shared.nodes if isinstance(node.operator, Requantize)]
    assert copies == ["second.input"]
    assert shared.consumers()["second.input"] == ("second", "second_1")
    policy = BitPolicy.parse("w4a4").with_layer("second_1", LayerBits(4, 5))
    apart = Lowered(network, policy).graph
    copies = [node.name for node in apart.nodes if isinstance(node.operator, Requantize)]
    assert copies == ["second.input", "second_1.input"]


def _two_readers(net: Net, features: torch.Tensor) -> torch.Tensor:
    return net.second(features) + net.second(features).relu()  # type: ignore[no-any-return]


def test_a_copy_is_made_even_between_equal_widths() -> None:
    """So that the cost of a layer never falls when its bits rise."""
    policy = replace(BitPolicy.parse("w8a8"), residual_bits=8)
    graph = Lowered(edsr(blocks=2), policy).graph
    assert graph.node("body.0.body.0").inputs == ("body.0.body.0.input",)


def test_a_head_of_many_bits_reads_the_picture_itself() -> None:
    graph = Lowered(edsr(blocks=1), BitPolicy.parse("w16a16")).graph
    assert graph.node("head.0").inputs == ("image",)


def test_the_mean_is_the_pad_code_and_its_fraction_is_in_the_bias() -> None:
    lowered = Lowered(edsr(blocks=1), BitPolicy.parse("w8a8"))
    head = lowered.graph.node("head.0").operator
    layer = lowered.network.by_name()["head.0"].operator
    assert isinstance(head, Convolution)
    assert isinstance(layer, FloatConvolution)
    assert head.pad_code.tolist() == [114, 111, 103]
    mean = np.array([0.4488, 0.4371, 0.4040]) * 255
    weights = lowered.encodings.weights["head.0"]
    exact = layer.bias / weights.scale - (weights.weight * mean).sum(axis=(1, 2, 3))
    # The mean is kept in float32 by the network.
    np.testing.assert_allclose(head.bias, exact, atol=0.5 + 1e-3)


def test_pixel_range_is_what_the_picture_is_scaled_by() -> None:
    lowered = Lowered(edsr(blocks=1, pixel_range=1.0), BitPolicy.parse("w8a8"))
    lowered.check()
    assert lowered.graph.node("tail.1").output.encoding == Encoding(1 / 255)
    assert lowered.graph.input.output.encoding.scale == 1 / 255


@pytest.mark.parametrize("text", ["w1a1", "w4a4", "w8a8"])
def test_sums_of_up_to_eight_bits_fit_32_bits(text: str) -> None:
    graph = Lowered(edsr(blocks=1, channels=16), BitPolicy.parse(text)).graph
    for node in graph.convolutions():
        assert accumulator_bits(node, graph.node(node.inputs[0]).output) <= 32


# Values that could divide by zero or overflow.


def set_layer(network: nn.Module, name: str, weight: float, bias: float, channel: int = 1) -> None:
    layer = network.get_submodule(name)
    with torch.no_grad():
        layer.weight[channel] *= weight  # type: ignore[operator, index]
        layer.bias[channel] = bias  # type: ignore[operator]


@pytest.mark.parametrize("text", ["w8a8", "w1a1/all", "w2a2/all", "w16a16"])
@pytest.mark.parametrize(
    ("weight", "bias"),
    [(0.0, 0.0), (0.0, 5.0), (0.0, -5.0), (1e-20, 1e3), (1e-30, 1e-30), (1e6, 0.0)],
)
def test_channels_without_and_with_too_much_weight(text: str, weight: float, bias: float) -> None:
    network = edsr(blocks=1)
    for layer in ("head.0", "body.0.body.0", "body.0.body.2", "tail.0.0", "tail.1"):
        set_layer(network, layer, weight, bias)
    Lowered(network, BitPolicy.parse(text)).check()


@pytest.mark.parametrize("text", ["w8a8", "w1a1/all", "w16a16"])
def test_a_network_of_zeros(text: str) -> None:
    network = edsr(blocks=1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    lowered = Lowered(network, BitPolicy.parse(text))
    lowered.check()
    assert not lowered.codes[lowered.graph.output].any()


def test_a_layer_that_never_fires() -> None:
    network = edsr(blocks=1)
    with torch.no_grad():
        network.get_submodule("body.0.body.0").bias.fill_(-1e6)  # type: ignore[operator]
    lowered = Lowered(network, BitPolicy.parse("w8a8"))
    lowered.check()
    assert not lowered.codes["body.0.body.0"].any()


def test_all_bits_lower() -> None:
    network = trace(edsr(blocks=1))
    calibration = Calibration(network, [picture()])
    for bits in range(1, 17):
        graph = (
            MinMax().quantize(network, BitPolicy.parse(f"w{bits}a{bits}/all"), calibration).graph()
        )
        assert graph.node("body.0.body.0").output.integer.bits == bits


def test_an_edsr_baseline_lowers_in_three_seconds_of_processor_time() -> None:
    import time

    network = trace(edsr(blocks=16, channels=64))
    statistics = Calibration(network, [picture()]).ranges
    start = time.process_time()
    encodings = range_encodings(network, BitPolicy.parse("w8a8"), statistics, whole_range)
    lower(network, encodings, "edsr_baseline_x2", {})
    assert time.process_time() - start < 3
