"""What a run records about itself beyond its settings."""

import subprocess
from pathlib import Path

import torch

from quant.training.config import TrainingConfig


def run_provenance(config: TrainingConfig, bfloat16: bool) -> dict[str, object]:
    """How far the schedule goes, and the software and arithmetic at work, for the weights file.

    Args:
        config: the run.
        bfloat16: whether convolutions multiply bfloat16.

    Returns:
        Planned iterations and minutes (not None: the run followed the clock and cannot be
        repeated bit for bit), precision, threads, torch version, and the commit of this code when
        it runs from a git checkout.
    """
    return {
        "planned_iterations": config.iterations,
        "planned_minutes": config.minutes,
        "precision": "bfloat16" if bfloat16 else "float32",
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "commit": commit(),
    }


def commit() -> str | None:
    """The commit of this code when it runs from a git checkout."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
