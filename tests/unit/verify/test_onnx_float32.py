"""What ONNX Runtime computes in float32 is exact here: at most one code apart, and seldom."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.machine import KERNELS, run_layerwise

pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra [verify]")
pytest.importorskip("onnx", reason="needs onnx, of the extra [onnx]")

from onnx import TensorProto, helper, numpy_helper

from hwsim.verify.oracles.onnx_runtime import model_file
from quant.interchange.onnx_model import parse_model
from quant.interchange.onnx_reader import graph_of
from tests.unit.interchange.onnx_files import Node

SIZE, CHANNELS, MODELS = (24, 32), 4, 4
SPREAD = 74.0
"""Standard deviation of codes that are evenly drawn."""

WEIGHTS: Node = ("DequantizeLinear", ["weights", "weight_step"], ["w"], {})
CONV: Node = ("Conv", ["image_r", "w", "bias"], ["conv"], {"pads": [1, 1, 1, 1]})

LAYERS: dict[str, tuple[list[Node], float, float]] = {
    "ReLU": ([WEIGHTS, CONV, ("Relu", ["conv"], ["real"], {})], 1.0, 1e-4),
    "clip": ([WEIGHTS, CONV, ("Clip", ["conv", "low", "high"], ["real"], {})], 1.0, 1e-4),
    "transposed convolution": (
        [
            WEIGHTS,
            (
                "ConvTranspose",
                ["image_r", "w", "bias"],
                ["real"],
                {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
            ),
        ],
        0.5,
        1e-4,
    ),
    "average pool": (
        [("AveragePool", ["image_r"], ["real"], {"kernel_shape": [2, 2], "strides": [2, 2]})],
        0.5,
        1e-4,
    ),
    "bilinear resize": (
        [
            (
                "Resize",
                ["image_r", "", "factors"],
                ["real"],
                {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
            )
        ],
        0.5,
        1e-3,
    ),
}
"""Operators between the codes, how widely results spread, and the part that may differ."""


def model(random: np.random.Generator, layers: list[Node], spread: float, weights: Any) -> bytes:
    """A file of 8-bit codes around the operators."""
    step = np.float32(random.uniform(0.01, 0.03))
    weight_step = np.float32(2.0 ** random.uniform(-9, -7))
    values: Mapping[str, Any] = {
        "step": step,
        "zero": np.uint8(random.integers(0, 256)),
        "weight_step": weight_step * np.float32(16 if weights.data_type == TensorProto.INT4 else 1),
        "bias": random.normal(0, 1, CHANNELS).astype(np.float32),
        "low": np.float32(-1),
        "high": np.float32(1),
        "factors": np.array([1, 1, 2, 2], np.float32),
    }
    gain = float(weight_step) * SPREAD * 6 if layers[0] == WEIGHTS else 1.0
    values["out_step"] = np.float32(step * gain * spread * random.uniform(1.1, 1.5))
    values["out_zero"] = np.uint8(128)
    nodes: list[Node] = [
        ("DequantizeLinear", ["image", "step", "zero"], ["image_r"], {}),
        *layers,
        ("QuantizeLinear", ["real", "out_step", "out_zero"], ["out"], {}),
    ]
    read = {name for _, inputs, _, _ in nodes for name in inputs}
    graph = helper.make_graph(
        [helper.make_node(kind, i, o, o[0], **attributes) for kind, i, o, attributes in nodes],
        "one_layer",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, (1, CHANNELS, *SIZE))],
        [helper.make_tensor_value_info("out", TensorProto.UINT8, (1, CHANNELS, None, None))],
        [
            *([weights] if "weights" in read else []),
            *(numpy_helper.from_array(np.asarray(v), k) for k, v in values.items() if k in read),
        ],
    )
    sets = [helper.make_opsetid("", 21)]
    content: bytes = helper.make_model(graph, opset_imports=sets, ir_version=10).SerializeToString()
    return content


def drawn_weights(random: np.random.Generator, element: int, largest: int) -> Any:
    shape = (CHANNELS, CHANNELS, 3, 3)
    codes = random.integers(-largest, largest + 1, shape).ravel().tolist()
    return helper.make_tensor("weights", element, shape, codes)


@pytest.mark.parametrize("what", LAYERS)
def test_one_code_apart_and_seldom(what: str) -> None:
    layers, spread, part = LAYERS[what]
    check(layers, spread, part, TensorProto.INT8, 127)


def test_weights_of_four_bits() -> None:
    check([WEIGHTS, (*CONV[:2], ["real"], CONV[3])], 1.0, 1e-4, TensorProto.INT4, 7)


def check(layers: list[Node], spread: float, part: float, element: int, largest: int) -> None:
    """Compare some models with ONNX Runtime."""
    differing, values, deviation = 0, 0, 0.0
    for seed in range(MODELS):
        random = np.random.default_rng(seed)
        content = model(random, layers, spread, drawn_weights(random, element, largest))
        image = random.integers(0, 256, (*SIZE, CHANNELS)).astype(np.int32)
        graph = graph_of(parse_model(content, Path("one_layer.onnx")))
        found = run_layerwise(graph, image, KERNELS)
        wanted = model_file(content, image.astype(np.uint8)).astype(np.int32)
        assert graph.metadata["exact_instead_of_float32"]
        assert np.abs(found - wanted).max() <= 1
        differing += np.count_nonzero(found != wanted)
        values += found.size
        deviation = max(deviation, float(wanted.std()))
    assert differing <= part * values
    assert deviation > 10
