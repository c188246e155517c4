"""Whole networks by ODM: integers against reals, the machine against the reference, learning."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hwsim.cli import main
from hwsim.fidelity import fidelity
from hwsim.machine import KERNELS, REFERENCE
from hwsim.simulation import compare, simulate
from quant.common.codes import CodeKind
from quant.common.errors import UserError
from quant.graph import Convolution, Requantize
from quant.graph.bits import counted_layers
from quant.imaging.files import write_png
from quant.lowering.execution import Execution
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import FloatAffine, FloatConvolution
from quant.lowering.trace import trace
from quant.methods import Calibration, method_named
from quant.methods.body_layers import body_layers
from quant.methods.learning.learned import (
    Learned,
    Tensors,
    fingerprint,
    load_learned,
    save_learned,
)
from quant.methods.learning.pictures import Pictures
from quant.methods.learning.schedule import Schedule
from quant.methods.odm import Odm
from quant.methods.odm.calibrated import calibrated, tensors_of
from quant.methods.odm.encodings import encode
from quant.methods.odm.offsets import with_offsets
from quant.methods.odm.parameters import BodyLayer, body_parameters
from quant.networks import load_network
from quant.networks.build import build_network
from quant.networks.config import NetworkConfig, RDNConfig, SRResNetConfig
from quant.policy import BitPolicy
from tests.machines import machine, prices
from tests.unit.lowering.small_networks import edsr, picture

POLICY = BitPolicy.parse("w4a4")
NEAR = 1e-6
"""Of a code: what fixed-point multipliers may move a sum that lies in the middle of two."""


def small(config: NetworkConfig) -> FloatNetwork:
    return trace(build_network(config, seed=1).eval(), type(config).__name__)


def families() -> dict[str, FloatNetwork]:
    return {
        "edsr": trace(load_network("edsr_tiny_x2"), "edsr_tiny_x2"),
        "srresnet": small(SRResNetConfig(blocks=2, channels=8, scale=2)),
        "rdn": small(RDNConfig(blocks=2, layers=2, growth=8, channels=8, scale=2)),
    }


def disturbed(method: str, network: FloatNetwork, policy: BitPolicy = POLICY) -> Tensors:
    """What calibration gives, with offsets that do something, as learning would leave them."""
    calibration = Calibration(network, [picture(40, 44, seed=5)])
    chosen = method_named(method)
    assert isinstance(chosen, Odm)
    generator, tensors = np.random.default_rng(0), {}
    for name, values in calibrated(chosen, network, policy, calibration).tensors.items():
        tensors[name] = values
        span = max(float(np.abs(values).max()), 1.0)
        if name.endswith("/shift"):
            tensors[name] = values + generator.normal(0, 5 * span, values.shape)
        if name.endswith("/scale"):
            tensors[name] = values * generator.uniform(0.5, 1.6, values.shape)
    return tensors


@pytest.mark.parametrize("method", ["odm", "odm-v2"])
@pytest.mark.parametrize("family", ["edsr", "srresnet", "rdn"])
def test_integers_differ_from_reals_at_ties_only_and_the_machine_not_at_all(
    family: str, method: str, tmp_path: Path
) -> None:
    network = families()[family]
    path = tmp_path / "learned.safetensors"
    learned = Learned(
        disturbed(method, network), method, POLICY.to_yaml(), fingerprint(network), {}
    )
    save_learned(path, learned)
    quantized = method_named(f"{method}:learned={path}").quantize(
        network, POLICY, Calibration(network, [picture(40, 44, seed=5)])
    )
    graph, image = quantized.graph(), picture(14, 13)
    for found in fidelity(graph, quantized.execution(), image, KERNELS):
        assert found.farthest < NEAR, found
        assert found.largest <= 1, found
    body = body_layers(network)
    for name in body:
        layer = graph.node(name).operator
        assert isinstance(layer, Convolution)
        assert layer.weight_type.kind is CodeKind.ODD
        assert layer.weight_type.bits == 4
        assert graph.node(graph.node(name).inputs[0]).output.integer.bits == 4
    offsets = [n.operator for n in graph.nodes if n.name.endswith(".offset")]
    assert bool(offsets) == (method == "odm")
    assert all(isinstance(operator, Requantize) for operator in offsets)
    accelerator, codes = machine(), image.astype(np.int32)
    output = simulate(graph, accelerator, prices(accelerator), codes).output
    assert compare(output, graph, codes, REFERENCE).mismatches == 0


@pytest.mark.parametrize("family", ["edsr", "srresnet", "rdn"])
def test_offsets_in_the_network_are_those_in_front_of_the_layers(family: str) -> None:
    """Nothing but where the offset is computed changes: the float networks give one picture."""
    network = families()[family]
    body = body_parameters(network, disturbed("odm", network))
    assert any(layer.shift is not None for layer in body.values())
    placed = with_offsets(network, body)
    explicit = network
    for name, layer in body.items():
        if layer.shift is not None or layer.scale is not None:
            reader = explicit.by_name()[name]
            affine = FloatAffine(
                np.ones(1) if layer.scale is None else layer.scale,
                np.zeros(1) if layer.shift is None else layer.shift,
            )
            node = replace(reader, name=f"{name}.explicit", operator=affine)
            explicit = explicit.rewritten([node, replace(reader, inputs=(node.name,))])
    image = picture(12, 11)
    expected = Execution(explicit, torch.float64).picture(image)
    found = Execution(placed.network, torch.float64).picture(image)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    affine_nodes = [n for n in placed.network.nodes if isinstance(n.operator, FloatAffine)]
    count = sum(layer.shift is not None or layer.scale is not None for layer in body.values())
    assert len(affine_nodes) < count or family != "edsr"  # EDSR's scales behind ReLUs fold


def test_an_offset_joins_a_convolution_if_its_clamp_allows() -> None:
    network = trace(edsr(blocks=1, channels=4))
    producer, reader = "body.0.body.0", "body.0.body.2"
    values = np.array([0.5, 2.0, 1.0, 3.0])
    scaled = with_offsets(network, {reader: BodyLayer(0.0, 1.0, 1.0, scale=values)})
    assert scaled.factors[producer].tolist() == values.tolist()
    assert scaled.network.by_name()[reader].inputs == (producer,)
    shifted = with_offsets(network, {reader: BodyLayer(0.0, 1.0, 1.0, shift=values)})
    assert shifted.network.by_name()[reader].inputs == (f"{reader}.offset",)
    operator = network.by_name()[producer].operator
    assert isinstance(operator, FloatConvolution)
    free = replace(operator, clamp=(-np.inf, np.inf))
    open_network = network.rewritten([replace(network.by_name()[producer], operator=free)])
    joined = with_offsets(open_network, {reader: BodyLayer(0.0, 1.0, 1.0, shift=values)})
    found = joined.network.by_name()[producer].operator
    assert isinstance(found, FloatConvolution)
    np.testing.assert_allclose(found.bias, operator.bias + values)
    assert not joined.factors


def test_a_factor_that_joined_a_layer_leaves_its_integers() -> None:
    network = trace(edsr(blocks=1, channels=4))
    tensors = dict(disturbed("odm:offsets=no", network))
    images = tensors_of([picture(20, 20)])
    plain = encode(network, tensors, POLICY, images, "half_up").encodings
    tensors["body.0.body.2/scale"] = np.array([0.5, 2.0, 1.0, 3.0])
    scaled = encode(network, tensors, POLICY, images, "half_up").encodings
    one, other = (found.weights["body.0.body.0"] for found in (plain, scaled))
    np.testing.assert_array_equal(one.weight, other.weight)
    np.testing.assert_allclose(other.scale, one.scale * tensors["body.0.body.2/scale"])


def test_calibration_alone_has_layers_elsewhere_at_eight_bits_and_says_what_was_asked() -> None:
    network = trace(edsr(blocks=1), "small")
    calibration = Calibration(network, [picture(40, 44)])
    quantized = method_named("odm-v2").quantize(network, POLICY, calibration)
    graph = quantized.graph()
    assert graph.metadata["method"] == "odm-v2"
    assert graph.metadata["bits"] == "w4a4"
    assert counted_layers(graph.metadata) == set(body_layers(network))
    for name in set(network.layer_names()) - set(body_layers(network)):
        layer = graph.node(name).operator
        assert isinstance(layer, Convolution)
        assert layer.weight_type.bits == 8


def pictures() -> Pictures:
    return Pictures.of([picture(64, 60, seed=n) for n in range(2)], 2, "test")


def learned_tensors(
    method: str, network: FloatNetwork, schedule: Schedule, checkpoint: Path | None = None
) -> Learned:
    chosen = method_named(method)
    assert isinstance(chosen, Odm)
    return chosen.learn(network, POLICY, pictures(), schedule, checkpoint)


@pytest.mark.parametrize("method", ["odm", "odm-v2"])
def test_an_interrupted_run_ends_with_the_same_bits(method: str, tmp_path: Path) -> None:
    network = trace(edsr(blocks=1, channels=4), "small")
    schedule = Schedule(iterations=4, batch=2, patch=10, learning_rate=1e-3, device="cpu")
    whole = learned_tensors(method, network, schedule)
    checkpoint = tmp_path / "checkpoint.pt"
    chosen = method_named(method)
    assert isinstance(chosen, Odm)

    def interrupt(done: int, _total: int, _loss: float) -> None:
        if done == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        chosen.learn(network, POLICY, pictures(), schedule, checkpoint, interrupt)
    resumed = learned_tensors(method, network, schedule, checkpoint)
    assert resumed.tensors.keys() == whole.tensors.keys()
    for name, values in whole.tensors.items():
        np.testing.assert_array_equal(resumed.tensors[name], values, err_msg=name)
    assert resumed.provenance == whole.provenance
    assert 0 < float(str(whole.provenance["mean_opposed_share"])) < 1
    assert 0 < float(str(whole.provenance["mean_similarity"])) < 1


@pytest.mark.parametrize(
    "method", ["odm-v2", "odm-v2:cooperation=none,wcc=no", "odm:cooperation=naive", "odm-v2:ste"]
)
def test_learning_lowers_the_loss_and_changes_every_kind_of_parameter(method: str) -> None:
    network = small(SRResNetConfig(blocks=1, channels=4, scale=2))
    losses: list[float] = []
    chosen = method_named(method)
    assert isinstance(chosen, Odm)
    schedule = Schedule(iterations=12, batch=4, patch=12, learning_rate=1e-3)
    learned = chosen.learn(
        network, POLICY, pictures(), schedule, tell=lambda _done, _all, loss: losses.append(loss)
    )
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    start = calibrated(chosen, network, POLICY, Calibration(network, [picture(32, 32)]))
    assert start.tensors.keys() == learned.tensors.keys()
    for name, values in start.tensors.items():
        assert not np.array_equal(learned.tensors[name], values), name
    assert learned.method == chosen.variant


def test_bfloat16_learns_much_the_same() -> None:
    network = trace(edsr(blocks=1, channels=4), "small")
    schedule = Schedule(iterations=2, batch=2, patch=10)
    full, half = (
        learned_tensors("odm-v2", network, replace(schedule, bfloat16=bfloat16)).tensors
        for bfloat16 in (False, True)
    )
    for name, values in full.items():
        np.testing.assert_allclose(half[name], values, atol=5e-3, err_msg=name)


def test_parameters_that_are_missing_are_named() -> None:
    network = trace(edsr(blocks=1), "small")
    tensors = dict(disturbed("odm-v2", network))
    del tensors["body.0.body.2/reach"]
    with pytest.raises(UserError) as raised:
        encode(network, tensors, POLICY, tensors_of([picture()]), "half_up")
    assert str(raised.value) == (
        "learned parameters: expected 'body.0.body.2/reach' of shape (1,), found none; make them "
        "with hwsim train --method"
    )


def test_pictures_too_small_to_learn_from_are_refused() -> None:
    network = trace(edsr(blocks=1), "small")
    with pytest.raises(UserError) as raised:
        method_named("odm-v2:iterations=1").quantize(
            network, POLICY, Calibration(network, [picture(14, 40)])
        )
    assert str(raised.value) == ("learning: patch must be at least 8, got 7; correct it")


@pytest.mark.parametrize("method", ["odm", "odm-v2"])
def test_the_command_line_trains_and_runs_what_was_learned(
    method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(2):
        write_png(folder / f"{n}.png", picture(40, 40, seed=n))
    trained = main(
        ["train", "edsr_tiny_x2", "--method", method, "--bits", "w4a4", "--images", str(folder),
         "--out", str(tmp_path / "out"), "--iterations", "1", "--batch", "4", "--patch", "8",
         "--device", "cpu", "--quiet"]
    )  # fmt: skip
    path = tmp_path / "out" / f"edsr_tiny_x2_{method}_w4a4.safetensors"
    assert trained == 0
    assert capsys.readouterr().out == f"{path}: 1 iterations\n"
    learned = load_learned(path)
    assert learned.method == method
    assert learned.provenance["device"] == "cpu"
    network = trace(load_network("edsr_tiny_x2"), "edsr_tiny_x2")
    found = method_named(f"{method}:learned={path}").quantize(
        network, POLICY, Calibration(network, [picture()])
    )
    assert found.graph().metadata["method"] == f"{method}:learned={path}"
    other = BitPolicy.parse("w2a2")
    with pytest.raises(UserError) as raised:
        method_named(f"{method}:learned={path}").quantize(
            network, other, Calibration(network, [picture()])
        )
    assert str(raised.value).startswith(f"{path}: expected parameters learned for policy ")
