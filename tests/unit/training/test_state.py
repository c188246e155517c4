from collections.abc import Callable
from pathlib import Path

import torch

from quant.training.checkpoint import resume, save_checkpoint
from quant.training.config import TrainingConfig
from quant.training.state import TrainingState, fresh_state
from quant.training.step import optimize

Configure = Callable[..., TrainingConfig]


def _step(state: TrainingState, config: TrainingConfig) -> torch.Tensor:
    low, high = torch.full((1, 3, 4, 4), 90.0), torch.full((1, 3, 8, 8), 120.0)
    return optimize(state, config, low, high, rate=1e-3, bfloat16=False)


def test_the_loss_is_the_mean_absolute_error_in_parts_of_white(short_run: Configure) -> None:
    config = short_run()
    state = fresh_state(config, torch.device("cpu"))
    with torch.no_grad():
        picture = state.network(torch.full((1, 3, 4, 4), 90.0))
    expected = (picture - 120.0).abs().mean() / 255
    torch.testing.assert_close(_step(state, config), expected)


def test_the_loss_does_not_depend_on_the_range_of_pixels(short_run: Configure) -> None:
    config = short_run(network="msrresnet_x2")  # works on 0..1
    state = fresh_state(config, torch.device("cpu"))
    with torch.no_grad():
        picture = 255 * state.network(torch.full((1, 3, 4, 4), 90.0 / 255))
    expected = (picture - 120.0).abs().mean() / 255
    torch.testing.assert_close(_step(state, config), expected)


def test_gradients_are_cut_to_the_clip(short_run: Configure) -> None:
    config = short_run(gradient_clip=1e-3)
    state = fresh_state(config, torch.device("cpu"))
    _step(state, config)
    gradients = [p.grad for p in state.network.parameters() if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.cat([g.flatten() for g in gradients]))
    torch.testing.assert_close(norm.item(), 1e-3, rtol=1e-3, atol=0)


def test_the_average_follows_faster_at_first(short_run: Configure) -> None:
    config = short_run(ema_decay=0.9)
    for iteration, decay in ((0, 1 / 10), (10, 11 / 20), (1000, 0.9)):
        state = fresh_state(config, torch.device("cpu"))
        state.iteration = iteration
        before = state.average.get_parameter("tail.1.bias").clone()
        _step(state, config)
        after = state.network.get_parameter("tail.1.bias").detach()
        average = state.average.get_parameter("tail.1.bias")
        torch.testing.assert_close(average, decay * before + (1 - decay) * after)
        assert not torch.equal(before, after)


def test_the_random_state_is_resumed(short_run: Configure, tmp_path: Path) -> None:
    config, path = short_run(), tmp_path / "checkpoint.pt"
    state = fresh_state(config, torch.device("cpu"))
    torch.rand(5)
    save_checkpoint(path, state, config, images_sha256="", provenance={})
    expected = torch.rand(3)
    resume(path, fresh_state(config, torch.device("cpu")), config, images_sha256="")
    assert torch.equal(torch.rand(3), expected)
