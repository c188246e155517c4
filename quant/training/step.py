"""One step of the optimizers."""

from itertools import compress

import torch
from torch import Tensor, nn

from quant.networks.inference import pixel_range
from quant.training.config import TrainingConfig
from quant.training.state import TrainingState

_WHITE_CODE = 255.0  # of the 8-bit pictures that are trained on


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
        state: network, average and optimizers, changed in place; its iteration is left alone.
        config: the run.
        low: float32, N x 3 x H x W in 0..255, on the network's device.
        high: float32, N x 3 x scale*H x scale*W in 0..255.
        rate: the learning rate.
        bfloat16: whether convolutions multiply bfloat16.

    Returns:
        The mean absolute error in 0..1 pixels before the step, a scalar tensor still on the
        device, so that nobody has to wait for it.
    """
    white = pixel_range(state.network)
    for optimizer in state.optimizers:
        optimizer.zero_grad(set_to_none=True)
        for group in optimizer.param_groups:
            group["lr"] = rate
    with torch.autocast(low.device.type, dtype=torch.bfloat16, enabled=bfloat16):
        enlarged = state.network(low * (white / _WHITE_CODE))
    loss = nn.functional.l1_loss(enlarged.float() / white, high / _WHITE_CODE)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(state.network.parameters(), config.gradient_clip)
    for optimizer in state.optimizers:
        optimizer.step()
    _update_average(state, config.ema_decay)
    return loss.detach()


@torch.no_grad()
def _update_average(state: TrainingState, decay: float) -> None:
    # Early on the decay is smaller, so that the random start is forgotten soon.
    decay = min(decay, (1 + state.iteration) / (10 + state.iteration))
    averages, currents = (list(m.state_dict().values()) for m in (state.average, state.network))
    # Numbers are weights, and the statistics of batch normalization; the rest are its counters.
    numbers = [average.is_floating_point() for average in averages]
    torch._foreach_lerp_(
        list(compress(averages, numbers)), list(compress(currents, numbers)), 1 - decay
    )
    for average, current, is_number in zip(averages, currents, numbers, strict=True):
        if not is_number:
            average.copy_(current)
