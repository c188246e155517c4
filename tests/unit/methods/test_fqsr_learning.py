"""FQSR learns: the same bits after an interruption, files that come back, errors of files."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from quant.common.errors import UserError
from quant.graph import Convolution, save_graph
from quant.lowering import FloatNetwork
from quant.lowering.trace import trace
from quant.methods import Calibration, method_named
from quant.methods.fqsr import Fqsr
from quant.methods.fqsr.fake_quantized import WARM_UP_CALLS, FakeQuantized, Grids
from quant.methods.fqsr.layer_map import layer_map
from quant.methods.fqsr.learner import QUANTIZATION_LOSS, FqsrLearner
from quant.methods.fqsr.parameters import learned_tensors, take_over
from quant.methods.fqsr.rewriting import with_slopes
from quant.methods.learning.learned import load_learned, save_learned
from quant.methods.learning.pictures import Pictures
from quant.methods.learning.schedule import Schedule
from quant.methods.learning.training import learn_to_file
from quant.policy import BitPolicy
from tests.unit.lowering.small_networks import edsr, picture

POLICY = BitPolicy.parse("w4a4")
ITERATIONS = WARM_UP_CALLS + 5


def network() -> FloatNetwork:
    return trace(edsr(blocks=1, channels=4), "small")


def pictures() -> Pictures:
    return Pictures.of([picture(40, 40, seed=seed) for seed in range(2)], 2, "calibration")


def schedule(iterations: int = ITERATIONS) -> Schedule:
    return Schedule(iterations, batch=2, patch=8, learning_rate=1e-3)


def untrained() -> FakeQuantized:
    chosen = layer_map(network(), "paper")
    bits = POLICY.resolve(network().layer_names())
    return FakeQuantized(with_slopes(network()), Grids(chosen, bits, 8))


def test_an_interrupted_run_ends_with_the_same_bits(tmp_path: Path) -> None:
    method = Fqsr(relative=10)
    whole = method.learn(network(), POLICY, pictures(), schedule())
    checkpoint = tmp_path / "checkpoint.pt"

    def interrupt(done: int, _total: int, _loss: float) -> None:
        if done == WARM_UP_CALLS + 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        method.learn(network(), POLICY, pictures(), schedule(), checkpoint, interrupt)
    again = method.learn(network(), POLICY, pictures(), schedule(), checkpoint)
    assert whole.tensors.keys() == again.tensors.keys()
    for name, values in whole.tensors.items():
        np.testing.assert_array_equal(values, again.tensors[name], err_msg=name)
    with pytest.raises(UserError) as raised:
        Fqsr().learn(network(), POLICY, pictures(), schedule(), checkpoint)
    assert str(raised.value) == (
        f"{checkpoint}: the checkpoint is of another run: expected method fqsr, found "
        "fqsr:relative=10; repeat the first command's settings or choose another output folder"
    )


def test_everything_is_trained_and_the_loss_falls() -> None:
    trained = untrained()
    before = {name: values.copy() for name, values in learned_tensors(trained).items()}
    learner = FqsrLearner(trained, pictures(), schedule(60), relative_rate=10.0)
    losses = [float(learner.step(iteration)) for iteration in range(60)]
    after = learned_tensors(trained)
    unchanged = [name for name in before if np.array_equal(before[name], after[name])]
    assert unchanged == []
    assert np.mean(losses[-10:]) < np.mean(losses[WARM_UP_CALLS : WARM_UP_CALLS + 10])


def test_the_loss_is_pixels_and_three_tenths_of_every_quantizers_error() -> None:
    trained = untrained()
    trained.calibrate([picture(16, 16, seed=seed) for seed in range(WARM_UP_CALLS)])
    learner = FqsrLearner(trained, pictures(), schedule(10))
    low, high = pictures().batch(0, seed=1, batch=2, patch=8)
    with torch.no_grad():
        enlarged, quantization = trained(low)
        expected = (enlarged - high).abs().mean() + QUANTIZATION_LOSS * quantization
        assert float(quantization) > 0
    assert float(learner.step(0)) == pytest.approx(float(expected), rel=1e-6)


def test_rates_fall_along_a_cosine_and_intervals_can_have_their_own() -> None:
    trained = untrained()
    learner = FqsrLearner(trained, pictures(), schedule(40), relative_rate=10.0)
    for iteration in range(WARM_UP_CALLS):
        learner.step(iteration)
    before = [float(quantizer.reach.detach()) for quantizer in trained.quantizers_in_order()]
    learner.step(WARM_UP_CALLS)
    groups = learner.state()["optimizer"]["param_groups"]
    assert groups[0]["lr"] == pytest.approx(1e-3 / 2)  # half-way
    assert [group["lr"] for group in groups[1:]] == pytest.approx(
        [1e-3 / 2 * 10 * reach for reach in before]
    )


def test_a_file_in_half_precision_gives_the_same_graph(tmp_path: Path) -> None:
    learned = Fqsr().learn(network(), POLICY, pictures(), schedule())
    calibration = Calibration(network(), [picture(24, 24)])
    graphs = []
    for half in (False, True):
        path = tmp_path / f"{half}.safetensors"
        save_learned(path, learned, half=half)
        method = method_named(f"fqsr:learned={path}")
        graph = method.quantize(network(), POLICY, calibration).graph()
        assert graph.metadata["learned"].startswith(f"{ITERATIONS} updates")
        graphs.append(graph)
    for one, other in zip(graphs[0].nodes, graphs[1].nodes, strict=True):
        if isinstance(one.operator, Convolution):
            assert isinstance(other.operator, Convolution)
            np.testing.assert_array_equal(one.operator.weight, other.operator.weight)
            np.testing.assert_array_equal(one.operator.bias, other.operator.bias)


def test_updates_on_the_calibration_pictures(tmp_path: Path) -> None:
    calibration = Calibration(network(), [picture(24, 24, seed=seed) for seed in range(2)])
    contents = []
    for text in ("fqsr", f"fqsr:iterations={WARM_UP_CALLS + 1}"):
        path = tmp_path / text.replace(":", "_")
        save_graph(method_named(text).quantize(network(), POLICY, calibration).graph(), path)
        contents.append(path.read_bytes())
    assert contents[0] != contents[1]


def test_what_is_learned_goes_to_a_file_with_its_record(tmp_path: Path) -> None:
    path = tmp_path / "small_fqsr_w4a4.safetensors"
    learn_to_file(network(), Fqsr(), POLICY, pictures(), schedule(2), path)
    read = load_learned(path)
    assert read.method == "fqsr"
    assert read.provenance["updates"] == 2
    assert read.provenance["images"] == ["calibration"]


def test_a_file_for_other_options_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "learned.safetensors"
    save_learned(path, Fqsr("released").learn(network(), POLICY, pictures(), schedule(1)))
    calibration = Calibration(network(), [picture(24, 24)])
    with pytest.raises(UserError) as raised:
        Fqsr(learned=str(path)).quantize(network(), POLICY, calibration)
    assert str(raised.value) == (
        f"{path}: expected parameters learned for method fqsr, found fqsr:preset=released; choose "
        "the method, bits and weights they were learned with"
    )
    Fqsr("released", learned=str(path), relative=5).quantize(network(), POLICY, calibration)


def test_no_updates_are_a_calibration() -> None:
    learned = Fqsr().learn(network(), POLICY, pictures(), schedule(0))
    trained = untrained()
    trained.calibrate([pair.low for pair in pictures().pairs])
    for name, values in learned_tensors(trained).items():
        np.testing.assert_array_equal(learned.tensors[name], values)


def test_tensors_that_do_not_fit_are_named() -> None:
    trained = untrained()
    trained.calibrate([picture(16, 16)])
    tensors = learned_tensors(trained)
    with pytest.raises(UserError) as raised:
        take_over(trained, {name: tensors[name] for name in tensors if name != "bias/head.0"})
    assert str(raised.value) == (
        "method fqsr: expected the learned tensor 'bias/head.0' of shape (4,), found none; learn "
        "the parameters again with hwsim train --method fqsr"
    )
    with pytest.raises(UserError) as raised:
        take_over(trained, tensors | {"ot/head.0": np.float32([0])})
    assert str(raised.value) == (
        "method fqsr: expected the learned tensor 'ot/head.0' above 0, found none; learn the "
        "parameters again with hwsim train --method fqsr"
    )


def test_a_network_that_overflows_says_so() -> None:
    module = edsr(blocks=1, channels=4)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1e30)
    trained = trace(module, "small")
    with pytest.raises(UserError) as raised:
        Fqsr().quantize(trained, POLICY, Calibration(trained, [picture(16, 16)]))
    assert str(raised.value) == (
        "method fqsr: expected finite values of 'fm/body.0.body.0' on the calibration images, "
        "found an overflow; train the network again or give other weights"
    )


def test_without_pictures_there_is_nothing_to_calibrate_on() -> None:
    with pytest.raises(UserError) as raised:
        Fqsr().quantize(network(), POLICY, Calibration(network(), []))
    assert str(raised.value) == "calibration: expected at least one image, got none; give some"
