"""FQSR's parts: which tensors are quantized, rewrites, intervals, codes."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from quant.common.codes import CodeKind
from quant.common.errors import UserError
from quant.graph import IntegerType
from quant.lowering import FloatNetwork
from quant.lowering.execution import Execution
from quant.lowering.float_operators import FloatConcatenate, FloatConvolution, FloatPRelu
from quant.lowering.trace import trace
from quant.methods.fqsr.encodings import Intervals, sum_encoding
from quant.methods.fqsr.fake_quantized import FakeQuantized, Grids
from quant.methods.fqsr.intervals import Interval, nearest_of_interval
from quant.methods.fqsr.layer_map import LayerMap, Preset, layer_map, registration_order
from quant.methods.fqsr.rewriting import for_each_reader, with_slopes
from quant.methods.learning.quantizers import half_range, mid_rise
from quant.networks import EDSRConfig
from quant.networks.build import build_network
from quant.networks.config import NetworkConfig, RDNConfig, SRResNetConfig
from quant.policy import BitPolicy
from tests.unit.lowering.small_networks import Net, edsr, picture


@cache
def traced(config: NetworkConfig) -> FloatNetwork:
    return trace(build_network(config, seed=1).eval())


def edsr_of(scale: int) -> FloatNetwork:
    return traced(EDSRConfig(blocks=16, channels=1, scale=scale))


def srresnet_of(scale: int) -> FloatNetwork:
    return traced(SRResNetConfig(blocks=16, channels=1, scale=scale))


RDN = RDNConfig(blocks=2, layers=3, growth=4, channels=8, scale=2)


# Layer map: the indices of specification 4.5.


def indices(network: FloatNetwork, names: tuple[str, ...]) -> list[int]:
    order = registration_order(network)
    return sorted(order.index(name) for name in names)


@pytest.mark.parametrize(("scale", "count"), [(2, 53), (4, 54)])
def test_edsr_as_released(scale: int, count: int) -> None:
    network = edsr_of(scale)
    order = registration_order(network)
    assert len(order) == count
    names = ["head.0"]
    for block in range(16):
        names += [f"body.{block}.body.0", f"body.{block}.body.2", f"body.{block}.add"]
    names += ["body.16", "tail.0.0"] + (["tail.0.2"] if scale == 4 else []) + ["tail.1", "add"]
    assert list(order) == names
    released = layer_map(network, "released")
    disabled = {51, 52, 53} & set(range(count))
    additions = set(range(3, 49, 3))
    assert indices(network, released.additions) == sorted(additions)
    outputs = indices(network, released.outputs)
    assert outputs == sorted(set(range(count)) - additions - disabled)
    # All feature maps have a sign (F5), the picture apart.
    assert indices(network, released.signed_inputs) == sorted(set(range(1, count - 1)) - additions)
    assert released.unsigned_inputs == ()
    assert len(released.weights) == (37 if scale == 4 else 36)


@pytest.mark.parametrize(("scale", "last"), [(2, 35), (4, 36)])
def test_srresnet_as_released(scale: int, last: int) -> None:
    """The specification counts both sizes' upsamplers: 34 and 35 of x4, 36 of x2, 37 the last."""
    network = srresnet_of(scale)
    order = registration_order(network)
    assert (order[0], order[33], order[last]) == ("head.0", "body.16", "tail.1")
    assert len(order) == last + 1
    released = layer_map(network, "released")
    assert released.additions == ()
    assert indices(network, released.outputs) == list(range(last))
    assert indices(network, released.unsigned_inputs) == list(range(10, 33, 2))
    assert indices(network, released.signed_inputs) == [
        *range(1, 10), *range(11, 34, 2), *range(34, last + 1)
    ]  # fmt: skip


def test_the_paper_quantizes_what_the_release_leaves_out() -> None:
    network = edsr_of(4)
    paper, released = layer_map(network, "paper"), layer_map(network, "released")
    assert set(paper.additions) - set(released.additions) == {"add"}
    assert set(paper.outputs) - set(released.outputs) == {"tail.0.2"}
    assert "tail.1" not in paper.outputs
    network = srresnet_of(4)
    paper = layer_map(network, "paper")
    assert len(paper.additions) == 17
    assert paper.unsigned_inputs == layer_map(network, "released").unsigned_inputs


@pytest.mark.parametrize("preset", ["paper", "released"])
def test_edsr_that_was_trained_with_prelus_is_edsr(preset: Preset) -> None:
    network = traced(EDSRConfig(blocks=16, channels=1, scale=4, prelu=True))
    assert layer_map(network, preset) == layer_map(edsr_of(4), preset)


