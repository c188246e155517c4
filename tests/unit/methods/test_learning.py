"""What methods that learn share: quantizers, the trainable network, the loop, files."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from quant.common.errors import UserError
from quant.lowering.execution import Execution
from quant.lowering.trace import trace
from quant.methods import Calibration, MinMax, method_named
from quant.methods.learning.learned import (
    Learned,
    fingerprint,
    load_learned,
    require_fitting,
    save_learned,
)
from quant.methods.learning.loop import learn
from quant.methods.learning.quantizers import asymmetric, half_range, mid_rise
from quant.methods.learning.trainable_network import Places, TrainableNetwork
from quant.methods.learning.training import learning_method
from quant.policy import BitPolicy
from tests.unit.lowering.small_networks import edsr, picture


def test_asymmetric_grid_and_gradients_follow_the_formulas() -> None:
    low, high = torch.tensor(-1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
    values = torch.tensor([-3.0, -0.6, 0.4, 1.3, 5.0], requires_grad=True)
    quantized = asymmetric(values, low, high, 3.0)
    assert quantized.tolist() == pytest.approx([-1.0, -1.0, 0.0, 1.0, 2.0])
    places = (values.detach().clamp(-1, 2) + 1) / 3
    error = (places * 3).round() / 3 - places
    for position in range(5):
        grads = torch.autograd.grad(quantized[position], (values, low, high), retain_graph=True)
        inside = -1 < float(values[position].detach()) < 2
        assert float(grads[0][position]) == pytest.approx(float(inside))
        expected_low = -float(error[position]) if inside else float(values.detach()[position] <= -1)
        expected_high = float(error[position]) if inside else float(values.detach()[position] >= 2)
        assert float(grads[1]) == pytest.approx(expected_low, abs=1e-6)
        assert float(grads[2]) == pytest.approx(expected_high, abs=1e-6)


def test_one_range_for_all_values_is_computed_as_a_range_for_each() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(3, 4, 5, generator=generator) * 2
    weights = torch.randn(3, 4, 5, generator=generator)
    found = []
    for levels in (7.0, torch.tensor(7.0)):  # the latter takes the general way
        low, high = torch.tensor(-1.3, requires_grad=True), torch.tensor(2.1, requires_grad=True)
        leaf = values.clone().requires_grad_()
        quantized = asymmetric(leaf, low, high, levels)
        (quantized * weights).sum().backward()  # type: ignore[no-untyped-call]
        found.append((quantized, leaf.grad, low.grad, high.grad))
    for one, other in zip(*found, strict=True):
        assert one is not None
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_mid_rise_has_no_zero_and_its_reach_learns_from_the_error() -> None:
    reach = torch.tensor(1.5, requires_grad=True)
    values = torch.tensor([-9.0, -0.1, 0.0, 0.4, 1.4, 7.0])
    quantized = mid_rise(values, reach, 3.0)
    # Halves to even: the place of 0 is 1.5, which becomes 2.
    assert quantized.tolist() == pytest.approx([-1.5, -0.5, 0.5, 0.5, 1.5, 1.5])
    for position, value in enumerate(values.tolist()):
        (gradient,) = torch.autograd.grad(quantized[position], reach, retain_graph=True)
        inside = float(quantized[position].detach() - value) / 1.5
        expected = inside if abs(value) < 1.5 else np.sign(value)
        assert float(gradient) == pytest.approx(expected, abs=1e-6)


def test_half_range_gives_nothing_back_below_zero() -> None:
    reach = torch.tensor(3.0, requires_grad=True)
    values = torch.tensor([-1.0, 0.4, 2.6, 8.0])
    quantized = half_range(values, reach, 3.0)
    assert quantized.tolist() == pytest.approx([0.0, 0.0, 3.0, 3.0])
    gradients = [
        float(torch.autograd.grad(quantized[i], reach, retain_graph=True)[0]) for i in range(4)
    ]
    assert gradients == pytest.approx([0.0, -0.4 / 3, 0.4 / 3, 1.0], abs=1e-6)


def test_trainable_network_is_the_float_network_until_it_is_trained() -> None:
    network = trace(edsr(blocks=2))
    trainable = TrainableNetwork(network, Places())
    image = picture(11, 13)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    seen: list[str] = []
    result = trainable(pixels, on_map=lambda name, _: seen.append(name))
    torch.testing.assert_close(result, Execution(network).picture(image))
    assert seen == [node.name for node in network.nodes]
    assert fingerprint(trainable.trained_network()) == fingerprint(network)
    layer = network.layer_names()[1]
    with torch.no_grad():
        trainable.layer_weights()[layer].mul_(2)
    changed = trainable.trained_network()
    np.testing.assert_allclose(
        changed.by_name()[layer].operator.weight,  # type: ignore[union-attr]
        2 * network.by_name()[layer].operator.weight,  # type: ignore[union-attr]
        rtol=1e-6,
    )
    assert fingerprint(changed) != fingerprint(network)


def test_quantizers_act_at_their_places_and_pads_can_come_first() -> None:
    network = trace(edsr(blocks=1))
    layer = network.layer_names()[1]
    shapes: list[tuple[int, ...]] = []

    def note(values: Tensor) -> Tensor:
        shapes.append(tuple(values.shape))
        return values

    pixels = torch.zeros(1, 3, 5, 6)
    for pads_first, side in ((False, (5, 6)), (True, (7, 8))):
        places = Places(inputs={layer: note}, pads_first=pads_first)
        TrainableNetwork(network, places)(pixels)
        assert shapes.pop()[2:] == side
    places = Places(inputs={layer: note}, weights={layer: note}, operands={"body.0.add": note})
    TrainableNetwork(network, places)(pixels)
    assert len(shapes) == 4
    TrainableNetwork(network, places)(pixels, quantized=False)
    assert len(shapes) == 4


class _Descent:
    """Learns a number, with noise that depends on the iteration."""

    iterations = 6

    def __init__(self) -> None:
        self.value = torch.tensor(4.0)

    def step(self, iteration: int) -> Tensor:
        self.value = self.value - 0.1 * self.value + 0.01 * iteration
        return self.value**2

    def state(self) -> dict[str, Any]:
        return {"value": self.value}

    def restore(self, state: dict[str, Any]) -> None:
        self.value = state["value"]


def test_an_interrupted_run_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole = _Descent()
    learn(whole, {"run": "a"})
    checkpoint = tmp_path / "checkpoint.pt"

    def interrupt(done: int, _total: int, _loss: float) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        learn(_Descent(), {"run": "a"}, checkpoint, interrupt)
    second = _Descent()
    learn(second, {"run": "a"}, checkpoint)
    assert second.value == whole.value
    with pytest.raises(UserError) as raised:
        learn(_Descent(), {"run": "b"}, checkpoint)
    assert str(raised.value) == (
        f"{checkpoint}: the checkpoint is of another run: expected run b, found a; repeat the "
        "first command's settings or choose another output folder"
    )
    checkpoint.write_bytes(b"PK")
    with pytest.raises(UserError) as raised:
        learn(_Descent(), {"run": "a"}, checkpoint)
    assert str(raised.value) == (
        f"{checkpoint}: expected a checkpoint of a quantization method, found a damaged file or "
        "one of another kind; move it away to start afresh"
    )


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    learner = _Descent()
    learner.value = torch.tensor(float("nan"))
    with pytest.raises(UserError) as raised:
        learn(learner, {}, tell=lambda *_: None)
    assert str(raised.value) == (
        "learning diverged at update 1: expected a finite loss, got nan; lower the learning rate "
        "or give more bits"
    )


def test_learned_parameters_come_back_from_their_file(tmp_path: Path) -> None:
    network = trace(edsr(blocks=1))
    policy = BitPolicy.parse("w4a4")
    tensors = {"a/low": np.float32([1.25]), "w": np.float32([[0.5, 1 / 3]])}
    learned = Learned(tensors, "odm", policy.to_yaml(), fingerprint(network), {"seed": 1})
    path = tmp_path / "learned.safetensors"
    save_learned(path, learned, half=True)
    read = load_learned(path)
    assert read.provenance == {"seed": 1}
    assert read.tensors["a/low"].dtype == np.float32
    assert read.tensors["w"].tolist() == np.float16([[0.5, 1 / 3]]).tolist()
    require_fitting(path, read, network, "odm", policy)
    with pytest.raises(UserError) as raised:
        require_fitting(path, read, network, "fqsr", policy)
    assert str(raised.value) == (
        f"{path}: expected parameters learned for method fqsr, found odm; choose the method, bits "
        "and weights they were learned with"
    )
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(UserError) as raised:
        load_learned(path)
    assert str(raised.value) == (
        f"{path}: expected parameters that a quantization method learned, found a damaged file or "
        "one of another kind; make it with hwsim train --method"
    )


def test_a_method_that_does_not_learn_is_refused() -> None:
    with pytest.raises(UserError) as raised:
        learning_method(MinMax())
    assert str(raised.value) == (
        "method minmax: expected one that learns, such as odm-v2; leave out --method to train the "
        "float network"
    )


@pytest.mark.parametrize("method", ["adabm", "fqsr", "odm", "odm-v2"])
def test_learning_on_the_calibration_pictures_tells_its_progress(method: str) -> None:
    network = trace(edsr(blocks=1))
    told: list[tuple[int, int]] = []
    calibration = Calibration(
        network, [picture(32, 34)], lambda done, total: told.append((done, total))
    )
    method_named(f"{method}:iterations=3").quantize(network, BitPolicy.parse("w4a4"), calibration)
    assert told[-4:].count((2, 3)) == 1
    assert (3, 3) in told
