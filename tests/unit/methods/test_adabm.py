"""AdaBM's parts against its formulas, and the whole method on small networks."""

import os
import signal
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from hwsim.fidelity import fidelity
from hwsim.image_run import compare_image, run_image
from hwsim.machine import KERNELS, REFERENCE
from quant.common.errors import UserError
from quant.graph import Convolution
from quant.graph.adaptive import AdaptiveGraph
from quant.lowering import FloatNetwork
from quant.lowering.execution import Execution
from quant.lowering.trace import trace
from quant.methods import Calibration, method_named, quantize
from quant.methods.adabm.bits import ImageBits, complexities, initial_offsets, layer_offset
from quant.methods.adabm.complexity import complexity, integer_sums
from quant.methods.adabm.layer_map import Role, layer_map
from quant.methods.adabm.learner import AdaBMLearner
from quant.methods.adabm.losses import bits_loss, picture_loss, structure_loss
from quant.methods.adabm.method import AdaBM, drawn_patches
from quant.methods.adabm.network import AdaptiveNetwork
from quant.methods.adabm.quantizers import LayerInput
from quant.methods.adabm.ranges import averaged, clipped_range, least_error_reach
from quant.methods.learning.learned import load_learned, shipped_learned
from quant.methods.learning.loop import learn
from quant.methods.learning.pictures import Pictures
from quant.methods.learning.schedule import Schedule
from quant.methods.learning.training import learn_to_file
from quant.networks import load_network
from quant.networks.build import build_network
from quant.networks.config import NetworkConfig, RDNConfig, SRResNetConfig
from quant.policy import BitPolicy, LayerBits
from quant.training.patches import TrainingPair
from tests.machines import machine, prices
from tests.unit.lowering.small_networks import edsr, picture

PICTURES = [picture(40, 44, seed) for seed in range(4)]


@pytest.fixture(scope="module")
def network() -> FloatNetwork:
    return trace(edsr(blocks=3, channels=6), "small")


def learner_of(
    network: FloatNetwork, iterations: int = 0, patches: int = 6, rate: float = 0.01
) -> AdaBMLearner:
    layers = layer_map(network, everything=False)
    bits = dict.fromkeys(network.layer_names(), LayerBits(4, 4))
    drawn = torch.from_numpy(drawn_patches(PICTURES, patches, 16, seed=0))
    return AdaBMLearner(
        network,
        layers,
        bits,
        drawn.permute(0, 3, 1, 2).float(),
        iterations=iterations,
        learning_rate=rate,
    )


@cache
def traced(name: str) -> FloatNetwork:
    return trace(load_network(name, None, 0), name)


@pytest.mark.parametrize(
    ("name", "everything", "counted", "fixed"),
    [
        ("edsr_baseline_x4", False, 32, 0),
        ("edsr_baseline_x4", True, 33, 4),
        ("srresnet_x2", False, 32, 0),
        ("srresnet_x2", True, 33, 3),
        ("rdn_x4", False, 146, 0),
        ("rdn_x4", True, 146, 5),
    ],
)
def test_layers_are_counted_as_the_paper_does(
    name: str, everything: bool, counted: int, fixed: int
) -> None:
    network = traced(name)
    layers = layer_map(network, everything=everything)
    assert len(layers.counted) == counted
    assert len(layers.of(Role.FIXED)) == fixed
    assert len(layers.blocks) == 16
    # Of RDN, only the 1x1 fusions of the 16 blocks keep the base bits.
    assert len(layers.of(Role.BASE)) == (16 if name.startswith("rdn") else 0)
    assert tuple(layers.roles) == network.layer_names()


def test_a_network_without_blocks_is_refused() -> None:
    with pytest.raises(UserError) as raised:
        layer_map(trace(load_network("mobile_sr_x2"), "mobile_sr_x2"), everything=False)
    assert str(raised.value) == (
        "method adabm: network 'mobile_sr_x2': expected residual blocks, whose layers get the "
        "bits that images decide, found none; choose another method"
    )


@pytest.mark.parametrize(("layers", "lost"), [(32, 10), (33, 10), (130, 39)])
def test_about_three_layers_in_ten_lose_a_bit_and_as_many_gain_one(layers: int, lost: int) -> None:
    sensitivities = np.random.default_rng(0).permutation(layers) + 1.0
    offsets = initial_offsets(sensitivities.tolist())
    assert [int((offsets == step).sum()) for step in (-1, 0, 1)] == [
        lost,
        layers - 2 * lost,
        lost,
    ]
    assert sensitivities[offsets < 0].max() < sensitivities[offsets > 0].min()


