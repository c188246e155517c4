"""One step of the optimizer."""

import torch
from torch import Tensor, nn

from quant.training.config import TrainingConfig
from quant.training.state import TrainingState

_WHITE = 255.0  # networks take and give pixels in 0..255


def optimize(
    state: TrainingState,
    config: TrainingConfig,
    low: Tensor,
    high: Tensor,
    *,
    rate: float,
    bfloat16: bool,
) -> Tensor:
    """Move the weights, and their average, by one batch.

    Args:
        state: network, average and optimizer, changed in place; its iteration is left alone.
        config: the run.
        low: float32, N x 3 x H x W in 0..255, on the network's device.
        high: float32, N x 3 x scale*H x scale*W in 0..255.
        rate: the learning rate.
        bfloat16: whether convolutions multiply bfloat16.

    Returns:
        The mean absolute error in 0..1 pixels before the step, a scalar tensor still on the
        device, so that nobody has to wait for it.
    """
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.optimizer.zero_grad(set_to_none=True)
    with torch.autocast(low.device.type, dtype=torch.bfloat16, enabled=bfloat16):
        enlarged = state.network(low)
    loss = nn.functional.l1_loss(enlarged.float(), high) / _WHITE
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(state.network.parameters(), config.gradient_clip)
    state.optimizer.step()
    _update_average(state, config.ema_decay)
    return loss.detach()


@torch.no_grad()
def _update_average(state: TrainingState, decay: float) -> None:
    # Early on the decay is smaller, so that the random start is forgotten soon.
    decay = min(decay, (1 + state.iteration) / (10 + state.iteration))
    pairs = zip(state.average.parameters(), state.network.parameters(), strict=True)
    for average, current in pairs:
        average.lerp_(current, 1 - decay)
