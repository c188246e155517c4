"""Training float networks on folders of pictures: resumable, seeded, with recorded provenance."""

from quant.training.config import TrainingConfig
from quant.training.export import export_weights
from quant.training.loop import TrainingResult, train

__all__ = ["TrainingConfig", "TrainingResult", "export_weights", "train"]
