"""ONNX models with quantizers, run by ONNX Runtime and by QONNX, are the graphs they came from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.machine import REFERENCE, run_layerwise
from hwsim.verify.oracles.networks import random_edsr
from quant.common.requantization_modes import MODES, ONE_FLOAT32
from quant.graph import (
    Accumulator,
    Add,
    CodeKind,
    Convolution,
    Encoding,
    FusedTerms,
    Graph,
    GraphError,
    Input,
    IntegerType,
    Node,
    Padding,
    Requantization,
    Requantize,
    Size,
    TensorType,
    verify,
)
from tests.edsr_graphs import edsr_graph
from tests.random_graphs import random_graphs, random_images

writer = pytest.importorskip(
    "quant.interchange.onnx_quantizers_writer", reason="needs onnx, of the extra [verify]"
)
onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra [verify]")

Codes = NDArray[np.int64]
S16, U8, S8 = IntegerType(16, CodeKind.SIGNED), IntegerType(8), IntegerType(8, CodeKind.SIGNED)


def ran(content: bytes, image: NDArray[Any], *, optimized: bool = True) -> Codes:
    """Output codes of ONNX Runtime, optimized or operator by operator."""
    levels = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
    )
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    element = given.type.removeprefix("tensor(").removesuffix(")")
    batch = image.transpose(2, 0, 1)[None].astype(element)
    codes: Codes = session.run(None, {given.name: batch})[0][0].transpose(1, 2, 0).astype(np.int64)
    return codes


def expected(graph: Graph, image: NDArray[Any]) -> Codes:
    return run_layerwise(graph, image.astype(np.int32), REFERENCE).astype(np.int64)


def model(graph: Graph, image: NDArray[Any], dialect: str = "qdq", scales: str = "unit") -> bytes:
    content: bytes = writer.quantizer_model(graph, Size(*image.shape[:2]), dialect, scales)
    return content


def written(graph: Graph, image: NDArray[Any]) -> tuple[bytes | None, str]:
    """The model, or the sentence that refuses it."""
    try:
        return model(graph, image), ""
    except GraphError as error:
        return None, str(error)


@given(st.data())
@settings(max_examples=25)
def test_any_graph_is_refused_by_name_or_computed_exactly(data: st.DataObject) -> None:
    graph = data.draw(random_graphs(every_operator=True))
    image = data.draw(random_images(graph))
    content, refused = written(graph, image)
    if content is None:
        assert any(f"node '{node.name}'" in refused for node in graph.nodes)
        return
    for optimized in (True, False):
        found = ran(content, image, optimized=optimized)
        np.testing.assert_array_equal(found, expected(graph, image))


def pixels(graph: Graph, height: int = 7, width: int = 9) -> Codes:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3))


@pytest.mark.parametrize("bits", [(8, 8), (1, 1), (2, 3), (4, 16), (16, 4)])
def test_networks_of_any_widths_are_exact_in_qonnx(bits: tuple[int, int]) -> None:
    executed = pytest.importorskip("hwsim.verify.oracles.exported", reason="needs onnx").run_qonnx
    pytest.importorskip("qonnx", reason="needs qonnx")
    graph = edsr_graph(1, 4, bits=bits)
    image = pixels(graph)
    found = executed(model(graph, image, "qonnx"), image.astype(np.int32), graph)
    np.testing.assert_array_equal(found, expected(graph, image))
    np.testing.assert_array_equal(ran(model(graph, image), image), expected(graph, image))


def one_requantize(given: Requantization, bias: int = 0) -> Graph:
    """A graph that brings 16-bit codes to 8-bit ones."""
    nodes = [
        Node("image", Input(), (), TensorType(1, S16)),
        Node("out", Requantize(np.array([bias]), given), ("image",), TensorType(1, S8)),
    ]
    return verify(Graph.build("one", nodes, "out"))


def constants(mode: str) -> tuple[int, int, int]:
    """A multiplier, a shift and a destination scale for which many codes are halves."""
    if MODES[mode].is_float:
        half = int(np.float32(1.5 / 256).view(np.int32))
        return half, 0, ONE_FLOAT32 if MODES[mode].has_destination_scale else 0
    return {"shift": (1, 8, 0), "nvdla": (3, 9, 0)}.get(mode, (3 << 22, 31, 0))


@pytest.mark.parametrize("zero_first", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_rounds_as_its_reference_does(mode: str, zero_first: bool) -> None:
    multiplier, shift, destination = constants(mode)
    rounding = Requantization(
        np.array([multiplier]), np.array([shift]), -3, -128, 120, mode, destination, zero_first
    )
    graph = one_requantize(rounding)
    image = np.arange(-(2**15), 2**15, 7).reshape(1, -1, 1)
    np.testing.assert_array_equal(ran(model(graph, image), image), expected(graph, image))


def test_sums_that_wrap_in_32_bits_are_refused() -> None:
    rounding = Requantization(np.array([3]), np.array([9]), 0, -128, 127, "tflite_double")
    with pytest.raises(GraphError) as error:
        model(one_requantize(rounding), np.zeros((1, 1, 1), np.int64))
    assert str(error.value) == (
        "node 'out' (requantize): expected sums that fit 32 bits when they are shifted, found up "
        "to 137438953472"
    )


def one_convolution(weight: Codes, **changes: Any) -> Graph:
    """A 3×3 convolution of u8 codes around their zero point of 9."""
    outputs = len(weight)
    scaling = Requantization(np.full(outputs, 3 << 20), np.full(outputs, 38), 5, -128, 127)
    convolution = replace(
        Convolution(
            weight,
            IntegerType(12, CodeKind.SIGNED),
            np.arange(outputs) * 1000,
            Padding(1, 1, 1, 1),
            np.array([9]),
            scaling,
        ),
        **changes,
    )
    read = TensorType(weight.shape[3] * convolution.groups, U8, Encoding(0.5, (9,)))
    nodes = [
        Node("image", Input(), (), read),
        Node("conv", convolution, ("image",), TensorType(outputs, S8, Encoding(0.25, (5,)))),
    ]
    return verify(Graph.build("one", nodes, "conv"))


def test_sums_beyond_float32_are_computed_digit_by_digit() -> None:
    random = np.random.default_rng(0)
    graph = one_convolution(random.integers(1800, 2048, (4, 3, 3, 16)) * random.choice((-1, 1), 4)
                            .reshape(-1, 1, 1, 1))  # fmt: skip
    image = random.integers(200, 256, (5, 6, 16))
    content = model(graph, image)
    names = {node.name for node in _nodes(content) if node.op_type == "Conv"}
    assert names == {"conv.digit0", "conv.digit1"}
    np.testing.assert_array_equal(ran(content, image), expected(graph, image))


@pytest.mark.parametrize(
    "changes",
    [
        {"border": "replicate"},
        {"pad_code": np.array([0, 255])},
        {"tap_offset": np.arange(36).reshape(4, 3, 3) * 100},
        {"stride": (2, 1), "dilation": (1, 2), "padding": Padding(0, 1, 2, 2)},
        {"groups": 2},
    ],
    ids=["replicated border", "other pad codes", "tap offsets", "strides", "groups"],
)
def test_convolutions_of_every_kind_are_exact(changes: dict[str, Any]) -> None:
    random = np.random.default_rng(0)
    graph = one_convolution(random.integers(-2048, 2048, (4, 3, 3, 2)), **changes)
    image = random.integers(0, 256, (6, 5, graph.input.output.channels))
    np.testing.assert_array_equal(ran(model(graph, image), image), expected(graph, image))


def test_real_scales_of_one_operator_are_off_by_a_code_at_most() -> None:
    random = np.random.default_rng(0)
    graph = one_convolution(random.integers(-2048, 2048, (4, 3, 3, 2)))
    image = random.integers(0, 256, (32, 32, 2))
    found = ran(model(graph, image, scales="real"), image, optimized=False)
    difference = np.abs(found - expected(graph, image))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_real_scales_of_onnx_runtimes_own_convention_are_exact_when_it_optimizes() -> None:
    graph = random_edsr(
        "onnxruntime", U8, np.random.default_rng(0), blocks=1, channels=8, largest_weight=63
    )
    image = pixels(graph, 12, 16)
    content = model(graph, image, scales="real")
    np.testing.assert_array_equal(ran(content, image), expected(graph, image))


def _nodes(content: bytes) -> list[Any]:
    onnx = pytest.importorskip("onnx")
    return list(onnx.load_from_string(content).graph.node)


def test_names_and_widths_are_those_of_the_graph() -> None:
    onnx = pytest.importorskip("onnx")
    graph = edsr_graph(1, 4, bits=(3, 5))
    found = onnx.load_from_string(model(graph, pixels(graph), "qonnx"))
    made = {output for node in found.graph.node for output in node.output}
    assert {node.name for node in graph.nodes} - {"image"} <= made
    bits = {
        entry.name: float(onnx.numpy_helper.to_array(entry))
        for entry in found.graph.initializer
        if entry.name.endswith(".bits")
    }
    for node in graph.convolutions():
        assert bits[f"{node.name}.weight.bits"] == node.operator.weight_type.bits
        assert bits[f"{node.name}.bits"] == node.output.integer.bits
    (quantizer,) = [n for n in found.graph.node if n.name == "head.quantize"]
    assert quantizer.doc_string == "4×s16 codes, scale 1, zero point 0"


@pytest.mark.parametrize("scales", ["unit", "real"])
@pytest.mark.parametrize("dialect", ["qdq", "qonnx"])
def test_models_pass_onnxs_own_checks(dialect: str, scales: str) -> None:
    onnx = pytest.importorskip("onnx")
    graph = edsr_graph(1, 4)
    content = onnx.load_from_string(model(graph, pixels(graph), dialect, scales))
    onnx.checker.check_model(content)
    facts = {entry.key: entry.value for entry in content.metadata_props}
    assert facts["hwsim.scales"] == scales


def changed(graph: Graph, name: str, **changes: Any) -> Graph:
    nodes = tuple(
        replace(node, operator=replace(node.operator, **changes)) if node.name == name else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def refusal(graph: Graph, scales: str = "unit") -> str:
    with pytest.raises(GraphError) as error:
        model(graph, pixels(graph), scales=scales)
    return str(error.value)


def test_what_floats_cannot_hold_is_refused_with_the_node() -> None:
    wide = edsr_graph(1, 4, bits=(16, 16))
    assert refusal(wide).startswith(
        "node 'head' (convolution): expected products of sums and multipliers up to "
        "4503599627370496, which float64 holds, found up to "
    ) or refusal(wide).startswith(
        "node 'head' (convolution): expected sums up to 16777216, which float32 holds, found up to "
    )
    assert model(wide, pixels(wide), scales="real")


def test_other_arithmetic_is_refused_with_the_node() -> None:
    graph = edsr_graph(1, 4)
    narrow = changed(graph, "head", accumulator=Accumulator(16, "wrap"))
    wanted = "node 'head' (convolution): expected no accumulator of a declared width, found "
    assert refusal(narrow).startswith(wanted)
    assert refusal(narrow, "real").startswith(wanted)
    add = graph.node("block0.add").operator
    assert isinstance(add, Add)
    scaling = replace(add.requantization, rounding="onnxruntime")
    fused = changed(graph, "block0.add", term_rounding=FusedTerms(0), requantization=scaling)
    assert refusal(fused) == (
        "node 'block0.add' (add): expected an addition of integers, found one in float32, ONNX "
        "Runtime's"
    )


def test_a_name_that_a_part_of_another_node_has_is_refused() -> None:
    graph = edsr_graph(1, 4)
    nodes = tuple(
        replace(node, name={"tail": "head.sums"}.get(node.name, node.name)) for node in graph.nodes
    )
    assert refusal(replace(graph, nodes=nodes, output="head.sums")) == (
        "node 'head.sums': expected a name that no part of another node has in the model, found "
        "one; rename the node"
    )


def test_nothing_is_written_that_does_not_lead_to_the_output() -> None:
    graph = edsr_graph(1, 4)
    nodes = _nodes(model(graph, pixels(graph)))
    assert nodes[-1].output[0] == graph.output
    read = {name for node in nodes for name in node.input} | {graph.output}
    assert {name for node in nodes for name in node.output} <= read


def test_a_directed_rounding_is_none_of_quantize_linear() -> None:
    graph = one_requantize(Requantization(np.array([3]), np.array([9]), 0, -128, 127, "floor"))
    image = np.zeros((2, 2, 1), np.int64)
    with pytest.raises(GraphError, match="expected a rounding to the nearest code") as error:
        model(graph, image, scales="real")
    assert str(error.value).endswith("QuantizeLinear's, found floor")
    assert b"FLOOR" in model(graph, image, "qonnx", "real")
