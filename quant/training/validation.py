"""Judging a network on whole pictures while it trains."""

from pathlib import Path

import torch
from torch import nn

from quant.imaging.metrics import luma_psnr_db
from quant.networks.inference import super_resolve
from quant.training.patches import TrainingPair, load_pairs


def load_validation(folder: Path | None, scale: int) -> list[TrainingPair]:
    """The pictures of a folder with their low-resolution counterparts; empty without a folder.

    Raises:
        UserError: the folder holds no images, or a damaged one.
    """
    # Beyond the border that is left out, at least one pixel has to remain to be judged.
    return [] if folder is None else load_pairs([folder], scale, patch=3)


def mean_psnr_db(network: nn.Module, pairs: list[TrainingPair], scale: int) -> float:
    """Mean luma PSNR over pictures, border crop ``scale``, in dB."""
    figures = [
        luma_psnr_db(pair.high, super_resolve(network, pair.low), border=scale) for pair in pairs
    ]
    return float(torch.tensor(figures, dtype=torch.float64).mean())
