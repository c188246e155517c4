from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from quant.common.errors import UserError
from quant.networks import load_network
from quant.networks.registry import shipped_weights
from quant.networks.weights import read_provenance, save_weights
from quant.training import TrainingConfig, train
from quant.training.initial_weights import take_fitting
from quant.training.state import fresh_state

Configure = Callable[..., TrainingConfig]


@pytest.fixture
def mobile_x2(tmp_path: Path) -> Path:
    path = tmp_path / "mobile_sr_x2.safetensors"
    save_weights(path, load_network("mobile_sr_x2", random_seed=5), {"seed": 5})
    return path


def test_what_fits_is_taken_and_the_rest_stays_random(
    short_run: Configure, mobile_x2: Path
) -> None:
    config = short_run(network="mobile_sr_x3", initial_weights=mobile_x2)
    state = fresh_state(config, torch.device("cpu"))
    given = load_network("mobile_sr_x2", mobile_x2).state_dict()
    random = load_network("mobile_sr_x3", random_seed=config.seed).state_dict()
    for network in (state.network, state.average):
        for name, value in network.state_dict().items():
            expected = random if name.startswith("tail") else given
            assert torch.equal(value, expected[name]), name
    assert str(state.initial_weights) == (
        "10 tensors of mobile_sr_x2.safetensors, 2 at random (tail.0.weight, tail.0.bias)"
    )


def test_scale_4_takes_all_of_scale_2_but_its_second_enlargement() -> None:
    source = load_network("edsr_baseline_x2", random_seed=1)
    network = load_network("edsr_baseline_x4", random_seed=2)
    shared = set(source.state_dict()) & set(network.state_dict())
    assert set(network.state_dict()) - shared == {"tail.0.2.weight", "tail.0.2.bias"}
    assert all(source.state_dict()[n].shape == network.state_dict()[n].shape for n in shared)


def test_weights_and_checkpoint_record_the_start(short_run: Configure, mobile_x2: Path) -> None:
    config = short_run(network="mobile_sr_x3", initial_weights=mobile_x2, iterations=2)
    result = train(config)
    record = read_provenance(result.weights)["initial_weights"]
    assert isinstance(record, dict)
    assert len(record.pop("sha256")) == 64
    assert record == {
        "file": "mobile_sr_x2.safetensors",
        "taken": 10,
        "left": ["tail.0.weight", "tail.0.bias"],
        "provenance": {"seed": 5},
    }
    assert train(config).iterations == 2  # the same command goes on


def test_another_start_is_another_run(short_run: Configure, mobile_x2: Path) -> None:
    train(short_run(network="mobile_sr_x3", iterations=2))
    with pytest.raises(UserError, match=r"expected initial weights [0-9a-f]{64}, found None; "):
        train(short_run(network="mobile_sr_x3", iterations=2, initial_weights=mobile_x2))


def test_weights_of_another_family_are_a_user_error() -> None:
    path = shipped_weights("edsr_tiny_x2")
    assert path is not None
    with pytest.raises(UserError) as caught:
        take_fitting(load_network("srgan_x2", random_seed=0), path)
    assert str(caught.value) == (
        f"{path}: expected weights that share tensors with the network to train, found none of "
        "the same name and shape; give weights of a network of the same family"
    )
