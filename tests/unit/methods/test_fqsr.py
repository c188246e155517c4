"""FQSR down to integers: its graphs' codes, tables and additions, and the machine on them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional

from hwsim.fidelity import fidelity
from hwsim.machine import KERNELS, REFERENCE, execute, run_layerwise
from hwsim.schedule import schedule
from quant.common.codes import CodeKind
from quant.common.errors import UserError
from quant.common.requantization_modes import mode_named
from quant.graph import Add, Convolution, Graph, IntegerType, LookupTable, Size, TensorType
from quant.graph.types import Padding
from quant.lowering import FloatNetwork, MapEncoding, mid_rise_weights
from quant.lowering.float_operators import FloatConvolution, FloatLayer, FloatPRelu
from quant.lowering.integer_operators import integer_layer, stored_bias
from quant.lowering.plan import plan
from quant.lowering.requantizer import Requantizer
from quant.lowering.trace import trace
from quant.methods import Calibration, method_named
from quant.methods.fqsr import Fqsr
from quant.methods.fqsr.fake_quantized import FakeQuantized
from quant.methods.learning.quantizers import half_range, mid_rise
from quant.methods.quantized_network import QuantizedNetwork
from quant.networks import EDSRConfig, load_network
from quant.networks.build import build_network
from quant.networks.config import NetworkConfig, RDNConfig, SRResNetConfig
from quant.policy import BitPolicy
from tests.machines import machine
from tests.unit.lowering.small_networks import picture

POLICY = BitPolicy.parse("w4a4")
SMALL: dict[str, NetworkConfig] = {
    "edsr": EDSRConfig(blocks=2, channels=8, scale=4),
    "srresnet": SRResNetConfig(blocks=6, channels=4, scale=2),
    "rdn": RDNConfig(blocks=2, layers=3, growth=4, channels=8, scale=2),
}
OPTIONS = ("", "preset=released", "direct", "outputs=6")


@cache
def traced(name: str) -> FloatNetwork:
    if name == "edsr_tiny_x2":
        return trace(load_network(name), name)
    return trace(build_network(SMALL[name], seed=1).eval(), name)


@cache
def quantized(name: str, options: str = "") -> QuantizedNetwork:
    network = traced(name)
    calibration = Calibration(network, [picture(32, 32, seed=seed) for seed in range(2)])
    return Fqsr.parse(options).quantize(network, POLICY, calibration)


@cache
def graph_of(name: str, options: str = "") -> Graph:
    return quantized(name, options).graph()


# Convolutions: specification 1.5 (c).


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_a_convolution_is_one_sum_of_codes_borders_included(
    kernel: int, signed: bool, bits: int
) -> None:
    """Pad with zeros, quantize, convolve in reals: the same as odd integers and no correction."""
    random = np.random.default_rng(bits)
    values = torch.from_numpy(random.normal(size=(1, 3, 6, 7)))
    weight, bias = random.normal(size=(4, kernel, kernel, 3)), random.normal(size=4)
    reach, weight_reach, levels = torch.tensor(1.7, dtype=torch.float64), 1.3, (1 << bits) - 1
    pad = kernel // 2
    fake = mid_rise if signed else half_range
    inputs = fake(functional.pad(values, (pad,) * 4), reach, levels)
    weights = mid_rise(
        torch.from_numpy(weight), torch.tensor(weight_reach, dtype=torch.float64), levels
    )
    expected = functional.conv2d(inputs, weights.permute(0, 3, 1, 2), torch.from_numpy(bias))

    kind = CodeKind.ODD if signed else CodeKind.UNSIGNED
    source = MapEncoding(IntegerType(bits, kind), 1.7 / levels, np.zeros(1))
    target = MapEncoding(IntegerType(16, CodeKind.SIGNED), 2.0**-8, np.zeros(1))
    layer = FloatConvolution(weight, bias, Padding.even(pad, pad))
    encoded = mid_rise_weights(weight, bits, weight_reach)
    requantizer = Requantizer(mode_named("half_even"), "layer")
    operator = integer_layer(requantizer, layer, encoded, source, target)
    assert isinstance(operator, Convolution)
    assert operator.tap_offset is None
    assert operator.pad_code.tolist() == ([1] if signed else [0])
    assert (operator.weight % 2 == 1).all()
    inner = inputs[0, :, pad : 6 + pad, pad : 7 + pad].permute(1, 2, 0)
    codes = (inner / source.scale).round().numpy().astype(np.int64)
    result = REFERENCE.compute(operator, [source.tensor_type(3)], [codes])
    # Half a step of the result, and half a unit of the sums for the stored bias.
    error = np.abs(result * target.scale - expected[0].permute(1, 2, 0).numpy())
    assert error.max() <= target.scale / 2 + source.scale * encoded.scale[0] / 2 + 1e-9


# Tables.


@pytest.mark.parametrize("name", ["edsr", "srresnet"])
@pytest.mark.parametrize("options", ["", "outputs=6"])
def test_a_table_is_slope_and_quantizer_for_every_code(name: str, options: str) -> None:
    """Code of the layer's result → PReLU → code of the next input, halves to even."""
    network, graph = quantized(name, options), graph_of(name, options)
    tables = 0
    for step in plan(network.network, network.encodings):
        if not isinstance(step.operator, FloatPRelu):
            continue
        operator = graph.node(step.name).operator
        assert isinstance(operator, LookupTable)
        (source,), target = step.sources, step.target
        bits = source.integer.bits
        assert (bits, source.zero.tolist()) == (8 if options == "" else 6, [(2**bits - 1) / 2])
        codes = np.arange(2**bits)
        real = source.scale * (codes - source.zero[0])
        sloped = np.where(real < 0, step.operator.slope[:, None] * real, real)
        levels = (1 << target.integer.bits) - 1
        odd = target.integer.kind is CodeKind.ODD
        reach = torch.tensor(target.scale * levels, dtype=torch.float64)
        if target.integer.kind is CodeKind.UNSIGNED and target.has_zero:
            expected = half_range(torch.from_numpy(sloped), reach, levels)
            wanted = (expected / target.scale).round().numpy()
        elif odd:
            expected = mid_rise(torch.from_numpy(sloped), reach, levels)
            wanted = (expected / target.scale).round().numpy()
        else:  # an addition's operand: consecutive codes of a mid-rise grid
            expected = mid_rise(torch.from_numpy(sloped), reach / 2, levels)
            wanted = (expected / target.scale + levels / 2).round().numpy()
        np.testing.assert_array_equal(operator.table, wanted)
        tables += 1
    assert tables >= 2


