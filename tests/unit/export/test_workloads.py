"""Workloads for other simulators: the loops are the network's, as the tools read them."""

from dataclasses import replace
from math import prod
from pathlib import Path

import pytest
import yaml

from hwsim.export.layers import convolution_layers
from quant.graph import Convolution, Graph, GraphError, Padding, Size
from tests.edsr_graphs import edsr_graph
from tests.unit.export.requests import SIZE, csv_rows, exported, request_of


def changed(graph: Graph, name: str, **changes: object) -> Graph:
    """The graph with another convolution in one node."""

    def other(convolution: object) -> Convolution:
        assert isinstance(convolution, Convolution)
        return replace(convolution, **changes)  # type: ignore[arg-type]

    nodes = tuple(
        replace(node, operator=other(node.operator)) if node.name == name else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def test_layers_know_whom_they_read() -> None:
    layers = convolution_layers(edsr_graph(1, 4, bits=(3, 5)), SIZE)
    names = [layer.name for layer in layers]
    assert names == ["head", "block0.conv1", "block0.conv2", "body_end", "upsampler", "tail"]
    assert [layer.source for layer in layers] == [None, 0, 1, 2, 3, 4]
    assert sum(layer.macs for layer in layers) == edsr_graph(1, 4).macs(SIZE)
    inner = layers[2]
    assert (inner.weight_bits, inner.activation_bits, inner.output_bits) == (3, 5, 16)
    assert layers[-1].input == Size(20, 24)


def test_a_graph_without_convolutions_is_refused() -> None:
    graph = edsr_graph(1, 4)
    with pytest.raises(GraphError) as error:
        convolution_layers(replace(graph, nodes=graph.nodes[:1], output="image"), SIZE)
    assert str(error.value).endswith("expected convolutions, found none; give another")


def test_scale_sim_is_given_each_layer_in_two_forms(tmp_path: Path) -> None:
    graph = edsr_graph(1, 4)
    files = exported("scale-sim", request_of(graph), tmp_path)
    assert files.names == ["conv.csv", "gemm.csv", "layout.csv", "machine.cfg"]
    convolutions, products = csv_rows(files.text("conv.csv")), csv_rows(files.text("gemm.csv"))
    assert convolutions[0] == ["head", "12", "14", "3", "3", "3", "4", "1"]
    assert products[0] == ["head", "120", "4", "27"]
    for of_convolution, of_product in zip(convolutions, products, strict=True):
        # What SCALE-Sim makes of a convolution (topology_utils.py): output sides, window, filters.
        rows, columns, down, across, channels, filters, stride = map(int, of_convolution[1:])
        pixels = ((rows - down) // stride + 1) * ((columns - across) // stride + 1)
        assert [pixels, filters, down * across * channels] == [int(n) for n in of_product[1:]]
    machine = dict(
        line.split(" = ") for line in files.text("machine.cfg").splitlines() if " = " in line
    )
    assert (machine["ArrayHeight"], machine["Dataflow"], machine["IfmapSramSzkB"]) == (
        "8",
        "os",
        "10",
    )
    layout = csv_rows(files.text("layout.csv"))
    assert [row[0] for row in layout] == [row[0] for row in convolutions]
    assert {len(row) for row in layout} == {21}


def test_what_scale_sim_has_no_columns_for_is_a_matrix_product(tmp_path: Path) -> None:
    wide = changed(edsr_graph(1, 4), "head", dilation=(2, 2), padding=Padding.even(2, 2))
    row = csv_rows(exported("scale-sim", request_of(wide), tmp_path).text("conv.csv"))[0]
    assert row == ["head", "10", "12", "1", "1", "27", "4", "1"]


def test_groups_are_layers_of_their_own(tmp_path: Path) -> None:
    graph = edsr_graph(1, 4)
    head = graph.node("block0.conv1").operator
    assert isinstance(head, Convolution)
    apart = changed(graph, "block0.conv1", weight=head.weight[..., :2], groups=2)
    files = exported("scale-sim", request_of(apart), tmp_path)
    rows = [row for row in csv_rows(files.text("gemm.csv")) if row[0].startswith("block0.conv1")]
    assert rows == [["block0.conv1.group0", "120", "2", "18"], ["block0.conv1.group1", "120", "2",
                    "18"]]  # fmt: skip


def test_zigzag_is_given_loops_precisions_and_sources(tmp_path: Path) -> None:
    graph = edsr_graph(1, 4, bits=(3, 5))
    layers = yaml.safe_load(exported("zigzag", request_of(graph), tmp_path).text("file"))
    assert [layer["id"] for layer in layers] == list(range(6))
    assert sum(prod(layer["loop_sizes"]) for layer in layers) == graph.macs(SIZE)
    inner = layers[2]
    assert dict(zip(inner["loop_dims"], inner["loop_sizes"], strict=True)) == {
        "B": 1, "G": 1, "K": 4, "C": 4, "OY": 10, "OX": 12, "FY": 3, "FX": 3,
    }  # fmt: skip
    assert inner["operand_precision"] == {"W": 3, "I": 5, "O": 40, "O_final": 16}
    assert inner["operand_source"] == {"I": 1, "W": 2}
    assert layers[0]["operand_source"] == {"I": 0, "W": 0}
    assert inner["padding"] == [[1, 1], [1, 1]]
    assert inner["dimension_relations"] == ["ix=1*ox+1*fx", "iy=1*oy+1*fy"]


def test_timeloop_is_given_a_problem_a_layer(tmp_path: Path) -> None:
    graph = edsr_graph(1, 4, bits=(3, 5))
    files = exported("timeloop", request_of(graph), tmp_path)
    assert files.names[1] == "1_block0.conv1.yaml"
    macs = 0
    for name in files.names:
        content = yaml.safe_load(files.text(name))
        problem = content["problem"]
        sizes = [problem["instance"][name] for name in problem["shape"]["dimensions"]]
        macs += prod(sizes)
        used = {
            term[0]
            for space in problem["shape"]["data_spaces"]
            for axis in space["projection"]
            for term in axis
        }
        assert used == set(problem["shape"]["dimensions"])
    assert macs == graph.macs(SIZE)
    variables = yaml.safe_load(files.text("2_block0.conv2.yaml"))["variables"]
    assert variables == {
        "version": 0.4, "weight_bits": 3, "activation_bits": 5, "output_bits": 16, "sum_bits": 40,
    }  # fmt: skip
