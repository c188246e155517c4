"""Published TensorFlow Lite models, read as graphs, equal LiteRT's reference kernels."""

from pathlib import Path

import numpy as np
import pytest

from hwsim.machine import KERNELS, run_layerwise
from quant.imaging import DEFAULT_SAMPLE, sample_photograph
from tests.shared_data import shared_file

pytest.importorskip("ai_edge_litert", reason="needs ai_edge_litert, of the extra [verify]")

from hwsim.verify.oracles import litert
from quant.interchange.tflite_model import parse_model
from quant.interchange.tflite_reader import graph_of, read_tflite
from tests.wide_tflite import SIZE, wide_network

FILE = Path("wide.tflite")

MODELS = (
    "mlperf_edsr_f32b5_full_qint8",
    "mlperf_edsr_f32b5_QAT",
    "NCNet_model",
    "ABPN_base7_D4C28_bs16ps64_lr1e-3_qat",
    "ETDS_ABPN__int8__M4C28_X3",
    "ETDS_ECBSR__int8__M4C16_X4",
    "ETDS_ESPCN__int8__X2",
)


@pytest.mark.shared
@pytest.mark.parametrize("name", MODELS)
def test_every_output_value_of_a_photograph_is_equal(name: str) -> None:
    path = shared_file("tflite", f"{name}.tflite")
    graph = read_tflite(path)
    pixels = sample_photograph(DEFAULT_SAMPLE)[96:160, 80:160].astype(np.int32)
    codes = pixels + graph.input.output.integer.low
    expected = litert.model_file(path.read_bytes(), codes)
    found = run_layerwise(graph, codes, KERNELS)
    scale = int(graph.scale())
    assert found.shape == (64 * scale, 80 * scale, 3)
    assert np.count_nonzero(found != expected) == 0
    assert expected.std() > 20  # the photograph, not a flat picture


def test_a_network_of_16_bit_feature_maps_equals_the_reference_kernels() -> None:
    random = np.random.default_rng(0)
    content = wide_network(random)
    image = random.integers(-(2**15), 2**15, (*SIZE, 3)).astype(np.int32)
    graph = graph_of(parse_model(content, FILE), FILE)
    expected = litert.model_file(content, image)
    assert np.count_nonzero(run_layerwise(graph, image, KERNELS) != expected) == 0
    assert expected.shape == (24, 32, 3)
    assert expected.std() > 2000  # of 65536 codes
