"""Networks by name, from the command line to files that other engines run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quant.graph import load_graph
from quant.graph.records import graph_to_record
from tests.e2e.conftest import Command

SMALL = "--input-size", "24x32"


def content(path: Path) -> tuple[Any, dict[str, Any]]:
    """All of a graph but where it comes from."""
    arrays: dict[str, Any] = {}
    return graph_to_record(replace(load_graph(path), metadata={}), arrays), arrays


def test_a_network_under_the_policy_of_its_graph_is_that_graph(
    hwsim: Command, tmp_path: Path
) -> None:
    given, policy, again = (tmp_path / name for name in ("a.hwgraph", "a.yaml", "b.hwgraph"))
    assert hwsim("quantize", "mobile_sr_x2", "--bits", "w3a5", "--out", given).status == 0
    assert hwsim("export", given, "--to", "policy", "--out", policy).status == 0
    assert hwsim("quantize", "mobile_sr_x2", "--bits", policy, "--out", again).status == 0
    (ours, our_arrays), (theirs, their_arrays) = content(given), content(again)
    assert ours == theirs
    for name, values in our_arrays.items():
        np.testing.assert_array_equal(values, their_arrays[name])


def test_a_network_of_eight_bits_is_a_tensorflow_lite_file(hwsim: Command, tmp_path: Path) -> None:
    pytest.importorskip("tflite")
    pytest.importorskip("ai_edge_litert")
    policy = tmp_path / "eight.yaml"
    policy.write_text("default: w8a8\nresidual_bits: 8\n")
    out = tmp_path / "mobile.tflite"
    command = "export", "mobile_sr_x2", "--bits", policy, "--to", "tflite", "--out", out
    done = hwsim(*command, "--check", *SMALL)
    assert done.status == 0
    assert "9,216 integers compared: all equal" in done.out


@pytest.mark.parametrize("network", ["edsr_tiny_x2", "mobile_sr_x2"])
def test_named_networks_are_exact_in_onnx_runtime(
    hwsim: Command, tmp_path: Path, network: str
) -> None:
    pytest.importorskip("onnxruntime")
    command = "export", network, "--bits", "w4a6", "--to", "qdq", "--out", tmp_path / "net.onnx"
    done = hwsim(*command, "--check", *SMALL)
    assert done.status == 0
    assert "9,216 integers compared: all equal" in done.out
