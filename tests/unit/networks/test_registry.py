import subprocess
import sys
from pathlib import Path

import pytest
import torch

from quant.common.errors import UserError
from quant.networks import EDSRConfig, load_network, network_config, network_names
from quant.networks.registry import shipped_weights
from quant.networks.weights import save_weights


def test_the_names_that_stand() -> None:
    names = [
        "edsr_tiny_x2", "mobile_sr_x2", "mobile_sr_x3", "mobile_sr_x4", "edsr_baseline_x2",
        "edsr_baseline_x3", "edsr_baseline_x4", "edsr_x2", "edsr_x3", "edsr_x4",
        "edsr_prelu_x2", "edsr_prelu_x3", "edsr_prelu_x4", "srresnet_x2", "srresnet_x3",
        "srresnet_x4", "msrresnet_x2", "msrresnet_x3", "msrresnet_x4", "srgan_x2", "srgan_x3",
        "srgan_x4", "rdn_x2", "rdn_x3", "rdn_x4", "rdn_compact_x2", "rdn_compact_x3",
        "rdn_compact_x4", "edsr_r8f64_x2", "edsr_mlperf_x2", "srresnet_r8f64_x4",
        "srresnet_imagenet_x4",
    ]  # fmt: skip
    assert list(network_names()) == names
    assert network_config("edsr_tiny_x2") == EDSRConfig(blocks=6, channels=32, scale=2)
    assert network_config("edsr_baseline_x3") == EDSRConfig(blocks=16, channels=64, scale=3)


def test_listing_networks_imports_neither_torch_nor_numpy() -> None:
    program = (
        "import sys; from quant.networks import network_names; network_names(); "
        "print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "[]\n"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError) as caught:
        load_network("edsr_tiny")
    assert str(caught.value) == (
        "network 'edsr_tiny' is not known; did you mean 'edsr_tiny_x2' or 'edsr_x4' or 'edsr_x3'?"
    )


def test_weights_that_are_not_shipped_are_asked_for() -> None:
    assert shipped_weights("edsr_x4") is None
    with pytest.raises(UserError) as caught:
        load_network("edsr_x4")
    assert str(caught.value) == (
        "network 'edsr_x4': weights are not shipped with this program; "
        "give a file with --weights FILE (`hwsim train` makes one)"
    )


def test_weights_and_a_seed_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_network("edsr_tiny_x2", weights=tmp_path / "a.pt", random_seed=1)
    assert str(caught.value) == (
        "network 'edsr_tiny_x2': expected a weights file or a random seed, got both; give one"
    )


def test_given_weights_are_loaded(tmp_path: Path) -> None:
    random = load_network("edsr_tiny_x2", random_seed=3)
    save_weights(tmp_path / "w.safetensors", random, {})
    loaded = load_network("edsr_tiny_x2", weights=tmp_path / "w.safetensors")
    assert not loaded.training
    for name, value in random.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