def test_torch_and_integers_see_the_complexity_that_numpy_sees() -> None:
    batch = torch.from_numpy(np.stack(PICTURES)).permute(0, 3, 1, 2).float()
    expected = [complexity(image) for image in PICTURES]
    assert complexities(batch).tolist() == pytest.approx(expected, rel=1e-12)
    for image, real in zip(PICTURES, expected, strict=True):
        found = integer_sums(image).sum() / (255 * image[..., 0].size)
        assert found == pytest.approx(real, abs=4e-3)


def test_an_image_adds_bits_by_its_place_between_the_thresholds() -> None:
    bits = ImageBits()
    batch = torch.from_numpy(np.stack(PICTURES[:3])).permute(0, 3, 1, 2).float()
    batch[0] *= 0.1
    batch[2] = 3 * (batch[2] - 128)
    low, middle, high = complexities(batch).tolist()
    with torch.no_grad():
        bits.thresholds.copy_(torch.tensor([low + 1, high - 1], dtype=torch.float64))
    bits.look_at(batch)
    assert bits.offsets.flatten().tolist() == [-1, 0, 1]
    # An image on a threshold adds nothing.
    with torch.no_grad():
        bits.thresholds.copy_(torch.tensor([low, middle], dtype=torch.float64))
    bits.look_at(batch)
    assert bits.offsets.flatten().tolist() == [0, 0, 1]


def test_gradients_to_the_thresholds_are_those_of_tanh() -> None:
    bits = ImageBits()
    batch = torch.from_numpy(PICTURES[0]).permute(2, 0, 1)[None].float()
    found = complexities(batch)[0]
    with torch.no_grad():
        bits.thresholds.copy_(found + torch.tensor([-3.0, 5.0], dtype=torch.float64))
    bits.look_at(batch)
    assert float(bits.offsets.detach()) == 0
    (gradient,) = torch.autograd.grad(bits.offsets.sum(), bits.thresholds)
    place = (found - (found + 1)) * 2 / 8
    slope = 1 - torch.tanh(place) ** 2
    # With c - (u + l)/2 = -1 and u - l = 8.
    expected = [
        float(slope * (-1 / 8 + (-1) * 2 / 64)),
        float(slope * (-1 / 8 - (-1) * 2 / 64)),
    ]
    assert gradient.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("measure", "offset"), [(-3.0, -1), (-0.6, -1), (-0.5, 0), (0.2, 0), (0.51, 1), (7.0, 1)]
)
def test_a_layer_adds_its_rounded_measure_with_the_gradient_of_tanh(
    measure: float, offset: int
) -> None:
    value = torch.tensor(measure, requires_grad=True)
    rounded = layer_offset(value)
    assert float(rounded.detach()) == offset
    (gradient,) = torch.autograd.grad(rounded, value)
    assert float(gradient) == pytest.approx(1 - np.tanh(measure) ** 2, rel=1e-5, abs=1e-7)


def test_bits_get_the_gradient_that_flows_through_the_levels() -> None:
    image = ImageBits()
    quantizer = LayerInput(Role.ADAPTIVE, 4, image)
    with torch.no_grad():
        quantizer.low.fill_(-1.0)
        quantizer.high.fill_(2.0)
    values = torch.tensor([[[[0.37]]]])
    (gradient,) = torch.autograd.grad(quantizer(values).sum(), quantizer.measure)
    levels, place = 15.0, (0.37 + 1) / 3
    # q = round(p·N)/N · (u - l) + l, N = 2^b - 1, dN/db = 2^b·ln 2, d round(p·N)/dN = p.
    by_levels = (place / levels - round(place * levels) / levels**2) * 3
    assert float(gradient) == pytest.approx(by_levels * 16 * np.log(2), rel=1e-3)


def test_layers_of_the_base_bits_ignore_image_and_measure() -> None:
    image = ImageBits()
    image.offsets = torch.tensor([1.0, -1.0])[:, None, None, None]
    assert LayerInput(Role.BASE, 6, image).bits().flatten().tolist() == [6, 6]
    adaptive = LayerInput(Role.ADAPTIVE, 6, image)
    with torch.no_grad():
        adaptive.measure.fill_(1.0)
    assert adaptive.bits().flatten().tolist() == [8, 6]


