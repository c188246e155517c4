"""What writers write is what the graph says; what they cannot write, they refuse by name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quant.graph import Convolution, Encoding, Graph, GraphError, IntegerType, Padding, Size
from tests.unit.interchange.small_graphs import MAP, changed, small_graph, with_operator

IMAGE = Size(6, 8)


def tflite(graph: Graph, convention: str = "tflite_double") -> bytes:
    writer = pytest.importorskip(
        "quant.interchange.tflite_writer", reason="needs tflite, of the extra [verify]"
    )
    content: bytes = writer.tflite_model(graph, IMAGE, convention)
    return content


def onnx(graph: Graph) -> bytes:
    writer = pytest.importorskip(
        "quant.interchange.onnx_writer", reason="needs onnx, of the extra [verify]"
    )
    content: bytes = writer.onnx_model(graph, IMAGE)
    return content


def requantized(**changes: Any) -> Callable[[Any], Any]:
    return lambda operator: replace(
        operator, requantization=replace(operator.requantization, **changes)
    )


def raised(write: Callable[[Graph], bytes], graph: Graph) -> str:
    with pytest.raises(GraphError) as error:
        write(graph)
    return str(error.value)


REFUSED = {
    "node 'one' (convolution): expected the requantization mode {mode}, found half_up": (
        lambda graph: with_operator(graph, "one", requantized(rounding="half_up"))
    ),
    "node 'one' (convolution): expected multipliers that follow from float32 scales of weights, "
    "input and output, found others for the scales 0.02 and 0.05": lambda graph: with_operator(
        graph,
        "one",
        lambda operator: requantized(
            multiplier=operator.requantization.multiplier.clip(0, 2**30 - 1) * 2
        )(operator),
    ),
    "node 'one' (convolution): expected the pad code -7, the zero point, found another one": (
        lambda graph: with_operator(
            graph, "one", lambda operator: replace(operator, pad_code=np.array([0]))
        )
    ),
    "node 'one' (convolution): expected no offsets of taps inside the image, found some": (
        lambda graph: with_operator(
            graph,
            "one",
            lambda operator: replace(
                operator, tap_offset=np.zeros(operator.weight.shape[:3], np.int64)
            ),
        )
    ),
    "node 'one' (convolution): expected a border of pad codes, as engines have it, found "
    "replicate": lambda graph: with_operator(
        graph, "one", lambda operator: replace(operator, border="replicate")
    ),
    "node 'one' (convolution): expected the zero point 3 of its encoding, found 4": (
        lambda graph: with_operator(graph, "one", requantized(zero_point=4))
    ),
    "node 'one' (convolution): expected a zero point that is added behind the rounding, found one "
    "before it": lambda graph: with_operator(graph, "one", requantized(zero_point_first=True)),
    "node 'one' (convolution): expected biases of 32 bits, found -": lambda graph: with_operator(
        graph, "one", lambda operator: replace(operator, bias=operator.bias - 2**31)
    ),
    "node 'one' (convolution): expected s8 or u8 codes, the engine's, found s9": (
        lambda graph: changed(graph, "one", output=replace(MAP, integer=IntegerType.parse("s9")))
    ),
    "node 'one' (convolution): expected one zero point for all channels, found one for each": (
        lambda graph: changed(
            graph, "one", output=replace(MAP, encoding=Encoding(0.05, (3, 3, 3, 4)))
        )
    ),
    "node 'sum' (add): expected an addition as {mode} derives it from the scales, found another": (
        lambda graph: with_operator(
            graph,
            "sum",
            lambda add: replace(add, multipliers=(add.multipliers[0] + 1, add.multipliers[1])),
        )
    ),
    "node 'out' (pixel_shuffle): expected one encoding for what it reads and writes, found "
    "several": lambda graph: changed(
        graph,
        "out",
        output=replace(graph.node("out").output, encoding=Encoding(0.041, (-20,))),
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_tensorflow_lite_would_compute_otherwise_is_refused(message: str) -> None:
    found = raised(tflite, REFUSED[message](small_graph("tflite_double")))
    assert found.startswith(message.format(mode="tflite_double"))


@pytest.mark.parametrize("message", REFUSED)
def test_what_onnx_runtime_would_compute_otherwise_is_refused(message: str) -> None:
    found = raised(onnx, REFUSED[message](small_graph("onnxruntime")))
    assert found.startswith(message.format(mode="onnxruntime"))


def test_tensorflow_lite_pads_in_two_ways() -> None:
    def shifted(operator: Convolution) -> Convolution:
        return replace(operator, padding=Padding(2, 0, 1, 1))

    assert raised(tflite, with_operator(small_graph("tflite_double"), "one", shifted)) == (
        "node 'one' (convolution): expected no padding, or one that keeps the size, found "
        "(2, 0, 1, 1)"
    )


def test_clamps_that_no_activation_makes_are_refused() -> None:
    cut = requantized(low=-100)
    assert raised(tflite, with_operator(small_graph("tflite_double"), "one", cut)) == (
        "node 'one' (convolution): expected the clamp of the type or of a ReLU, found -100 to 127"
    )
    assert raised(onnx, with_operator(small_graph("onnxruntime"), "one", cut)) == (
        "node 'one' (convolution): expected a clamp of -128 to 127, found -100 to 127"
    )


def test_channels_first_shuffles_are_not_tensorflow_lites() -> None:
    graph = small_graph("tflite_double")
    crd = with_operator(graph, "out", lambda operator: replace(operator, order="crd"))
    assert raised(tflite, crd) == ("node 'out' (pixel_shuffle): expected the order dcr, found crd")


def test_the_graphs_as_they_are_can_be_written() -> None:
    assert tflite(small_graph("tflite_double"))[4:8] == b"TFL3"
    assert tflite(small_graph("xnnpack"), "xnnpack")
    assert onnx(small_graph("onnxruntime"))
