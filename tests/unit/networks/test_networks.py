"""What all networks have in common, and the sizes that are published."""

import re
from pathlib import Path

import pytest
import torch
import torch.fx
from torch import nn

from quant.common.errors import UserError
from quant.networks import NetworkConfig, network_config, network_names
from quant.networks.build import build_network, state_shapes
from quant.networks.config import (
    DirectEDSRConfig,
    EDSRConfig,
    MobileSRConfig,
    MSRResNetConfig,
    RDNConfig,
    SRGANConfig,
    SRResNetConfig,
)
from quant.networks.inference import pixel_range
from quant.networks.size import network_size

PAGE = Path(__file__).resolve().parents[3] / "docs" / "networks.md"

SMALL = {
    "edsr": EDSRConfig(2, 4, 3, residual_scale=0.1),
    "edsr_x4": EDSRConfig(1, 4, 4),
    "direct_edsr": DirectEDSRConfig(2, 4, 2),
    "edsr_prelu": EDSRConfig(2, 4, 2, prelu=True),
    "srresnet": SRResNetConfig(2, 4, 4),
    "srresnet_x3": SRResNetConfig(1, 4, 3),
    "srresnet_tanh": SRResNetConfig(2, 4, 2, input_mean=(0.5, 0.4, 0.3), tanh=True),
    "msrresnet": MSRResNetConfig(2, 4, 4),
    "msrresnet_x3": MSRResNetConfig(2, 4, 3),
    "srgan": SRGANConfig(4),
    "srgan_x3": SRGANConfig(3),
    "rdn": RDNConfig(2, 2, 3, 4, 4),
    "rdn_x3": RDNConfig(2, 2, 3, 4, 3),
    "mobile": MobileSRConfig(2, 4, 3),
}


@pytest.mark.parametrize("config", SMALL.values(), ids=SMALL.keys())
def test_pictures_grow_by_the_scale(config: NetworkConfig) -> None:
    network = build_network(config, seed=1).eval()
    with torch.no_grad():
        picture = network(torch.rand(2, 3, 5, 7))
    assert picture.shape == (2, 3, 5 * config.scale, 7 * config.scale)
    assert pixel_range(network) == config.pixel_range


@pytest.mark.parametrize("config", SMALL.values(), ids=SMALL.keys())
def test_a_trace_computes_the_same_picture(config: NetworkConfig) -> None:
    network = build_network(config, seed=1).eval()
    image = config.pixel_range * torch.rand(1, 3, 6, 5)
    with torch.no_grad():
        torch.testing.assert_close(torch.fx.symbolic_trace(network)(image), network(image))


@pytest.mark.parametrize("config", SMALL.values(), ids=SMALL.keys())
def test_every_weight_takes_part_in_the_picture(config: NetworkConfig) -> None:
    network = build_network(config, seed=1).train()
    network(config.pixel_range * torch.rand(2, 3, 6, 6)).square().sum().backward()
    without_effect = [
        name for name, p in network.named_parameters() if p.requires_grad and p.grad is None
    ]
    assert without_effect == []


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("edsr_baseline_x2", 1_369_859), ("edsr_baseline_x4", 1_517_571),
        ("edsr_x2", 40_729_603), ("edsr_x3", 43_680_003), ("edsr_x4", 43_089_923),
        ("msrresnet_x4", 1_517_571), ("rdn_x2", 22_123_395), ("rdn_x4", 22_271_107),
        ("mobile_sr_x2", 41_356),
    ],
)  # fmt: skip
def test_networks_have_their_size(name: str, parameters: int) -> None:
    assert network_size(network_config(name)).parameters == parameters


def test_the_baseline_has_the_published_multiplications() -> None:
    # 114.23 G and 316.25 G for a picture of 1280x720, mean shifts not counted.
    for name, published in (("edsr_baseline_x4", 114.23e9), ("edsr_baseline_x2", 316.25e9)):
        config = network_config(name)
        mean_shifts = 3 * 3 * (1 + 1 / config.scale**2)
        macs = (network_size(config).macs_per_output_pixel - mean_shifts) * 1280 * 720
        assert macs == pytest.approx(published, rel=1e-4)


@pytest.mark.parametrize(
    "config",
    [
        EDSRConfig(2, 3, 2), EDSRConfig(1, 3, 4), DirectEDSRConfig(1, 3, 3),
        RDNConfig(2, 2, 2, 3, 4), MobileSRConfig(3, 3, 2), MSRResNetConfig(1, 3, 4),
        MSRResNetConfig(1, 3, 3),
    ],
)  # fmt: skip
def test_the_receptive_field_is_where_the_gradient_is(config: NetworkConfig) -> None:
    network = build_network(config, seed=1).double().train()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)  # every ReLU is open
    side = 2 * network_size(config).receptive_field_pixels + 3
    image = torch.rand(1, 3, side, side, dtype=torch.double) + 1
    picture = network(image.requires_grad_())
    middle, spans = side // 2 * config.scale, []
    for phase in range(config.scale):
        column = picture[0, 0, middle + phase, middle]
        (gradient,) = torch.autograd.grad(column, image, retain_graph=True)
        rows = torch.nonzero(gradient.abs().sum((0, 1, 3)))
        spans.append(int(rows.max() - rows.min()) + 1)
    assert max(spans) == network_size(config).receptive_field_pixels


def test_the_mobile_network_adds_each_pixel_to_its_block() -> None:
    network = build_network(MobileSRConfig(1, 4, 2)).eval()
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    image = torch.arange(12.0).reshape(1, 3, 2, 2) * 20
    repeated = image.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    assert torch.equal(network(image), repeated)
    network.get_submodule("tail.0").bias.data.fill_(100.0)  # type: ignore[union-attr]
    assert torch.equal(network(image), (repeated + 100).clamp(max=255))


def test_shapes_of_weights_take_no_memory() -> None:
    assert state_shapes(EDSRConfig(1, 4, 2)) == {
        name: tuple(value.shape)
        for name, value in build_network(EDSRConfig(1, 4, 2)).state_dict().items()
    }


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        (
            SRResNetConfig, {"blocks": 1, "channels": 4, "scale": 8},
            "SRResNet network: expected scale 2, 3 or 4, got 8; choose one of them",
        ),
        (
            RDNConfig, {"blocks": 1, "layers": 0, "growth": 1, "channels": 1, "scale": 2},
            "RDN network: expected layers >= 1, got 0; correct the configuration",
        ),
        (
            MobileSRConfig, {"layers": 1, "channels": 4, "scale": 5},
            "mobile network: expected scale 2, 3 or 4, got 5; choose one of them",
        ),
        (
            SRGANConfig, {"scale": 1},
            "SRGAN network: expected scale 2, 3 or 4, got 1; choose one of them",
        ),
    ],
)  # fmt: skip
def test_impossible_shapes_are_user_errors(
    config: type, changes: dict[str, int], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        config(**changes)
    assert str(caught.value) == message


def test_the_page_has_every_network_with_its_size() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    assert list(rows) == list(network_names())
    for name, row in rows.items():
        size = network_size(network_config(name))
        parameters, macs, field = (cell.strip() for cell in row.split("|")[-3:])
        assert parameters == f"{size.parameters:,}".replace(",", " "), name
        assert macs == f"{size.macs_per_output_pixel / 1000:,.1f}".replace(",", " "), name
        assert field == str(size.receptive_field_pixels), name
