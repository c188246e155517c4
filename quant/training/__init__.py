"""Training float networks on folders of pictures: resumable, seeded, with recorded provenance."""

from quant.training.config import TrainingConfig
from quant.training.export import export_weights
from quant.training.loop import TrainingResult, train
from quant.training.shipping import ShippedWeights, average_weights, ship_weights

__all__ = [
    "ShippedWeights",
    "TrainingConfig",
    "TrainingResult",
    "average_weights",
    "export_weights",
    "ship_weights",
    "train",
]
