"""ODM's parts: gradients that cooperate, quantizers, which layers get an offset, options."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from quant.common.errors import UserError
from quant.lowering.trace import trace
from quant.methods import method_named
from quant.methods.learning.quantizers import mid_rise
from quant.methods.learning.schedule import Schedule
from quant.methods.odm.cooperation import combined, gated, opposed_share, similarity
from quant.methods.odm.learner import learning_rate
from quant.methods.odm.quantizers import (
    InputQuantizer,
    WeightQuantizer,
    deviation,
    mismatch,
    percentile_reach,
    straight_through_mismatch,
)
from quant.methods.odm.start import LayerStart, chosen_offsets, observe_inputs
from tests.unit.lowering.small_networks import edsr

G = torch.tensor


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([G([1.0, 0.0]), G([0.0])], [G([5.0, 0.0]), G([0.0])], 1.0),
        ([G([1.0, 2.0]), G([3.0])], [G([-2.0, -4.0]), G([-6.0])], 0.0),
        ([G([1.0, 0.0]), G([2.0])], [G([0.0, 7.0]), G([0.0])], 0.5),
        ([G([3.0]), G([0.0])], [G([3.0]), G([4.0])], 0.8),
        ([G([0.0]), G([0.0])], [G([3.0]), G([4.0])], 0.5),
    ],
    ids=["aligned", "opposite", "orthogonal", "at an angle", "nothing to compare with"],
)
def test_similarity_is_of_all_tensors_as_one_vector(
    one: list[Tensor], other: list[Tensor], expected: float
) -> None:
    assert float(similarity(one, other)) == pytest.approx(expected, abs=1e-6)


def test_similarity_is_between_0_and_1() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        one, other = (
            [torch.randn(shape, generator=generator) for shape in ((3, 2), (4,))] for _ in "ab"
        )
        assert 0 <= float(similarity(one, other)) <= 1
        assert float(similarity(one, [3 * g for g in one])) == pytest.approx(1)
        assert float(similarity(one, [-0.1 * g for g in one])) == pytest.approx(0, abs=1e-6)


def test_gradients_of_one_direction_add_up_and_opposite_ones_leave_the_reconstruction() -> None:
    reconstruction, regularizer = G([1.0, -2.0]), G([10.0, 10.0])
    expected = {
        ("none", 1.0): [1.0, -2.0],
        ("naive", 0.0): [6.0, 3.0],
        ("cooperative", 1.0): [6.0, 3.0],
        ("cooperative", 0.5): [3.5, 0.5],
        ("cooperative", 0.0): [1.0, -2.0],
        ("gated", 0.5): [6.0, -2.0],
    }
    for (cooperation, alike), values in expected.items():
        found = combined(cooperation, reconstruction, regularizer, 0.5, G(alike))  # type: ignore[arg-type]
        assert found.tolist() == pytest.approx(values)


def test_the_gate_lets_through_what_has_the_same_sign() -> None:
    reconstruction = G([1.0, -1.0, 1.0, -1.0, 0.0, 2.0])
    regularizer = G([3.0, -4.0, -5.0, 6.0, 7.0, 0.0])
    assert gated(reconstruction, regularizer).tolist() == [3.0, -4.0, 0.0, 0.0, 0.0, 0.0]
    assert float(opposed_share([reconstruction], [regularizer])) == pytest.approx(2 / 6)
    halves = ([reconstruction[:3], reconstruction[3:]], [regularizer[:3], regularizer[3:]])
    assert float(opposed_share(*halves)) == pytest.approx(2 / 6)


def test_clipping_follows_the_percentile_of_the_weights_as_they_are() -> None:
    weight = torch.randn(6, 5, 3, 3, generator=torch.Generator().manual_seed(2))
    p99 = np.percentile(weight.abs().numpy(), 99)
    assert float(percentile_reach(weight, 99)) == pytest.approx(p99, rel=1e-6)
    quantizer = WeightQuantizer(weight, 4, 99, corrects=True)
    with torch.no_grad():
        quantizer.factor.fill_(0.75)
    assert float(quantizer.reach(weight).detach()) == pytest.approx(0.75 * p99, rel=1e-6)
    assert float(quantizer.reach(2 * weight).detach()) == pytest.approx(1.5 * p99, rel=1e-6)
    torch.testing.assert_close(quantizer(weight), mid_rise(weight, G(0.75 * p99).float(), 15.0))
    alone = WeightQuantizer(weight, 4, 99, corrects=False)
    assert float(alone.reach(2 * weight).detach()) == pytest.approx(p99, rel=1e-6)


def test_the_factor_of_the_clipping_learns_and_its_percentile_gives_nothing_back() -> None:
    weight = torch.randn(100, generator=torch.Generator().manual_seed(1)).requires_grad_()
    quantizer = WeightQuantizer(weight.detach(), 2, 87.3, corrects=True)
    quantizer(weight).sum().backward()  # type: ignore[no-untyped-call]
    inside = weight.detach().abs() <= np.percentile(weight.detach().abs(), 87.3)
    assert weight.grad is not None
    assert weight.grad.tolist() == inside.float().tolist()
    assert quantizer.factor.grad is not None


def test_mismatch_pulls_values_to_their_codes_or_only_into_the_range() -> None:
    values = G([-1.0, 0.4, 3.6]).requires_grad_()
    quantizer = InputQuantizer(0.0, 3.0, 2, None, 1, mismatch)
    quantizer(values)
    assert quantizer.penalized is not None
    length = np.sqrt(1 + 0.16 + 0.36)
    assert float(quantizer.penalized.detach()) == pytest.approx(length)
    (gradient,) = torch.autograd.grad(quantizer.penalized, values)
    assert gradient.tolist() == pytest.approx(np.array([-1.0, 0.4, 0.6]) / length)
    quantizer = InputQuantizer(0.0, 3.0, 2, None, 1, straight_through_mismatch)
    quantizer(values)
    assert quantizer.penalized is not None
    (gradient,) = torch.autograd.grad(quantizer.penalized, values)
    assert gradient.tolist() == pytest.approx(np.array([-1.0, 0.0, 0.6]) / length)


def test_deviation_is_of_the_whole_input_and_has_a_gradient_where_it_is_0() -> None:
    values = torch.randn(2, 3, 4, 5)
    assert float(deviation(values, values)) == pytest.approx(float(values.std(correction=0)))
    flat = torch.ones(1, 2, 3, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(deviation(flat, flat), flat)
    assert gradient.abs().max() == 0


@pytest.mark.parametrize("kind", ["shift", "scale"])
def test_an_offset_changes_each_channel_before_it_is_quantized(kind: str) -> None:
    quantizer = InputQuantizer(-8.0, 7.0, 4, kind, 2, None)  # type: ignore[arg-type]
    values = G([1.0, 2.0])[None, :, None, None]
    assert quantizer(values).flatten().tolist() == [1.0, 2.0]  # starts as nothing
    with torch.no_grad():
        quantizer.offset.copy_(G([2.0, 3.0])[:, None, None])
    expected = [3.0, 5.0] if kind == "shift" else [2.0, 6.0]
    assert quantizer(values).detach().flatten().tolist() == expected
    assert quantizer.learned()[kind].tolist() == [2.0, 3.0]


def test_a_range_and_a_scale_cannot_turn_over() -> None:
    quantizer = InputQuantizer(1.0, 0.5, 4, "scale", 1, None)
    with torch.no_grad():
        quantizer.offset.fill_(-3.0)
    learned = {name: value.detach() for name, value in quantizer.learned().items()}
    assert float(learned["high"]) > float(learned["low"])
    assert float(learned["scale"]) > 0
    assert torch.isfinite(quantizer(torch.randn(1, 1, 4, 4))).all()


def test_offsets_go_to_the_layers_whose_channels_differ_most() -> None:
    starts = {
        f"{n}": LayerStart(0.0, 1.0, mean, spread)
        for n, (mean, spread) in enumerate(
            [(9, 1), (1, 9), (8, 8), (0, 0), (7, 7), (0, 0), (0, 6), (0, 0), (0, 0), (0, 0)]
        )
    }
    # Three each: by means 0, 2, 4; by deviations 1, 2, 4. Ranks of 2 and 4 are alike: a shift.
    assert chosen_offsets(starts) == {"0": "shift", "1": "scale", "2": "shift", "4": "shift"}
    assert chosen_offsets({}) == {}


def test_what_a_layer_is_fed_is_observed_over_all_pictures() -> None:
    network = trace(edsr(blocks=1))
    name = "body.0.body.0"
    pictures = torch.rand(3, 3, 9, 8, generator=torch.Generator().manual_seed(0)) * 255
    inputs: list[Tensor] = []
    from quant.methods.learning.trainable_network import Places, TrainableNetwork

    def note(made: str, values: Tensor) -> None:
        if made == "head.0":
            inputs.append(values.detach())

    TrainableNetwork(network, Places())(pictures, on_map=note)
    values = inputs[0].numpy()
    start = observe_inputs(network, [name], pictures.split((2, 1)))[name]
    assert start.low == pytest.approx(np.mean([np.percentile(x, 1) for x in values]), rel=1e-5)
    assert start.high == pytest.approx(np.mean([np.percentile(x, 99) for x in values]), rel=1e-5)
    means, spreads = values.mean(axis=(0, 2, 3)), values.std(axis=(0, 2, 3))
    assert start.mean_mismatch == pytest.approx(means.std() / values.std(), rel=1e-3)
    assert start.deviation_mismatch == pytest.approx(spreads.std() / values.std(), rel=1e-3)


def test_the_learning_rate_is_halved_after_every_quarter() -> None:
    rates = [learning_rate(Schedule(iterations=8, learning_rate=8.0), n) for n in range(8)]
    assert rates == [8.0, 8.0, 4.0, 4.0, 2.0, 2.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "text",
    [
        "odm",
        "odm-v2",
        "odm:cooperation=naive,offsets=no",
        "odm-v2:cooperation=none,wcc=no,ste=yes,learned=a/b.safetensors",
        "odm-v2:iterations=0",
    ],
)
def test_options_come_back_as_text(text: str) -> None:
    assert str(method_named(text)) == text
    assert method_named(str(method_named(text))) == method_named(text)


def test_options_that_are_the_defaults_are_not_repeated() -> None:
    assert str(method_named("odm-v2:wcc,cooperation=cooperative,ste=no")) == "odm-v2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "odm:wcc=no",
            "method odm: option 'wcc' is not known; known: cooperation, iterations, learned, "
            "offsets",
        ),
        (
            "odm-v2:cooperation=gated",
            "method odm-v2: option 'cooperation=gated': expected one of none, naive, cooperative, "
            "given 'gated'; correct it",
        ),
        (
            "odm-v2:iterations=few",
            "method odm-v2: option 'iterations=few': expected a whole number, given 'few'; "
            "correct it",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        method_named(text)
    assert str(raised.value) == message


def test_a_missing_file_of_what_was_learned_is_named(tmp_path: Path) -> None:
    from quant.methods import Calibration
    from quant.policy import BitPolicy
    from tests.unit.lowering.small_networks import picture

    network, path = trace(edsr(blocks=1)), tmp_path / "none.safetensors"
    with pytest.raises(UserError) as raised:
        method_named(f"odm:learned={path}").quantize(
            network, BitPolicy.parse("w4a4"), Calibration(network, [picture()])
        )
    assert str(raised.value).startswith(f"{path}: ")
