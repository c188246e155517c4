"""Every requantization mode: what a graph lowered for it stands for, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.machine import REFERENCE
from quant.common.errors import UserError
from quant.common.requantization_modes import MODES
from quant.common.rescaling import rescaling
from quant.graph import (
    Add,
    Convolution,
    FusedTerms,
    Graph,
    Input,
    Node,
    Requantize,
    TermRounding,
)
from quant.lowering import FINE, Encodings, ScaleGrid, lower, scale_grid
from quant.lowering.trace import trace
from quant.methods import Calibration, MinMax
from quant.methods.ranges import range_encodings, whole_range
from quant.policy import BitPolicy
from tests.unit.lowering.small_networks import edsr, picture

Codes = NDArray[np.int64]
NARROW = replace(BitPolicy.parse("w8a8"), residual_bits=8)
WIDE = replace(BitPolicy.parse("w8a8"), residual_bits=16)
NETWORK = trace(edsr(blocks=1, residual_scale=0.3))
CALIBRATION = Calibration(NETWORK, [picture(seed=7)])

TWICE_ROUNDED = ("tflite_double", "tflite_neon")
SHORT_MULTIPLIER_BITS = {"nvdla": 14, "tflite_s64": 14}


def lowered(mode: str, policy: BitPolicy, grid: ScaleGrid) -> tuple[Graph, Encodings]:
    encodings = range_encodings(NETWORK, policy, CALIBRATION.ranges, whole_range, grid)
    return lower(NETWORK, encodings, "small", {}, mode), encodings


def computed(graph: Graph) -> dict[str, Codes]:
    """Every feature map by the reference arithmetic."""
    codes: dict[str, Codes] = {}
    types = {node.name: node.output for node in graph.nodes}
    for node in graph.nodes:
        codes[node.name] = (
            picture(11, 13).astype(np.int64)
            if isinstance(node.operator, Input)
            else REFERENCE.compute(
                node.operator,
                [types[name] for name in node.inputs],
                [codes[name] for name in node.inputs],
            )
        )
    return codes


def real_quotient(node: Node, graph: Graph, codes: dict[str, Codes]) -> NDArray[np.float64]:
    """What an elementwise operator computes in reals, in steps of its output from its zero."""
    encodings = [graph.node(name).output.encoding for name in node.inputs]
    if node.inputs == ("image",):
        encodings = [replace(encodings[0], zero_point=(0,))]
    return np.sum(
        [
            (codes[name] - encoding.zero_point[0]) * (encoding.scale / node.output.encoding.scale)
            for name, encoding in zip(node.inputs, encodings, strict=True)
        ],
        axis=0,
    )


def slack(mode: str) -> float:
    """How far from the exact quotient a mode's code may be, in codes."""
    if mode in ("floor", "ceil", "trunc_zero"):
        return 1.0
    return 0.75 if mode in TWICE_ROUNDED else 0.5


@pytest.mark.parametrize(
    ("mode", "policy"),
    [
        pytest.param(mode, policy, id=f"{mode}, {policy.residual_bits}-bit streams")
        for mode in MODES
        for policy in (NARROW, WIDE)
        if (mode, policy) != ("xnnpack", WIDE)  # refused, see below
    ],
)
def test_every_elementwise_operator_computes_what_it_stands_for(
    mode: str, policy: BitPolicy
) -> None:
    graph, _ = lowered(mode, policy, scale_grid(NETWORK, mode))
    codes = computed(graph)
    checked = 0
    for node in graph.nodes:
        if not isinstance(node.operator, Add | Requantize):
            continue
        real = real_quotient(node, graph, codes)
        # Float32 holds sums of 24 bits; sums of 32 bits leave an addition's operands 14 or 22.
        bits = SHORT_MULTIPLIER_BITS.get(mode, 13 if policy is WIDE else 20)
        error = np.abs(real) * 2.0**-bits + slack(mode) + 2.0**-8
        integer, zero = node.output.integer, node.output.encoding.zero_point[0]
        if node.inputs == ("image",):
            zero = 0
        low = np.ceil(real - error + zero).clip(integer.low, integer.high)
        high = np.floor(real + error + zero).clip(integer.low, integer.high)
        assert np.all((low <= codes[node.name]) & (codes[node.name] <= high)), node.name
        checked += 1
    assert checked >= 3


@pytest.mark.parametrize("mode", MODES)
def test_convolutions_have_the_constants_that_the_mode_derives(mode: str) -> None:
    graph, encodings = lowered(mode, NARROW, scale_grid(NETWORK, mode))
    for node in graph.convolutions():
        convolution = node.operator
        assert isinstance(convolution, Convolution)
        found = convolution.requantization
        assert found.rounding == mode
        source, weights = encodings.inputs[node.name], encodings.weights[node.name]
        wanted = rescaling(mode, source.scale, weights.scale, node.output.encoding.scale)
        if mode in SHORT_MULTIPLIER_BITS or MODES[mode].sum_bits < 63 or mode == "shift":
            np.testing.assert_array_equal(found.multiplier, wanted.multiplier)
            np.testing.assert_array_equal(found.shift, wanted.shift)
            assert found.destination_scale == wanted.destination_scale
        else:  # from exact scales, not from those rounded to float32
            factor = source.scale * weights.scale / node.output.encoding.scale
            np.testing.assert_allclose(found.multiplier / 2.0**found.shift, factor, rtol=2.0**-30)


