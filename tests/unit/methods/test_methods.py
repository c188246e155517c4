import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quant.common.errors import UserError
from quant.graph.adaptive_file import AnyGraph, save_any_graph
from quant.lowering.trace import trace
from quant.methods import (
    Calibration,
    MinMax,
    Percentile,
    QuantizationMethod,
    method_named,
    method_names,
    quantize,
    quantizer,
)
from quant.methods.calibration import LARGEST_SIDE_PIXELS
from quant.policy import BitPolicy
from tests.unit.lowering.small_networks import edsr, picture

POLICY = BitPolicy.parse("w4a4")


def content(graph: AnyGraph, path: Path) -> bytes:
    save_any_graph(graph, path)
    return path.read_bytes()


@pytest.mark.parametrize("name", method_names())
def test_a_method_is_found_by_its_name_and_by_its_text(name: str) -> None:
    method = method_named(name)
    assert method_named(str(method)) == method


def test_the_option_of_percentile() -> None:
    assert method_named("percentile:99.5") == Percentile(99.5)
    assert method_named("minmax") == MinMax()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("minmix", "method 'minmix' is not known; did you mean 'minmax'?"),
        ("", f"method '' is not known; known: {', '.join(sorted(method_names()))}"),
        ("minmax:3", "method minmax: expected no option, given '3'; leave it out"),
        ("omse:3", "method omse: expected no option, given '3'; leave it out"),
        (
            "percentile:much",
            "method percentile: expected a percentage such as percentile:99.99, given 'much'; "
            "correct it",
        ),
        (
            "percentile:50",
            "method percentile: expected a percentage above 50 and at most 100, given 50; "
            "choose one such as 99.99",
        ),
        (
            "percentile:nan",
            "method percentile: expected a percentage above 50 and at most 100, given nan; "
            "choose one such as 99.99",
        ),
    ],
)
def test_other_methods_and_options_are_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        method_named(text)
    assert str(raised.value) == message


def test_listing_methods_and_policies_does_not_import_torch() -> None:
    script = (
        "import sys, quant.methods, quant.policy, quant.lowering; quant.methods.method_names(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_graph_tells_where_it_comes_from() -> None:
    graph = quantize(edsr(blocks=1), "minmax", POLICY, [picture()], "my_network")
    assert graph.name == "my_network"
    assert dict(graph.metadata) == {
        "network": "my_network",
        "method": "minmax",
        "policy": POLICY.to_yaml(),
        "bits": "w4a4",
        "calibration": Calibration(trace(edsr(blocks=1)), [picture()]).description,
        "rounding": "half_up",
    }


def test_calibration_is_described_by_its_pictures() -> None:
    network = trace(edsr(blocks=1))
    texts = [
        Calibration(network, images).description
        for images in ([picture()], [picture()], [picture(seed=1)], [picture(), picture()])
    ]
    assert re.fullmatch(r"1 images, 374 pixels, sha256 [0-9a-f]{16}", texts[0])
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3


@pytest.mark.parametrize("method", method_names())
def test_quantizing_twice_gives_the_same_file(method: str, tmp_path: Path) -> None:
    text = {"adabm": "adabm:iterations=3"}.get(method, method)
    graphs = [quantize(edsr(blocks=1), text, POLICY, [picture()]) for _ in range(2)]
    one, other = (content(graph, tmp_path / "g.hwgraph") for graph in graphs)
    assert one == other


def test_a_quantizer_serves_many_policies_and_calibrates_once(tmp_path: Path) -> None:
    network, progress = edsr(blocks=1), []
    make = quantizer(
        network, "minmax", [picture()], "net", lambda done, total: progress.append((done, total))
    )
    for text in ("w8a8", "w2a2/all"):
        policy = BitPolicy.parse(text)
        alone = quantize(network, "minmax", policy, [picture()], "net")
        path = tmp_path / "g.hwgraph"
        assert content(make(policy), path) == content(alone, path)
    assert progress == [(1, 1)]


@pytest.mark.parametrize("method", method_names())
def test_a_quantizer_can_be_sent_elsewhere(method: str, tmp_path: Path) -> None:
    text = {"adabm": "adabm:iterations=3"}.get(method, method)
    progress: list[int] = []
    make = quantizer(
        edsr(blocks=1), text, [picture()], progress=lambda done, total: progress.append(done)
    )
    graph, looked = make(POLICY), len(progress)
    there = pickle.loads(pickle.dumps(make))
    path = tmp_path / "g.hwgraph"
    assert content(there(POLICY), path) == content(graph, path)
    assert len(progress) == looked  # nobody is told from there


def test_a_percentile_covers_less_than_everything() -> None:
    network, images = edsr(blocks=1), [picture()]
    scales = [
        quantize(network, method, POLICY, images).node("body.0.body.0").output.encoding.scale
        for method in ("minmax", "percentile:99.9", "percentile:90")
    ]
    assert scales[0] >= scales[1] > scales[2]


def test_a_hundred_per_cent_is_everything(tmp_path: Path) -> None:
    network = trace(edsr(blocks=1))
    calibration = Calibration(network, [picture()])
    methods: list[QuantizationMethod] = [MinMax(), Percentile(100.0)]
    one, other = (method.quantize(network, POLICY, calibration).graph() for method in methods)
    for node, twin in zip(one.nodes, other.nodes, strict=True):
        assert node.output == twin.output


def test_a_policy_for_other_layers_is_refused() -> None:
    policy = BitPolicy.parse("w4a4").with_layer("neck", POLICY.default)
    with pytest.raises(UserError, match="policy layer 'neck': expected the name or a pattern"):
        quantize(edsr(blocks=1), "minmax", policy, [picture()])


def test_the_middle_of_large_pictures_is_looked_at() -> None:
    large = picture(LARGEST_SIDE_PIXELS + 11, 40)
    calibration = Calibration(trace(edsr(blocks=1)), [large])
    (seen,) = calibration.images
    assert (seen == large[5 : 5 + LARGEST_SIDE_PIXELS]).all()
    assert calibration.description.startswith(f"1 images, {LARGEST_SIDE_PIXELS * 40} pixels, ")
