"""A small network, quantized once."""

from pathlib import Path

import pytest
from torch import nn

import hwsim.api as hw
from quant.graph import Graph, save_graph
from tests.unit.lowering.small_networks import edsr, picture


@pytest.fixture(scope="package")
def network() -> nn.Module:
    """An EDSR of one block, with random weights."""
    return edsr(blocks=1, channels=4)


@pytest.fixture(scope="package")
def graph(network: nn.Module) -> Graph:
    """The same in integers."""
    made = hw.quantize(network, bits="w8a8", calibration=[picture()], name="small")
    assert isinstance(made, Graph)
    return made


@pytest.fixture(scope="package")
def graph_file(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graphs") / "small.hwgraph"
    save_graph(graph, path)
    return path