def test_unsigned_inputs_are_where_the_table_says() -> None:
    network = quantized("srresnet", "preset=released")
    kinds = {name: e.integer.kind for name, e in network.encodings.inputs.items()}
    names = network.network.layer_names()
    assert [i for i, n in enumerate(names) if kinds[n] is CodeKind.UNSIGNED] == [0, 10, 12]
    assert network.graph().node("body.4.body.3").operator.pad_code.tolist() == [0]  # type: ignore[union-attr]


# Additions.


@pytest.mark.parametrize("options", ["", "direct", "outputs=6"])
def test_additions_are_sums_of_codes(options: str) -> None:
    """k₁ + k₂ − N with multipliers that are one power of two, for every pair of codes."""
    graph = graph_of("edsr", options)
    bits = 6 if "6" in options else 8
    steps = (1 << bits) - 1
    codes = np.arange(steps + 1)
    first, second = (grid[..., None] for grid in np.meshgrid(codes, codes))
    additions = [node for node in graph.nodes if isinstance(node.operator, Add)]
    assert len(additions) == 3
    for node in additions:
        operator = node.operator
        assert isinstance(operator, Add)
        one = int(operator.multipliers[0])
        assert operator.multipliers == (one, one)
        assert one & (one - 1) == 0
        assert operator.bias == -steps * one
        types = [graph.node(name).output for name in node.inputs]
        assert [t.integer for t in types] == [IntegerType(bits)] * 2
        assert node.output.integer == IntegerType(bits + 1, CodeKind.SIGNED)
        result = REFERENCE.compute(
            operator, [TensorType(1, t.integer, t.encoding) for t in types], [first, second]
        )
        np.testing.assert_array_equal(result, first + second - steps)