def test_direct_leaves_out_the_first_of_two_roundings() -> None:
    network = edsr_of(2)
    left_out = set(layer_map(network, "paper").outputs) - set(
        layer_map(network, "paper", direct=True).outputs
    )
    assert left_out == {f"body.{block}.body.2" for block in range(16)} | {"body.16"}


def test_a_network_that_the_paper_does_not_know() -> None:
    chosen = layer_map(traced(RDN), "released")
    assert chosen.additions == ("RDBs.0.add", "RDBs.1.add")
    assert chosen.unsigned_inputs == ()
    assert "UPNet.2" not in chosen.outputs


def test_additions_of_the_picture_itself_are_left_alone() -> None:
    network = trace(Net(lambda net, image: net.last(net.first(image)) + image))
    assert layer_map(network, "paper").additions == ()


def test_transposed_convolutions_are_refused() -> None:
    up = nn.ConvTranspose2d(3, 3, 2, stride=2)
    network = trace(nn.Sequential(nn.Conv2d(3, 3, 1), up).eval())
    with pytest.raises(UserError) as raised:
        layer_map(network, "paper")
    assert str(raised.value).startswith("method fqsr: layer '")
    assert str(raised.value).endswith(
        "': expected a convolution, got a transposed one, whose inserted zeros are not on the "
        "method's grids; choose another method or another network"
    )


# Rewrites.


@pytest.mark.parametrize(
    "config", [EDSRConfig(2, 4, 4), SRResNetConfig(2, 4, 2), RDN], ids=["edsr", "srresnet", "rdn"]
)
def test_rewrites_leave_the_function_as_it_is(config: NetworkConfig) -> None:
    network = traced(config)
    sloped = with_slopes(network)
    spread = for_each_reader(sloped)
    expected = Execution(network).picture(picture(9, 10))
    torch.testing.assert_close(Execution(sloped).picture(picture(9, 10)), expected)
    torch.testing.assert_close(Execution(spread).picture(picture(9, 10)), expected)
    assert sloped.layer_names() == spread.layer_names() == network.layer_names()
    assert not any(
        isinstance(node.operator, FloatConvolution) and node.operator.clamp[0] == 0
        for node in sloped.nodes
    )


def test_relus_become_single_slopes_of_zero() -> None:
    network = with_slopes(trace(edsr(blocks=1)))
    (prelu,) = [node for node in network.nodes if isinstance(node.operator, FloatPRelu)]
    assert (prelu.name, prelu.inputs) == ("body.0.body.0.prelu", ("body.0.body.0",))
    assert isinstance(prelu.operator, FloatPRelu)
    assert prelu.operator.slope.tolist() == [0.0]


def test_every_reader_has_prelus_and_concatenations_of_its_own() -> None:
    network = for_each_reader(with_slopes(traced(RDN)))
    readers = network.readers()
    nodes = network.by_name()
    for node in network.nodes:
        if isinstance(node.operator, FloatPRelu | FloatConcatenate):
            assert len(readers[node.name]) == 1
        if isinstance(node.operator, FloatConcatenate):
            parts = [nodes[name].operator for name in node.inputs]
            assert not any(isinstance(part, FloatConcatenate) for part in parts)


# Intervals.


