"""What `hwsim export` writes with real scales is read back as the same network."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra [verify]")
pytest.importorskip("onnx", reason="needs onnx, of the extra [onnx]")

import hwsim.api as hw
from hwsim.machine import KERNELS, run_layerwise
from hwsim.verify.oracles.onnx_runtime import model_file
from quant.graph import Graph, Size
from quant.interchange.onnx_model import parse_model
from quant.interchange.onnx_quantizers_writer import quantizer_model
from quant.interchange.onnx_reader import picture_graph_of
from tests.unit.lowering.small_networks import picture

FILE = Path("exported.onnx")


@pytest.fixture(scope="module")
def graph() -> Graph:
    made = hw.quantize("mobile_sr_x2", bits="w8a8", calibration=[picture()])
    assert isinstance(made, Graph)
    return made


@pytest.mark.parametrize("dialect", ["qdq", "qonnx"])
def test_a_network_comes_back(graph: Graph, dialect: str) -> None:
    image = picture().astype(np.int32)
    content = quantizer_model(graph, Size(*image.shape[:2]), dialect, "real")
    found = run_layerwise(picture_graph_of(parse_model(content, FILE)), image, KERNELS)
    wanted = run_layerwise(graph, image, KERNELS)
    assert np.abs(found - wanted).max() <= 1
    assert np.count_nonzero(found != wanted) < 0.01 * wanted.size
    assert wanted.std() > 10
    if dialect == "qdq":
        engine = model_file(content, image.astype(np.uint8))
        np.testing.assert_array_equal(found, engine)