@pytest.mark.parametrize("signed", [False, True])
def test_the_reach_of_weights_is_the_best_of_fifty(signed: bool) -> None:
    weight = torch.from_numpy(np.random.default_rng(0).standard_t(3, (4, 3, 3, 3)))
    weight[0, 0, 0, 0] = -20
    found = least_error_reach(weight, 3, signed_maximum=signed)
    whole = float(weight.max() if signed else weight.abs().max())
    errors = {}
    for step in range(50):
        reach = whole * (1 - 0.01 * step)
        places = (np.clip(weight.numpy(), -reach, reach) + reach) / (2 * reach)
        rounded = np.rint(places * 7) / 7 * 2 * reach - reach
        errors[reach] = float(((rounded - weight.numpy()) ** 2).mean())
    assert found == pytest.approx(min(errors, key=errors.__getitem__))
    assert signed or found < whole


def test_clipping_goes_half_way_to_the_best_of_a_hundred_shrinks() -> None:
    values = torch.from_numpy(np.random.default_rng(1).standard_t(3, 5000)).float()
    low, high = values.min(), values.max()
    found = clipped_range(values, low, high, 4.0)
    reals, errors = values.double().numpy(), []
    for step in range(100):
        least, most = float(low) * (1 - 0.01 * step), float(high) * (1 - 0.01 * step)
        places = (np.clip(reals, least, most) - least) / (most - least)
        errors.append(((np.rint(places * 15) / 15 * (most - least) + least - reals) ** 2).sum())
    part = 1 - 0.01 * int(np.argmin(errors))
    assert part < 0.95
    expected = [float(bound) * (0.5 + 0.5 * part) for bound in (low, high)]
    assert [float(bound) for bound in found] == pytest.approx(expected, rel=1e-5)


def test_losses_are_those_of_the_formulas() -> None:
    random = np.random.default_rng(2)
    student, teacher = random.normal(size=(2, 2, 3, 4, 5)), random.normal(size=(2, 2, 3, 4, 5))
    maps = [[torch.from_numpy(block) for block in blocks] for blocks in (student, teacher)]
    total = 0.0
    for found, wanted in zip(student, teacher, strict=True):
        difference = found / np.linalg.norm(found) - wanted / np.linalg.norm(wanted)
        total += sum(np.linalg.norm(image) for image in difference)
    expected = 10 * total / (2 * 4)
    assert float(structure_loss(*maps, is_dense=False)) == pytest.approx(expected)
    assert float(structure_loss(*maps, is_dense=True)) == pytest.approx(expected / 60)
    one, other = maps[0][0], maps[1][0]
    mean = np.abs(student[0] - teacher[0]).mean()
    assert float(picture_loss(one, other, 1.0)) == pytest.approx(255 * mean)
    assert float(bits_loss(torch.tensor([4.0, 5.0]), 4.0)) == 25
    assert float(bits_loss(torch.tensor([3.0, 4.0]), 4.0)) == 0


def test_moving_averages_begin_with_the_first_batch() -> None:
    first, second = torch.tensor([1.0]), torch.tensor([3.0])
    assert float(averaged(averaged(None, first), second)) == pytest.approx(0.9 * 1 + 0.1 * 3)


def test_calibration_observes_ranges_thresholds_and_sensitivities(network: FloatNetwork) -> None:
    learner = learner_of(network, patches=20)  # a batch of 16 and one of 4
    with torch.no_grad():
        learner._calibrate()
    patches = drawn_patches(PICTURES, 20, 16, seed=0)
    layer = layer_map(network, everything=False).of(Role.ADAPTIVE)[1]
    (source,) = network.by_name()[layer].inputs
    maps = [dict(Execution(network).feature_maps(patch))[source][0].numpy() for patch in patches]
    batches = maps[:16], maps[16:]
    low, high = (
        0.9 * float(end(batches[0])) + 0.1 * float(end(batches[1])) for end in (np.min, np.max)
    )
    assert learner.inputs[layer].low.item() == pytest.approx(low, abs=1e-4)
    assert learner.inputs[layer].high.item() == pytest.approx(high, rel=1e-5)
    found = [complexity(patch) for patch in patches]
    expected = 0.9 * np.percentile(found[:16], [10, 90]) + 0.1 * np.percentile(found[16:], [10, 90])
    assert learner.image.thresholds.tolist() == pytest.approx(expected.tolist())
    adaptive = layer_map(network, everything=False).of(Role.ADAPTIVE)
    sensitivities = []
    for name in adaptive:
        (source,) = network.by_name()[name].inputs
        seen = [dict(Execution(network).feature_maps(p))[source][0].numpy() for p in patches]
        sensitivities.append(np.mean([values.std() for values in seen]))
    measures = [learner.inputs[name].measure.item() for name in adaptive]
    assert measures == initial_offsets(sensitivities).tolist()


