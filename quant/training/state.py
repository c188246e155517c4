"""What changes during a run."""

import copy
from dataclasses import dataclass, field

import torch
from torch import nn

from quant.networks.registry import load_network
from quant.training.config import TrainingConfig
from quant.training.hardware import uses_bfloat16
from quant.training.initial_weights import InitialWeights, take_fitting
from quant.training.muon import Muon

_LEAST_CHANNELS = 16  # of both sides of an inner convolution; colours are 3, or 12 in 2 x 2 blocks


@dataclass(slots=True)
class TrainingState:
    """What changes during a run.

    Attributes:
        network: the network being trained.
        average: the moving average of its weights, the one that is judged and exported.
        initial_weights: what ``network`` started from; None: random weights.
        optimizers: Muon over the weights of inner convolutions, and Adam over what else is trained.
        iteration: steps done.
        elapsed_seconds: training time so far, over all resumed parts.
        psnr_history: (iteration, dB) of each judgement.
    """

    network: nn.Module
    average: nn.Module
    initial_weights: InitialWeights | None
    optimizers: tuple[torch.optim.Optimizer, ...]
    iteration: int = 0
    elapsed_seconds: float = 0.0
    psnr_history: list[tuple[int, float]] = field(default_factory=list)


def fresh_state(config: TrainingConfig, device: torch.device) -> TrainingState:
    """The state before the first step: weights from seed or file, the average equal to them.

    Raises:
        UserError: the file of initial weights is unfit.
    """
    torch.manual_seed(config.seed)
    network = load_network(config.network, random_seed=config.seed).train()
    path = config.initial_weights
    initial_weights = None if path is None else take_fitting(network, path)
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval().requires_grad_(False)
    optimizers = _optimizers(network, config, bfloat16=uses_bfloat16(config, device))
    return TrainingState(network, average, initial_weights, optimizers)


def _optimizers(
    network: nn.Module, config: TrainingConfig, *, bfloat16: bool
) -> tuple[torch.optim.Optimizer, ...]:
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    inner = [parameter for parameter in trainable if _is_inner(parameter)]
    others = [parameter for parameter in trainable if not _is_inner(parameter)]
    rate = config.learning_rate
    # Fused: one pass over the weights instead of a dozen.
    adam = torch.optim.Adam(others, lr=rate, fused=True)
    return (Muon(inner, rate, bfloat16=bfloat16), adam) if inner else (adam,)


def _is_inner(parameter: nn.Parameter) -> bool:
    """Weights of a convolution neither from nor to colours: matrices worth the name."""
    return parameter.dim() == 4 and min(parameter.shape[:2]) >= _LEAST_CHANNELS
