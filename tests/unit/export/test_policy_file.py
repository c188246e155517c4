"""The policy of a graph gives its layers the bits that they have."""

from dataclasses import replace
from pathlib import Path

from quant.graph.bits import layer_operations
from quant.policy import BitPolicy, LayerBits
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.unit.export.requests import SIZE, exported, request_of


def policy(tmp_path: Path, **changes: object) -> BitPolicy:
    graph = edsr_graph(1, 4, bits={**dict.fromkeys(edsr_layers(1), (4, 6)), "tail": (8, 7)},
                       residual_bits=11)  # fmt: skip
    request = request_of(replace(graph, **changes))  # type: ignore[arg-type]
    path = tmp_path / "policy.yaml"
    path.write_text(exported("policy", request, tmp_path).text("file"), encoding="utf-8")
    return BitPolicy.load(path)


def test_every_layer_gets_its_own_bits(tmp_path: Path) -> None:
    found = policy(tmp_path).resolve(edsr_layers(1))
    graph = edsr_graph(1, 4, bits={**dict.fromkeys(edsr_layers(1), (4, 6)), "tail": (8, 7)})
    assert found == {
        each.name: LayerBits(each.weight_bits, each.activation_bits)
        for each in layer_operations(graph, SIZE)
    }
    assert found["tail"] == LayerBits(8, 7)


def test_residual_bits_are_those_of_additions_or_what_the_graph_says(tmp_path: Path) -> None:
    assert policy(tmp_path).residual_bits == 11
    said = {"policy": "default: w4a6\nresidual_bits: 9\n"}
    assert policy(tmp_path, metadata=said).residual_bits == 9
