"""DFSQ: the acceptance tests of its specification, and whole networks against float64."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional

from hwsim.arithmetic import reference
from hwsim.fidelity import fidelity
from hwsim.machine import KERNELS, REFERENCE, run_layerwise
from hwsim.simulation import compare, simulate
from quant.common.errors import UserError
from quant.common.run_time_scaling import PLACEMENTS, nearest_point_thresholds
from quant.graph import Encode, Graph, Node, Normalization, ScaledConvolution, Statistics
from quant.imaging import calibration_photographs
from quant.imaging.metrics import luma_psnr_db
from quant.imaging.resize import bicubic_downscale
from quant.lowering import FloatNetwork
from quant.lowering.float_operators import FloatConvolution
from quant.lowering.trace import trace
from quant.methods import Calibration, Dfsq, method_named
from quant.methods.body_layers import body_layers
from quant.methods.dfsq.histograms import (
    BINS,
    BINS_PER_UNIT,
    PATCHES,
    normalized_histograms,
    patches_of,
)
from quant.methods.dfsq.subsets import exact_subset, kmeans_subset, padded
from quant.methods.dfsq.universal_set import universal_set
from quant.methods.dfsq.weights import asymmetric_weights
from quant.networks.build import build_network
from quant.networks.config import (
    EDSRConfig,
    MobileSRConfig,
    NetworkConfig,
    RDNConfig,
    SRResNetConfig,
)
from quant.networks.registry import load_network
from quant.policy import BitPolicy
from tests.machines import machine, prices
from tests.unit.lowering.small_networks import edsr, picture
from tests.unit.methods.dfsq_forward import published_picture, quantized_input

VALUES = (np.arange(BINS) - 0.5) / BINS_PER_UNIT - 1
W4A4 = BitPolicy.parse("w4a4")


def histogram(seed: int, *, is_rectified: bool = False) -> NDArray[np.int64]:
    """Of bell-shaped values, or of those above 0 and many zeros."""
    values = np.random.default_rng(seed).laplace(size=4000)
    values = np.maximum(values, 0) if is_rectified else values - values.mean()
    values /= np.abs(values).max() + 1e-8
    bins = np.ceil((values + 1) * BINS_PER_UNIT).astype(np.int64)
    return np.bincount(bins, minlength=BINS)


def loss(of: NDArray[np.int64], points: NDArray[np.int64]) -> float:
    """Squared error of a histogram's values to their nearest points."""
    distances = np.abs(VALUES[:, None] - points / 1024).min(axis=1)
    return float(of @ distances**2)


def test_the_universal_set() -> None:
    points = universal_set()
    assert len(points) == 377
    assert (points >= 0).sum() == 189
    assert points[-1] == 1024
    assert points[points > 0][0] == 1
    np.testing.assert_array_equal(points, -points[::-1])
    gaps = np.diff(points)
    assert gaps.min() == 1
    assert gaps.max() == 128
    assert points[:-1][gaps == 128].tolist() == [-1024, 896]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), bits=st.integers(1, 8), is_rectified=st.booleans())
def test_subsets_hold_0_and_points_of_the_set(seed: int, bits: int, is_rectified: bool) -> None:
    of = histogram(seed, is_rectified=is_rectified)
    for points in (exact_subset(of, bits), kmeans_subset(of, bits, np.random.default_rng(seed))):
        assert 0 in points
        assert len(points) <= 1 << bits
        assert (np.diff(points) > 0).all()
        assert np.isin(points, universal_set()).all()


@pytest.mark.parametrize("bits", [2, 3, 4, 6])
@pytest.mark.parametrize("seed", range(3))
def test_no_subset_of_kmeans_is_better_than_the_exact_one(seed: int, bits: int) -> None:
    of = histogram(seed)
    exact = loss(of, exact_subset(of, bits))
    found = loss(of, kmeans_subset(of, bits, np.random.default_rng(seed)))
    assert exact <= found * (1 + 1e-9)
    assert found < loss(of, np.array([0])) / 3  # and what K-means finds is no nonsense