def test_what_is_added_is_rounded_twice_unless_direct() -> None:
    """Layer → its own codes → the addition's codes by a table; or straight to the latter."""
    twice, once = graph_of("edsr"), graph_of("edsr", "direct")
    assert twice.node("body.0.add").inputs[0] == "body.0.add.input0"
    assert isinstance(twice.node("body.0.add.input0").operator, LookupTable)
    assert twice.node("body.0.add.input0").inputs == ("body.0.body.2",)
    assert once.node("body.0.add").inputs[0] == "body.0.body.2"


# What stays real.


def test_the_paper_leaves_nothing_real_in_its_networks() -> None:
    for name in SMALL:
        assert quantized(name).encodings.streams == {}
        widths = {node.output.integer.bits for node in graph_of(name).nodes}
        assert widths <= {4, 8, 9}


def test_the_release_keeps_srresnets_skips_in_streams() -> None:
    streams = quantized("srresnet", "preset=released").encodings.streams
    assert "body.0.add" in streams
    assert {encoding.integer.bits for encoding in streams.values()} == {POLICY.residual_bits}
    assert quantized("edsr", "preset=released").encodings.streams == {}


# Whole networks.


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("options", OPTIONS)
def test_tables_and_sums_are_exact_and_convolutions_but_for_ties(name: str, options: str) -> None:
    network, graph = quantized(name, options), graph_of(name, options)
    for found in fidelity(graph, network.execution(), picture(7, 9), KERNELS):
        operator = graph.node(found.name).operator
        plain = isinstance(operator, Add) and options == "preset=released"
        if not isinstance(operator, Convolution) and not plain:
            assert found.differing == 0, found
        assert found.farthest < 1e-3, found
        assert found.largest <= 1, found


@pytest.mark.parametrize("name", ["edsr_tiny_x2", *SMALL])
def test_the_machine_computes_what_the_reference_does(name: str) -> None:
    graph = graph_of(name)
    image = picture(12, 10, seed=3).astype(np.int32)
    accelerator = machine()
    program = schedule(graph, accelerator, Size(12, 10))
    np.testing.assert_array_equal(
        execute(program, accelerator, image).output, run_layerwise(graph, image, REFERENCE)
    )


@pytest.mark.parametrize("name", ["edsr_tiny_x2", *SMALL])
def test_what_learns_computes_the_graphs_picture(name: str) -> None:
    """With the biases that integers stand for, but for ties that float sums break otherwise."""
    image = picture(16, 16, seed=9)
    lowered = quantized(name)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    fake = fake_quantized(lowered)
    with torch.no_grad():
        result = fake(pixels)[0][0].permute(1, 2, 0).round().clamp(0, 255).numpy()
    codes = run_layerwise(graph_of(name), image.astype(np.int32), KERNELS)
    assert np.count_nonzero(result != codes) <= codes.size // 500
    assert np.abs(result - codes).max() <= 1


def fake_quantized(lowered: QuantizedNetwork) -> FakeQuantized:
    """The network as it learns, in float64, with the biases of its encodings."""
    changed = []
    for step in plan(lowered.network, lowered.encodings):
        if isinstance(step.operator, FloatLayer):
            weights = lowered.encodings.weights[step.node]
            bias = stored_bias(step.operator, weights, step.sources[0], step.target)
            node = lowered.network.by_name()[step.node]
            changed.append(replace(node, operator=replace(step.operator, bias=bias)))
    network = lowered.network.rewritten(changed)
    grids = Fqsr()._grids(traced(network.name), POLICY)
    fake = FakeQuantized(network, grids)
    encodings = lowered.encodings
    reaches: dict[str, float] = {}
    for name in fake.intervals:
        kind, _, node_name = name.partition("/")
        if kind == "wt":
            bits = grids.bits[node_name].weight_bits
            reaches[name] = encodings.weights[node_name].scale[0] * ((1 << bits) - 1)
        elif kind == "fm":
            encoding = encodings.inputs[node_name]
            reaches[name] = encoding.scale * encoding.integer.high
        else:
            of = encodings.outputs if kind == "ot" else encodings.operands
            reaches[name] = of[node_name].scale * of[node_name].integer.high / 2
    fake.set_reaches(reaches)
    return fake.eval().double()


