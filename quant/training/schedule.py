"""How far a run is, and the learning rate that follows from it."""

import math

from quant.training.config import TrainingConfig

_FINAL_FRACTION = 0.01  # of the peak learning rate, reached at the end


def progress_fraction(config: TrainingConfig, iteration: int, elapsed_seconds: float) -> float:
    """How much of the run is done, 0..1: by steps or by time, whichever is further.

    Args:
        config: the run.
        iteration: steps done.
        elapsed_seconds: training time so far, over all resumed parts.
    """
    by_steps = iteration / config.iterations
    by_time = 0.0 if config.minutes is None else elapsed_seconds / (60 * config.minutes)
    return min(1.0, max(by_steps, by_time))


def learning_rate(config: TrainingConfig, iteration: int, fraction: float) -> float:
    """Linear warm-up, then half a cosine from the peak to one per cent of it.

    Cosine annealing without restarts: Loshchilov and Hutter, arXiv 1608.03983, equation 5.

    Args:
        config: the run.
        iteration: steps done.
        fraction: ``progress_fraction`` of the run.

    Returns:
        The learning rate of the next step.
    """
    cosine = 0.5 * (1 + math.cos(math.pi * fraction))
    annealed = config.learning_rate * (_FINAL_FRACTION + (1 - _FINAL_FRACTION) * cosine)
    return annealed * min(1.0, (iteration + 1) / (config.warmup + 1))