@pytest.mark.parametrize("seed", range(3))
def test_the_best_of_all_pairs_and_of_all_mixed_triples(seed: int) -> None:
    """One point, and one on either side, beside 0: all there are, by brute force."""
    of, universe = histogram(seed), universal_set()
    pairs = {int(p): loss(of, np.sort([0, p])) for p in universe if p}
    assert loss(of, exact_subset(of, 1)) == pytest.approx(min(pairs.values()), rel=1e-12)
    # Two points of one side each: they do not see each other, so the best pair is the best two.
    found = exact_subset(of, 2)
    assert len(found) == 4
    rest = [p for p in found if p]
    for moved in range(3):
        for p in universe[::5]:
            changed = np.unique([0, *(p if i == moved else q for i, q in enumerate(rest))])
            assert loss(of, found) <= loss(of, changed) * (1 + 1e-12)


def test_eight_bits_of_a_rectified_channel_have_189_points() -> None:
    of = histogram(1, is_rectified=True)
    points = exact_subset(of, 8)
    assert len(points) == 189
    assert points[0] == 0
    table = padded(points, 8)
    assert len(table) == 256
    assert len(np.unique(table)) == 189
    assert len(kmeans_subset(of, 8, np.random.default_rng(0))) <= 189


def test_the_reach_follows_from_extremes_and_mean() -> None:
    x = np.random.default_rng(0).normal(3, 2, (5, 7, 11))
    mean = x.mean(axis=(0, 1))
    reach = np.maximum(x.max(axis=(0, 1)) - mean, mean - x.min(axis=(0, 1)))
    np.testing.assert_array_equal(reach, np.abs(x - mean).max(axis=(0, 1)))


@pytest.mark.parametrize("is_rectified", [True, False])
@pytest.mark.parametrize("bits", [3, 4, 8])
def test_decoded_values_are_within_half_a_gap(bits: int, is_rectified: bool) -> None:
    """An error is at most half of the gap between points, times the reach, but for the ends."""
    codes = np.random.default_rng(bits).integers(0, 4000, (12, 13, 4)) - (
        0 if is_rectified else 999
    )
    factors = reference.normalization(reference.summary(codes), not is_rectified)
    means, reaches, _ = factors.reshape(3, -1)
    values = (codes - means) / reaches
    for channel in range(4):
        bins = np.ceil((values[..., channel].ravel() + 1) * BINS_PER_UNIT).astype(np.int64)
        points = exact_subset(np.bincount(bins, minlength=BINS), bits)
        table = padded(points, bits)[None]
        one = np.ix_(range(12), range(13), [channel])
        of_channel = factors.reshape(3, -1)[:, [channel]].reshape(1, 1, 3)
        found = reference.encode(codes[one], of_channel, nearest_point_thresholds(table))
        decoded = table[0][found] / 1024
        inside = (values[one] > points[0] / 1024) & (values[one] < points[-1] / 1024)
        place = np.clip(np.searchsorted(points / 1024, values[one]), 1, len(points) - 1)
        half_gap = (points[place] - points[place - 1]) / 2048
        error = np.abs(decoded - values[one])
        assert inside.any()
        assert (error[inside] <= half_gap[inside] + 2**-15).all()
        assert (decoded[values[one] >= points[-1] / 1024] == points[-1] / 1024).all()


@pytest.mark.parametrize(("kernel", "padding"), [(1, 0), (3, 1), (3, 0)])
@pytest.mark.parametrize("is_centred", [True, False])
def test_decomposition_into_integers(kernel: int, padding: int, is_centred: bool) -> None:
    """Specification 1.5 (b), borders included: sums of integers against torch on real numbers."""
    random = np.random.default_rng(kernel + padding)
    inputs, outputs, step, scale = 6, 5, 0.03, 0.7
    points = np.sort(random.choice(universal_set(), (inputs, 16)), axis=1)
    codes = random.integers(0, 16, (7, 8, inputs))
    means, reaches = random.integers(-900, 900, inputs), random.integers(0, 5000, inputs)
    integers = random.integers(-255, 256, (outputs, kernel, kernel, inputs))
    factors = np.concatenate([means, reaches, 0 * reaches]).reshape(1, 1, -1)
    operands = reference.scaled_operands(codes, factors, points, is_centred)
    padded_map = reference.pad(operands, (padding,) * 4, np.zeros(inputs, np.int64))
    sums = reference.convolve(padded_map, integers, np.zeros(outputs, np.int64))
    decoded = points[np.arange(inputs), codes] / 1024 * reaches + (means if is_centred else 0)
    real = functional.conv2d(
        torch.from_numpy(scale * decoded).permute(2, 0, 1)[None],
        torch.from_numpy(step * integers).permute(0, 3, 1, 2),
        padding=padding,
    )
    found = torch.from_numpy(sums * (step * scale / 1024)).permute(2, 0, 1)[None]
    torch.testing.assert_close(found, real, rtol=1e-12, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 99), bits=st.integers(1, 8))