@pytest.mark.parametrize("mode", MODES)
def test_the_graph_names_its_mode(mode: str) -> None:
    graph = MinMax().quantize(NETWORK, NARROW, CALIBRATION, mode).graph()
    assert graph.metadata["rounding"] == mode


ADDITIONS: dict[str, tuple[type | None, str]] = {
    "half_up": (type(None), "half_up"),
    "floor": (type(None), "floor"),
    "tflite_double": (TermRounding, "tflite_double"),
    "tflite_neon": (TermRounding, "tflite_double"),
    "tflite_s64": (TermRounding, "tflite_double"),
    "tflite_single": (type(None), "tflite_single"),
    "xnnpack": (type(None), "half_up"),
    "onnxruntime": (FusedTerms, "onnxruntime"),
    "onednn": (type(None), "onednn"),
    "nvdla": (type(None), "nvdla"),
}


@pytest.mark.parametrize("mode", ADDITIONS)
def test_the_addition_is_that_of_the_engine(mode: str) -> None:
    graph, _ = lowered(mode, NARROW, FINE)
    additions = [node.operator for node in graph.nodes if isinstance(node.operator, Add)]
    assert len(additions) == 2
    for add in additions:
        terms, rounding = ADDITIONS[mode]
        assert isinstance(add.term_rounding, terms)  # type: ignore[arg-type]
        assert add.requantization.rounding == rounding


@pytest.mark.parametrize(("policy", "left_shift"), [(NARROW, 20), (WIDE, 15)])
def test_tensorflow_lite_widens_wide_operands_less(policy: BitPolicy, left_shift: int) -> None:
    graph, _ = lowered("tflite_double", policy, FINE)
    add = graph.node("add").operator
    assert isinstance(add, Add)
    assert isinstance(add.term_rounding, TermRounding)
    assert add.term_rounding.left_shift == left_shift


def test_without_a_multiplier_all_scales_are_powers_of_two() -> None:
    for pixel_range in (255.0, 1.0):
        network = trace(edsr(blocks=1, pixel_range=pixel_range))
        policy = BitPolicy.parse("w8a6")
        graph = (
            MinMax().quantize(network, policy, Calibration(network, [picture()]), "shift").graph()
        )
        unit = pixel_range / 255
        for node in graph.nodes:
            exponent = np.log2(node.output.encoding.scale / unit)
            assert exponent == pytest.approx(round(exponent), abs=1e-9)
        for node in graph.convolutions():
            assert isinstance(node.operator, Convolution)
            assert set(node.operator.requantization.multiplier.tolist()) == {1}


# What is refused.


def refusal(mode: str, policy: str) -> str:
    with pytest.raises(UserError) as raised:
        lowered(mode, BitPolicy.parse(policy), FINE)
    return str(raised.value)


def test_sums_too_wide_for_a_mode() -> None:
    assert refusal("tflite_double", "w16a16") == (
        "layer 'body.0.body.0': rounding tflite_double takes sums of at most 32 bits, but this "
        "layer's may have 38; give it fewer bits or choose another rounding, such as half_up"
    )


def test_scales_a_mode_cannot_go_between() -> None:
    message = refusal("shift", "w8a8")
    assert message.startswith("layer 'head.0': rounding shift cannot scale by 0.")
    assert message.endswith(
        "; give the layer other bits or choose another rounding, such as half_up"
    )


def test_operands_too_far_apart_for_xnnpack() -> None:
    with pytest.raises(UserError) as raised:
        lowered("xnnpack", WIDE, FINE)
    assert str(raised.value).startswith(
        "layer 'body.0.add': rounding xnnpack adds operands whose scales are 0.000976562 to 256 "
        "times the sum's, but these are 0.00"
    )


def test_a_mode_that_does_not_exist() -> None:
    with pytest.raises(UserError) as raised:
        lowered("tflite_dubble", NARROW, FINE)
    assert str(raised.value) == (
        "rounding 'tflite_dubble' is no requantization mode; did you mean 'tflite_double' or "
        "'tflite_single' or 'tflite_neon'?"
    )


@pytest.mark.parametrize("mode", MODES)
def test_networks_of_zeros_lower_in_every_mode(mode: str) -> None:
    """Their ranges are empty, and their factors without bound."""
    import torch

    module = edsr(blocks=1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    network = trace(module)
    graph = MinMax().quantize(network, NARROW, Calibration(network, [picture()]), mode).graph()
    assert not computed(graph)[graph.output].any()