def test_groups_learn_in_turn_and_constants_not_at_all(network: FloatNetwork) -> None:
    learner = learner_of(network, iterations=12, patches=4)  # epochs of two updates
    before = [weight.clone() for weight in learner._network.layer_weights().values()]
    learner.prepare()
    changed = []
    for iteration in range(12):
        old = learner.learned()
        learner.step(iteration)
        new = learner.learned()
        kinds = {name.rpartition("/")[2] for name in new if (old[name] != new[name]).any()}
        changed.append(kinds - {"frequencies"})
    assert changed[0] == changed[1] == changed[6] == {"reach"}
    assert changed[2] == changed[3] == changed[8] == {"low", "high"}
    assert all("reach" not in changed[n] and "low" not in changed[n] for n in (4, 5, 10, 11))
    assert "thresholds" in changed[4] or "measure" in changed[4]
    rates = [group["lr"] for group in learner._optimizers["weights"].param_groups]
    assert rates == [pytest.approx(0.01 * 0.9)]
    assert [group["lr"] for group in learner._optimizers["bits"].param_groups] == [
        pytest.approx(0.009),
        pytest.approx(0.09),
    ]
    for old_weight, weight in zip(before, learner._network.layer_weights().values(), strict=True):
        assert torch.equal(old_weight, weight)


def test_an_interrupted_run_ends_as_one_that_was_not(network: FloatNetwork, tmp_path: Path) -> None:
    whole = learner_of(network, iterations=9, patches=4)
    learn(whole, {"run": "a"})
    checkpoint = tmp_path / "checkpoint.pt"

    def interrupt(done: int, _total: int, _loss: float) -> None:
        if done == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        learn(learner_of(network, iterations=9, patches=4), {"run": "a"}, checkpoint, interrupt)
    resumed = learner_of(network, iterations=9, patches=4)
    learn(resumed, {"run": "a"}, checkpoint)
    expected = whole.learned()
    for name, values in resumed.learned().items():
        assert (values == expected[name]).all(), name


def test_learning_comes_nearer_to_the_float_network(network: FloatNetwork) -> None:
    # An epoch of weights and one of ranges. Random weights, all below 0.14, call for small steps.
    learner = learner_of(network, iterations=40, patches=40, rate=1e-4)
    learner.prepare()

    def loss() -> float:
        batches = (learner._images(place) for place in range(learner.epoch_iterations))
        return sum(learner._loss(images, with_bits=False).item() for images in batches)

    before = loss()
    learn(learner, {})
    assert loss() < 0.995 * before


def quantized(network: FloatNetwork, method: str, bits: str = "w4a4") -> AdaptiveNetwork:
    calibration = Calibration(network, PICTURES)
    found = method_named(method).quantize(network, BitPolicy.load(bits), calibration)
    assert isinstance(found, AdaptiveNetwork)
    return found


@pytest.mark.parametrize("method", ["adabm:iterations=2", "adabm:fq,iterations=2"])
def test_widths_are_base_layer_and_image_bits(network: FloatNetwork, method: str) -> None:
    found = quantized(network, method)
    layers = layer_map(network, everything="fq" in method)
    graph = found.graph()
    widths: dict[str, list[int]] = {name: [] for name in layers.roles}
    for variant in graph.variants:
        types = {node.name: node.output.integer for node in variant.nodes}
        for node in variant.convolutions():
            widths[node.name].append(types[node.inputs[0]].bits)
            assert isinstance(node.operator, Convolution)
            is_adaptive = layers.roles[node.name] is Role.ADAPTIVE
            assert node.operator.weight_type.bits == (4 if is_adaptive else 8)
            # What the method learned is on mid-rise grids, which have no zero.
            learned = layers.roles[node.name] is not Role.REAL
            assert (node.operator.weight_type.kind.name == "ODD") == learned
    for name, role in layers.roles.items():
        low, middle, high = widths[name]
        if role is Role.ADAPTIVE:
            assert (low, high) == (middle - 1, middle + 1)
            assert 3 <= middle <= 5
        else:
            assert low == middle == high == 8
    assert {widths[name][1] for name in layers.of(Role.ADAPTIVE)} == {3, 4, 5}
    assert sum(graph.frequencies) == 100