def test_weights_are_those_of_the_authors(seed: int, bits: int) -> None:
    """Their formula on weights of both signs: round(w/D) less a zero point, clamped, and back."""
    weight = np.random.default_rng(seed).laplace(size=(3, 3, 3, 5))
    found = asymmetric_weights(weight, bits, np.zeros(3))
    low, high = (getattr(weight, name)(axis=(1, 2, 3), keepdims=True) for name in ("min", "max"))
    step = (high - low) / (2**bits - 1)
    zero = np.round(low / step) + 2 ** (bits - 1)
    codes = np.clip(np.round(weight / step) - zero, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    real = found.weight * found.scale[:, None, None, None]
    np.testing.assert_allclose(real, (codes + zero) * step, rtol=1e-12)
    assert found.integer.contains(found.weight)
    assert found.integer.bits <= bits + 1


def test_weights_of_one_sign_keep_0_and_their_width() -> None:
    weight = np.linspace(1.0, 1.1, 18).reshape(1, 3, 3, 2)
    found = asymmetric_weights(weight, 4, np.zeros(1))
    assert found.weight.min() >= 0
    assert found.weight.max() == 15
    assert asymmetric_weights(0 * weight, 4, np.zeros(1)).weight.any() == 0


BODIES: dict[str, tuple[NetworkConfig, int, set[str]]] = {
    "edsr": (EDSRConfig(16, 4, 4), 32, {"head.0", "body.16", "tail.0.0", "tail.0.2", "tail.1"}),
    "srresnet": (
        SRResNetConfig(16, 4, 4), 32, {"head.0", "body.16", "tail.0.0", "tail.0.3", "tail.1"},
    ),
    "rdn": (
        RDNConfig(16, 8, 4, 4, 4), 146, {"SFENet1", "SFENet2", "UPNet.0", "UPNet.2", "UPNet.4"},
    ),
    "mobile_sr": (MobileSRConfig(4, 4, 2), 4, {"head.0", "tail.0"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_the_body_of_a_network(name: str) -> None:
    config, count, others = BODIES[name]
    network = trace(build_network(config, seed=1).eval(), name)
    body = body_layers(network)
    assert len(body) == count
    assert set(network.layer_names()) - set(body) == others


def graph_of(network: FloatNetwork, bits: str = "w4a4", method: str = "dfsq") -> Graph:
    calibration = Calibration(network, [picture(40, 50, seed=7)])
    return method_named(method).quantize(network, BitPolicy.parse(bits), calibration).graph()


def nodes_of(graph: Graph, kind: type) -> list[Node]:
    return [node for node in graph.nodes if isinstance(node.operator, kind)]


def test_the_second_convolution_of_a_block_has_no_means() -> None:
    graph = graph_of(trace(edsr(blocks=2, channels=4)))
    centred = {
        node.name: node.operator.is_centred  # type: ignore[union-attr]
        for node in nodes_of(graph, ScaledConvolution)
    }
    assert centred == {
        "body.0.body.0": True,
        "body.0.body.2": False,
        "body.1.body.0": True,
        "body.1.body.2": False,
    }


def test_dense_layers_and_those_behind_a_prelu_have_means() -> None:
    for config in (RDNConfig(2, 2, 2, 4, 2), SRResNetConfig(1, 4, 2)):
        graph = graph_of(trace(build_network(config, seed=1).eval()))
        found = nodes_of(graph, ScaledConvolution)
        assert len(found) == (2 * 3 + 2 if isinstance(config, RDNConfig) else 2)
        assert all(node.operator.is_centred for node in found)  # type: ignore[union-attr]


def test_maps_that_several_layers_read_are_summarized_once() -> None:
    """Each of 4 body convolutions reads its own map here; none is summarized twice."""
    graph = graph_of(trace(edsr(blocks=2, channels=4)))
    for kind in (Statistics, Normalization, Encode):
        assert len(nodes_of(graph, kind)) == 4
    assert len({node.inputs for node in nodes_of(graph, Statistics)}) == 4


FAMILIES = (EDSRConfig(1, 4, 2), SRResNetConfig(1, 4, 2), RDNConfig(2, 2, 2, 4, 2))


def with_placement(graph: Graph, placement: str) -> Graph:
    """The graph with its factors multiplied elsewhere."""
    nodes = [
        replace(node, operator=replace(node.operator, placement=placement))
        if isinstance(node.operator, ScaledConvolution)
        else node
        for node in graph.nodes
    ]
    return Graph.build(graph.name, nodes, graph.output)


@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: type(config).__name__)
@pytest.mark.parametrize("bits", ["w8a8", "w3a3"])
def test_the_machine_computes_every_family(config: NetworkConfig, bits: str) -> None:
    graph = graph_of(trace(build_network(config, seed=1).eval()), bits)
    accelerator, image = machine(), picture(11, 12).astype(np.int32)
    for placement in PLACEMENTS:
        placed = with_placement(graph, placement)
        output = simulate(placed, accelerator, prices(accelerator), image).output
        assert compare(output, graph, image, REFERENCE).mismatches == 0


def test_the_placement_of_the_option_is_that_of_the_graph() -> None:
    graph = graph_of(trace(edsr(blocks=1, channels=2)), method="dfsq:placement=weights")
    found = nodes_of(graph, ScaledConvolution)
    assert {node.operator.placement for node in found} == {"weights"}  # type: ignore[union-attr]


@pytest.mark.parametrize("bits", ["w8a8", "w4a4"])
@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: type(config).__name__)
def test_codes_differ_from_float64_at_ties_and_roundings_of_reciprocals_only(
    config: NetworkConfig, bits: str
) -> None:
    network = trace(build_network(config, seed=1).eval())
    calibration = Calibration(network, [picture(40, 50, seed=7)])
    quantized = method_named("dfsq").quantize(network, BitPolicy.parse(bits), calibration)
    graph = quantized.graph()
    kinds = {node.name: type(node.operator) for node in graph.nodes}
    multiplier_bits = 14  # least there are here; sums are up to 48 bits wide
    limits = {
        Statistics: 0.0,
        Normalization: 0.0,
        Encode: 2.0**-16,  # of the reach
        ScaledConvolution: 2.0 ** (15 - multiplier_bits),  # of a 16-bit code
    }
    for found in fidelity(graph, quantized.execution(), picture(13, 14), KERNELS):
        assert found.farthest <= limits.get(kinds[found.name], 1e-4), found
        assert found.largest <= 1, found
        assert found.differing <= found.values // 20, found


def test_the_published_arithmetic_in_the_oracle() -> None:
    """One layer's input: the authors' formulas against the plan's codes, decoded."""
    network = trace(edsr(blocks=1, channels=4))
    calibration = Calibration(network, [picture(40, 50, seed=7)])
    quantized = method_named("dfsq").quantize(network, W4A4, calibration)
    name = "body.0.body.0"
    points, wide = quantized.encodings.points[name], quantized.encodings.inputs[name]
    codes = np.random.default_rng(1).integers(-9000, 9000, (20, 21, points.points.shape[0]))
    factors = reference.normalization(reference.summary(codes), True)
    found = reference.encode(codes, factors, nearest_point_thresholds(points.points))
    decoded = wide.scale / 1024 * reference.scaled_operands(found, factors, points.points, True)
    expected = quantized_input(
        torch.from_numpy(wide.scale * codes).permute(2, 0, 1)[None],
        torch.from_numpy(points.points) / 1024,
        is_rectified=False,
    )
    differing = np.abs(decoded - expected[0].permute(1, 2, 0).numpy()) > 1.5 * wide.scale
    assert differing.mean() < 0.001  # means of codes are rounded, which tips few values


def test_trained_weights_against_the_published_arithmetic() -> None:
    """PSNR of the integers, of the same plan in float64, and with all else in real numbers."""
    network = trace(load_network("edsr_tiny_x2"))
    photographs = calibration_photographs(2)
    calibration = Calibration(network, photographs[:3])
    quantized = Dfsq().quantize(network, W4A4, calibration)
    graph = quantized.graph()
    original = photographs[3][:96, :96]
    image = bicubic_downscale(original, 2)
    pictures = (
        run_layerwise(graph, image.astype(np.int32), KERNELS).astype(np.uint8),
        quantized.execution().picture(image),
        published_picture(quantized, image),
    )
    integers, oracle, published = (luma_psnr_db(original, picture, 2) for picture in pictures)
    assert abs(integers - oracle) <= 0.02
    assert abs(integers - published) <= 0.05
    plain = method_named("minmax").quantize(network, W4A4, calibration).graph()
    minmax = run_layerwise(plain, image.astype(np.int32), KERNELS).astype(np.uint8)
    assert integers > luma_psnr_db(original, minmax, 2) + 1


def test_patches_are_seeded_and_cut_to_small_pictures() -> None:
    images = [picture(60, 70, seed=1), picture(20, 90, seed=2)]
    patches = patches_of(images, 3)
    assert len(patches) == PATCHES
    assert {tuple(sorted(patch.shape[:2])) for patch in patches} == {(48, 48), (20, 48)}
    assert all((a == b).all() for a, b in zip(patches, patches_of(images, 3), strict=True))
    assert any(
        a.shape != b.shape or (a != b).any()
        for a, b in zip(patches, patches_of(images, 4), strict=True)
    )


def test_histograms_hold_every_value_once_and_reach_both_ends() -> None:
    network = trace(edsr(blocks=1, channels=4))
    layers = {"body.0.body.0": True, "body.0.body.2": False}
    images = [picture(20, 21, seed=1), picture(20, 21, seed=2)]
    found = normalized_histograms(network, layers, images)
    for name, of_layer in found.items():
        assert of_layer.shape == (4, BINS)
        assert (of_layer.sum(axis=1) == 2 * 20 * 21).all()
        ends = (
            of_layer[:, : 2 if layers[name] else BINS_PER_UNIT].sum(axis=1),
            of_layer[:, -2:].sum(axis=1),
        )
        assert ((ends[0] + ends[1]) >= 2).all() if layers[name] else not ends[0].any()


def test_options() -> None:
    assert method_named("dfsq") == Dfsq()
    method = method_named("dfsq:placement=weights,selection=kmeans,seed=3")
    assert method == Dfsq("weights", "kmeans", 3)
    assert str(method) == "dfsq:placement=weights,selection=kmeans,seed=3"
    assert str(Dfsq()) == "dfsq"
    with pytest.raises(UserError, match="expected one of partial_sums, activations, weights"):
        method_named("dfsq:placement=outputs")


def test_the_selection_of_the_authors_depends_on_the_seed() -> None:
    network = trace(edsr(blocks=1, channels=2))
    tables = []
    for seed in (0, 0, 1):
        calibration = Calibration(network, [picture(40, 50, seed=7)])
        method = Dfsq(selection="kmeans", seed=seed)
        found = method.quantize(network, W4A4, calibration).encodings.points
        tables.append(np.concatenate([encoding.points.ravel() for encoding in found.values()]))
    assert (tables[0] == tables[1]).all()
    assert (tables[0] != tables[2]).any()


def test_codes_of_more_than_eight_bits_are_refused() -> None:
    with pytest.raises(UserError) as raised:
        graph_of(trace(edsr(blocks=1, channels=4)), "w8a9")
    assert str(raised.value) == (
        "method dfsq, layer 'body.0.body.0': expected at most 8 bits, as its set has 377 points, "
        "given w8a9; give the layer fewer"
    )


def test_layers_outside_the_body_have_eight_bits_at_least() -> None:
    network = trace(edsr(blocks=1, channels=4))
    graph = graph_of(network, "w3a3/all")
    types = {node.name: node.output.integer for node in graph.nodes}
    by_name = network.by_name()
    for name in network.layer_names():
        node = graph.node(name)
        bits = types[node.inputs[0]].bits
        assert isinstance(by_name[name].operator, FloatConvolution)
        assert bits == (3 if name.startswith("body.0") else 8)


def test_a_graph_of_the_method_comes_back_from_its_file(tmp_path: Path) -> None:
    from quant.graph import load_graph, save_graph

    graph, image = graph_of(trace(edsr(blocks=1, channels=4))), picture(9, 10).astype(np.int32)
    save_graph(graph, tmp_path / "a.hwgraph")
    loaded = load_graph(tmp_path / "a.hwgraph")
    assert (run_layerwise(loaded, image, KERNELS) == run_layerwise(graph, image, KERNELS)).all()