@pytest.mark.parametrize("signed", [True, False])
def test_the_fused_quantizer_is_the_formula_with_its_gradients(signed: bool) -> None:
    """Against the plain one of `quant.methods.learning.quantizers`, over more than one part."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(3, 5, 97, 71, generator=generator).requires_grad_()
    weights = torch.randn(values.shape, generator=generator)
    reach = torch.tensor(1.25, requires_grad=True)
    plain = mid_rise if signed else half_range

    def gradients(quantized: Tensor, loss: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad((quantized * weights).sum() + 1e5 * loss, (values, reach))

    quantized, loss = nearest_of_interval(values, reach, 15, signed=signed)
    expected = plain(values, reach, 15.0)
    torch.testing.assert_close(quantized, expected)
    expected_loss = (values - expected).abs().mean()
    torch.testing.assert_close(loss, expected_loss)
    ours, theirs = gradients(quantized, loss), gradients(expected, expected_loss)
    torch.testing.assert_close(ours[0], theirs[0])
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-4, atol=1e-3)


def test_the_sign_of_tiny_values_counts() -> None:
    """As in a table, which is computed in float64; 0 itself goes up."""
    values = torch.tensor([-1e-20, 0.0, 1e-20])
    quantized, _ = nearest_of_interval(values, torch.tensor(3.0), 15, signed=True)
    assert quantized.tolist() == pytest.approx([-0.2, 0.2, 0.2])


def test_gradients_of_single_values() -> None:
    """(y − x)/α inside, ±1 outside, 0 below an unsigned grid (specification 4.1)."""
    for value, signed, expected in (
        (0.3, True, (1 / 3 - 0.3 / 1.0) / 1.0),
        (1.7, True, 1.0),
        (-1.7, True, -1.0),
        (0.3, False, 1 / 3 - 0.3),
        (1.7, False, 1.0),
        (-0.2, False, 0.0),
    ):
        reach = torch.tensor(1.0, requires_grad=True)
        quantized, _ = nearest_of_interval(torch.tensor([value]), reach, 3, signed=signed)
        (gradient,) = torch.autograd.grad(quantized[0], reach)
        assert float(gradient) == pytest.approx(expected, abs=1e-6), (value, signed)


def test_warming_up_takes_the_mean_of_twenty_largest_magnitudes() -> None:
    losses: list[Tensor] = []
    interval = Interval(15, signed=True, warm_up=20, on_loss=losses.append)
    for call in range(20):
        values = torch.tensor([float(call), -2.0 * call, 0.1])
        assert interval(values) is values
    assert float(interval.reach.detach()) == pytest.approx(2 * np.mean(range(20)) + 0.1 / 20)
    assert losses == []
    assert interval(torch.tensor([100.0])).item() == pytest.approx(float(interval.reach.detach()))
    assert len(losses) == 1


def test_an_addition_warms_up_twice_as_fast() -> None:
    network = with_slopes(trace(edsr(blocks=1)))
    chosen = layer_map(trace(edsr(blocks=1)), "paper")
    bits = BitPolicy.parse("w4a4").resolve(network.layer_names())
    quantized = FakeQuantized(network, Grids(chosen, bits, 8))
    quantized.calibrate([picture(8, 8, seed=seed) for seed in range(10)])
    calls = {
        name: int(quantizer.calls)
        for name, quantizer in zip(
            quantized.intervals, quantized.quantizers_in_order(), strict=True
        )
    }
    assert {calls[name] for name in calls if name.startswith("add/")} == {20}
    assert {calls[name] for name in calls if not name.startswith("add/")} == {10}


# Codes.

EMPTY = LayerMap((), (), (), (), ())


def intervals(bits: int, reach: float) -> Intervals:
    return Intervals(Grids(EMPTY, {}, bits), {"x": reach})


def test_the_pad_code_of_four_bits_is_one_fifteenth_of_the_interval() -> None:
    """Zero is half-way between codes 7 and 8; half to even it is 8, which is +α/15."""
    encoding = intervals(4, 3.0).signed("x", 4)
    assert encoding.integer == IntegerType(4, CodeKind.ODD)
    assert encoding.zero_codes.tolist() == [1]
    assert encoding.scale * 1 == 3.0 / 15
    consecutive = intervals(4, 3.0).rounded("x")
    assert consecutive.zero_codes.tolist() == [8]
    assert consecutive.scale * (8 - consecutive.zero[0]) == 3.0 / 15
    padded = mid_rise(torch.zeros(1), torch.tensor(3.0), 15.0)
    assert padded.item() == pytest.approx(3.0 / 15)
    assert intervals(4, 3.0).unsigned("x", 4).zero_codes.tolist() == [0]


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_a_sum_of_two_codes_is_even_in_odd_terms(bits: int) -> None:
    steps = (1 << bits) - 1
    operand = intervals(bits, 2.5).rounded("x")
    result = sum_encoding(operand)
    assert result.integer == IntegerType(bits + 1, CodeKind.SIGNED)
    codes = np.arange(steps + 1)
    sums = codes[:, None] + codes - steps
    assert sums.min() >= result.integer.low
    assert sums.max() <= result.integer.high
    odd = (2 * codes - steps)[:, None] + (2 * codes - steps)
    assert not (odd % 2).any()
    np.testing.assert_array_equal(2 * sums, odd)
    np.testing.assert_allclose(result.scale * sums, 2.5 / steps * odd, rtol=1e-15)


@pytest.mark.parametrize("preset", ["paper", "released"])
def test_names_of_intervals_follow_the_layer_map(preset: Preset) -> None:
    network = trace(edsr(blocks=1))
    chosen = replace(layer_map(network, preset))
    bits = BitPolicy.parse("w4a4").resolve(network.layer_names())
    names = FakeQuantized(with_slopes(network), Grids(chosen, bits, 8)).intervals
    assert len(names) == len(set(names))
    assert {name.partition("/")[0] for name in names} == {"fm", "wt", "ot", "add"}
    assert ("add/add" in names) == (preset == "paper")
