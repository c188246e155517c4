import pytest
import torch
import torch.fx
from torch import nn

from quant.common.errors import UserError
from quant.networks.build import build_network
from quant.networks.config import EDSRConfig
from quant.networks.edsr import EDSR

_UPSAMPLERS = {2: ["tail.0.0"], 3: ["tail.0.0"], 4: ["tail.0.0", "tail.0.2"]}


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_parameters_have_the_published_names(scale: int) -> None:
    layers = ["sub_mean", "head.0"]
    layers += [f"body.{block}.body.{layer}" for block in range(2) for layer in (0, 2)]
    layers += ["body.2", *_UPSAMPLERS[scale], "tail.1", "add_mean"]
    expected = [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    assert list(EDSR(EDSRConfig(blocks=2, channels=4, scale=scale)).state_dict()) == expected


@pytest.mark.parametrize(
    ("scale", "convolutions", "parameters"),
    [(2, 36, 1_369_859), (3, 36, 1_554_499), (4, 37, 1_517_571)],
)
def test_the_baseline_has_its_published_size(
    scale: int, convolutions: int, parameters: int
) -> None:
    network = EDSR(EDSRConfig(blocks=16, channels=64, scale=scale))
    learned = [p for p in network.parameters() if p.requires_grad]
    assert sum(p.numel() for p in learned) == parameters
    wide = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    assert len(wide) == convolutions


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_pictures_grow_by_the_scale(scale: int) -> None:
    network = EDSR(EDSRConfig(blocks=1, channels=4, scale=scale))
    assert network(torch.zeros(2, 3, 5, 7)).shape == (2, 3, 5 * scale, 7 * scale)


def test_without_weights_the_mean_colour_comes_out() -> None:
    network = EDSR(EDSRConfig(blocks=1, channels=4, scale=2))
    for name, parameter in network.named_parameters():
        if "mean" not in name:
            nn.init.zeros_(parameter)
    picture = network(torch.full((1, 3, 2, 2), 200.0))
    mean = torch.tensor([255 * 0.4488, 255 * 0.4371, 255 * 0.4040])
    torch.testing.assert_close(picture, mean[None, :, None, None].expand(1, 3, 4, 4))


def test_a_known_network_computes_a_known_picture() -> None:
    # With one feature and every kernel passing its centre on, the head gives f = red - mean red,
    # the block f + relu(f) = 2 f, the long skip another f; the tail spreads 3 f to all pixels.
    network = EDSR(EDSRConfig(blocks=1, channels=1, scale=2))
    for name, parameter in network.named_parameters():
        if "mean" not in name:
            nn.init.zeros_(parameter)
    centre = (slice(None), 0, 1, 1)
    with torch.no_grad():
        for layer in ("head.0", "body.0.body.0", "body.0.body.2", "body.1", "tail.0.0", "tail.1"):
            network.get_submodule(layer).weight[centre] = 1.0  # type: ignore[index, operator]
        red = 200.0 - 255 * 0.4488
        mean = torch.tensor([255 * 0.4488, 255 * 0.4371, 255 * 0.4040])
        picture = network(torch.full((1, 3, 4, 4), 200.0))
    expected = mean + 3 * red
    torch.testing.assert_close(picture[0, :, 4, 4], expected)


def _traced_functions(residual_scale: float) -> list[str]:
    config = EDSRConfig(blocks=2, channels=4, scale=2, residual_scale=residual_scale)
    nodes = torch.fx.symbolic_trace(EDSR(config)).graph.nodes
    kinds = {node.op for node in nodes}
    assert kinds == {"placeholder", "call_module", "call_function", "output"}
    return [node.target.__name__ for node in nodes if node.op == "call_function"]


def test_a_traced_network_is_plain_modules_and_additions() -> None:
    assert _traced_functions(residual_scale=1.0) == ["add", "add", "add"]
    assert _traced_functions(residual_scale=0.1) == ["mul", "add", "mul", "add", "add"]


def test_the_mean_shift_is_frozen() -> None:
    network = EDSR(EDSRConfig(blocks=0, channels=2, scale=2))
    frozen = [name for name, p in network.named_parameters() if not p.requires_grad]
    assert frozen == ["sub_mean.weight", "sub_mean.bias", "add_mean.weight", "add_mean.bias"]


def test_one_colour_networks_shift_by_the_mean_of_the_means() -> None:
    network = EDSR(EDSRConfig(blocks=0, channels=2, scale=2, colours=1, pixel_range=1.0))
    torch.testing.assert_close(network.add_mean.bias, torch.tensor([(0.4488 + 0.4371 + 0.404) / 3]))


def test_a_seed_fixes_the_weights_and_leaves_the_random_state_alone() -> None:
    config = EDSRConfig(blocks=1, channels=4, scale=2)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, second, other = (build_network(config, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.0.weight"], other["head.0.weight"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"blocks": -1},
            "EDSR network: expected blocks >= 0, channels >= 1 and pixel_range > 0, got blocks -1, "
            "channels 4, pixel_range 255.0; correct the configuration",
        ),
        ({"scale": 5}, "EDSR network: expected scale 2, 3 or 4, got 5; choose one of them"),
        ({"colours": 2}, "EDSR network: expected 1 or 3 colours, got 2; choose one of them"),
    ],
)
def test_impossible_shapes_are_user_errors(changes: dict[str, int], message: str) -> None:
    with pytest.raises(UserError) as caught:
        EDSRConfig(**({"blocks": 1, "channels": 4, "scale": 2} | changes))
    assert str(caught.value) == message
