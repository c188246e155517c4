"""What changes during a run."""

import copy
from dataclasses import dataclass, field

import torch
from torch import nn

from quant.networks.registry import load_network
from quant.training.config import TrainingConfig


@dataclass(slots=True)
class TrainingState:
    """What changes during a run.

    Attributes:
        network: the network being trained.
        average: the moving average of its weights, the one that is judged and exported.
        optimizer: Adam over the trainable parameters of ``network``.
        iteration: steps done.
        elapsed_seconds: training time so far, over all resumed parts.
        psnr_history: (iteration, dB) of each judgement.
    """

    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    iteration: int = 0
    elapsed_seconds: float = 0.0
    psnr_history: list[tuple[int, float]] = field(default_factory=list)


def fresh_state(config: TrainingConfig, device: torch.device) -> TrainingState:
    """The state before the first step: weights from the seed, the average equal to them."""
    torch.manual_seed(config.seed)
    network = load_network(config.network, random_seed=config.seed).train()
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval().requires_grad_(False)
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    # Fused: one pass over the weights instead of a dozen, a tenth of a step of a small network.
    optimizer = torch.optim.Adam(trainable, lr=config.learning_rate, fused=True)
    return TrainingState(network, average, optimizer)