def test_every_variant_has_the_codes_of_the_float64_oracle(network: FloatNetwork) -> None:
    found = quantized(network, "adabm:fq,iterations=2")
    image = picture(20, 24, 9)
    for variant, graph in zip(found.variants, found.graph().variants, strict=True):
        values = differing = 0
        for layer in fidelity(graph, variant.execution(), image, REFERENCE):
            values += layer.values
            differing += layer.differing
            assert layer.largest <= 1
            assert layer.farthest < 1e-4  # of a code from the middle between two
        assert differing < values / 1000


def test_the_machine_runs_what_the_oracle_runs(network: FloatNetwork) -> None:
    found = quantized(network, "adabm:iterations=0")
    graph, accelerator = found.graph(), machine(sram_kib=32, array=8)
    for contrast in (0.1, 1.0, 3.0):
        image = np.clip((picture(18, 20, 5) - 128.0) * contrast + 128, 0, 255).astype(np.uint8)
        codes = image.astype(np.int32)
        run = run_image(graph, accelerator, prices(accelerator), codes)
        assert compare_image(run, graph, codes, KERNELS).mismatches == 0
        selection = run.parts[0].selection
        assert selection is not None
        assert selection.complexity == pytest.approx(complexity(image), abs=4e-3)
        expected = found.execution().picture(image).astype(np.int64)
        assert np.abs(run.output - expected).max() <= 1


def test_parameters_learned_into_a_file_are_used(network: FloatNetwork, tmp_path: Path) -> None:
    pairs = [TrainingPair(image, np.repeat(np.repeat(image, 2, 0), 2, 1)) for image in PICTURES]
    pictures = Pictures(pairs, "0" * 64, ("folder",))
    method, policy = AdaBM(fq=True), BitPolicy.parse("w4a4")
    path = tmp_path / "small_adabm.safetensors"
    schedule = Schedule(iterations=3, batch=2, patch=16, learning_rate=0.01)
    learn_to_file(network, method, policy, pictures, schedule, path)
    tensors = load_learned(path).tensors
    found = quantized(network, f"adabm:fq,learned={path}")
    assert found.thresholds == tuple(float(threshold) for threshold in tensors["thresholds"])
    with pytest.raises(UserError) as raised:
        quantized(network, f"adabm:learned={path}")
    assert str(raised.value).startswith(
        f"{path}: expected parameters learned for method adabm, found adabm-fq; "
    )


@pytest.mark.parametrize(("name", "bits"), [("edsr_tiny_x2", "w8a8"), ("edsr_baseline_x2", "w4a4")])
def test_parameters_that_ship_are_used_without_learning(name: str, bits: str) -> None:
    network = trace(load_network(name), name)
    policy = BitPolicy.parse(bits)
    shipped = shipped_learned(network, "adabm", policy)
    assert shipped is not None
    assert set(shipped.provenance) >= {"iterations", "images_sha256", "seed", "torch"}
    found = quantized(network, "adabm", bits)
    assert found.thresholds == tuple(float(value) for value in shipped.tensors["thresholds"])
    assert shipped_learned(network, "adabm-fq", policy) is None


@pytest.mark.parametrize(
    "text", ["adabm", "adabm:fq", "adabm:iterations=0", "adabm:fq,iterations=7,signed_maximum"]
)
def test_a_method_is_written_as_it_is_read(text: str) -> None:
    assert str(method_named(text)) == text


def test_a_base_too_narrow_to_lose_two_bits_is_refused(network: FloatNetwork) -> None:
    with pytest.raises(UserError) as raised:
        quantized(network, "adabm:iterations=0", "w4a2")
    assert str(raised.value) == (
        "method adabm: layer 'body.0.body.0': expected activations of at least 3 bits, of which "
        "image and layer may take two away, given w4a2; choose wider ones"
    )


@pytest.mark.parametrize(
    "config",
    [SRResNetConfig(blocks=2, channels=4, scale=2), RDNConfig(2, 2, 4, 4, 2)],
    ids=["srresnet", "rdn"],
)
def test_networks_of_other_kinds_are_quantized_down_to_integers(config: NetworkConfig) -> None:
    module = build_network(config, seed=1).eval()
    images = [image[:16, :16] for image in PICTURES[:2]]
    graph = quantize(module, AdaBM(iterations=0), BitPolicy.parse("w6a6"), images)
    assert isinstance(graph, AdaptiveGraph)
    codes = picture(12, 14, 3).astype(np.int32)
    accelerator = machine()
    run = run_image(graph, accelerator, prices(accelerator), codes)
    assert compare_image(run, graph, codes, REFERENCE).mismatches == 0