@pytest.mark.parametrize("mode", ["half_even", "tflite_single", "onnxruntime", "xnnpack", "shift"])
def test_other_roundings_add_exactly(mode: str) -> None:
    network = trace(build_network(EDSRConfig(1, 4, 2), seed=1).eval())
    calibration = Calibration(network, [picture(24, 24)])
    lowered = Fqsr().quantize(network, POLICY, calibration, mode)
    graph = lowered.graph()
    for found in fidelity(graph, lowered.execution(), picture(7, 9), KERNELS):
        if isinstance(graph.node(found.name).operator, Add | LookupTable):
            assert found.differing == 0, found


def test_a_rounding_that_cannot_add_halfway_codes_says_so() -> None:
    network = trace(build_network(EDSRConfig(1, 4, 2), seed=1).eval())
    calibration = Calibration(network, [picture(24, 24)])
    with pytest.raises(UserError) as raised:
        Fqsr().quantize(network, POLICY, calibration, "tflite_double").graph()
    assert str(raised.value) == (
        "layer 'body.0.add': rounding tflite_double adds codes of which one is the real number 0, "
        "but here 0 lies between two codes; choose another rounding, such as half_up"
    )


def test_what_ships_is_used_without_any_picture() -> None:
    network = trace(load_network("edsr_baseline_x2"), "edsr_baseline_x2")
    lowered = Fqsr().quantize(network, POLICY, Calibration(network, []))
    graph = lowered.graph()
    assert graph.metadata["learned"].startswith("60 updates")
    for found in fidelity(graph, lowered.execution(), picture(6, 7), KERNELS):
        assert found.farthest < 1e-3, found


# Options.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fqsr:preset=best", "method fqsr: option 'preset=best': expected one of paper, released, "
         "given 'best'; correct it"),
        ("fqsr:outputs=1", "method fqsr: expected outputs of 2 to 8 bits, given 1; choose a "
         "width in that range (tables read sums of one bit more, and at most 9)"),
        ("fqsr:bits=4", "method fqsr: option 'bits' is not known; known: direct, iterations, "
         "learned, outputs, preset, relative"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        method_named(text)
    assert str(raised.value) == message


def test_options_come_back_from_the_text() -> None:
    method = Fqsr("released", 6, True, "a.safetensors", 3, 100)
    assert str(method) == (
        "fqsr:preset=released,outputs=6,direct,learned=a.safetensors,iterations=3,relative=100"
    )
    assert method_named(str(method)) == method
    assert str(method_named("fqsr")) == "fqsr"


@pytest.mark.parametrize("bits", ["w1a1/all", "w8a8", "w16a16"])
@pytest.mark.parametrize("options", ["outputs=2", "preset=released,direct"])
def test_any_width(bits: str, options: str) -> None:
    network = trace(build_network(EDSRConfig(1, 4, 2), seed=1).eval())
    calibration = Calibration(network, [picture(24, 24)])
    method = Fqsr.parse(options)
    lowered = method.quantize(network, BitPolicy.parse(bits), calibration)
    graph = lowered.graph()
    for found in fidelity(graph, lowered.execution(), picture(7, 9), KERNELS):
        assert found.farthest < 1e-3, found


def test_a_graph_tells_how_it_was_made() -> None:
    metadata = graph_of("edsr", "preset=released").metadata
    assert metadata["method"] == "fqsr:preset=released"
    assert metadata["bits"] == "w4a4"
    assert metadata["learned"] == "nothing"
