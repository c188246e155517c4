"""Quantized ONNX models, read as graphs, equal ONNX Runtime and QONNX's executor."""

import os
from pathlib import Path

import numpy as np
import pytest

from hwsim.machine import KERNELS, run_layerwise
from hwsim.verify.oracles.processor import exact_products_of_8_bits
from tests.shared_data import shared_file

pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra [verify]")
pytest.importorskip("onnx", reason="needs onnx, of the extra [onnx]")

from hwsim.verify.oracles.onnx_runtime import model_file
from hwsim.verify.oracles.random_onnx import STYLES, RandomModel
from quant.interchange.onnx_model import parse_model
from quant.interchange.onnx_reader import graph_of
from tests import onnx_quantized
from tests.onnx_exports import export
from tests.published_networks import PUBLISHED, published_network
from tests.sr_networks import NETWORKS, random_network

FILE = Path("random.onnx")
MODELS = int(os.environ.get("HWSIM_RANDOM_MODELS", "6"))

needs_vnni = pytest.mark.skipif(
    exact_products_of_8_bits() is not None, reason=str(exact_products_of_8_bits())
)


@needs_vnni
@pytest.mark.parametrize("signed", [False, True], ids=["u8", "s8"])
@pytest.mark.parametrize("style", STYLES)
def test_random_networks_equal_onnx_runtime(style: str, signed: bool) -> None:
    spread = 0.0
    for seed in range(MODELS):
        model = RandomModel(np.random.default_rng(seed), style, signed)
        content, image = model.content(8), model.image()
        found = run_layerwise(graph_of(parse_model(content, FILE)), image, KERNELS)
        wanted = model_file(content, image.astype(model.codes))
        assert np.count_nonzero(found != wanted) == 0, f"seed {seed}"
        spread = max(spread, float(wanted.std()))
    assert spread > 10


@needs_vnni
@pytest.mark.parametrize("opset", [11, 13, 19, pytest.param(24, marks=pytest.mark.slow)])
def test_random_networks_of_every_age(opset: int) -> None:
    for seed, style in enumerate(STYLES):
        model = RandomModel(np.random.default_rng(seed), style, signed=False, opset=opset)
        content, image = model.content(8), model.image()
        found = run_layerwise(graph_of(parse_model(content, FILE)), image, KERNELS)
        np.testing.assert_array_equal(found, model_file(content, image.astype(model.codes)))


@needs_vnni
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "style",
    [
        "QDQ u8",
        pytest.param("QDQ s8", marks=pytest.mark.slow),
        pytest.param("QLinear u8", marks=pytest.mark.slow),
    ],
)
def test_families_that_onnx_runtime_quantized(name: str, style: str, tmp_path: Path) -> None:
    if (name, style) == ("FSRCNN", "QLinear u8"):
        pytest.skip("ONNX Runtime leaves its transposed convolution in floats")
    path = export(random_network(name), tmp_path / "float.onnx")
    mismatches, values, spread = onnx_quantized.differing(onnx_quantized.quantized(path, style))
    assert mismatches == 0
    assert values >= 64 * 80 * 3 * 4
    assert spread > 2


@needs_vnni
@pytest.mark.shared
@pytest.mark.parametrize("style", ["QDQ u8", "QLinear u8"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_that_onnx_runtime_quantized(
    name: str, style: str, tmp_path: Path
) -> None:
    network, colours = published_network(name, shared_file("weights", PUBLISHED[name][1]))
    if (colours, style) == (1, "QLinear u8"):
        pytest.skip("ONNX Runtime leaves its transposed convolution in floats")
    path = export(network, tmp_path / "float.onnx", colours=colours)
    quantized = onnx_quantized.quantized(path, style, colours)
    mismatches, _, spread = onnx_quantized.differing(quantized, colours)
    # ONNX Runtime computes FSRCNN's transposed convolution in float32, whose sums are not exact.
    assert mismatches <= (3 if "FSRCNN" in name else 0)
    assert spread > 20  # the photograph, not a flat picture


def test_random_networks_equal_the_executor_of_qonnx() -> None:
    """Where scales are powers of two, which its float32 computes with exactly."""
    qonnx = pytest.importorskip(
        "hwsim.verify.oracles.random_qonnx", reason="needs qonnx, of the extra [verify]"
    )
    white, differing, spread = 255 / 256, 0, 0.0
    for seed in range(MODELS):
        model = qonnx.RandomQonnx(np.random.default_rng(seed), powers_of_two=True)
        content, image = model.content(6), model.image()
        graph = graph_of(parse_model(content, FILE), white)
        codes, encoding = run_layerwise(graph, image, KERNELS), graph.nodes[-1].output.encoding
        real = (codes - encoding.zero_point[0]) * encoding.scale
        wanted = qonnx.executed(content, image, white)
        differing += np.count_nonzero(real != wanted)
        spread = max(spread, float(wanted.std() / encoding.scale))
    assert differing == 0
    assert spread > 2
