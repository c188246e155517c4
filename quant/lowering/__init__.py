"""From float networks to integer graphs: trace, calibrate, encode, lower.

Importing this package does not import torch; ``quant.lowering.trace`` and
``quant.lowering.execution`` do.
"""

from quant.lowering.encodings import (
    FINE,
    MapEncoding,
    ScaleGrid,
    WeightEncoding,
    image_encoding,
    mid_rise_weights,
    picture_encoding,
    scale_grid,
    signed_encoding,
    smallest_weight_scales,
    symmetric_weights,
    unsigned_encoding,
)
from quant.lowering.float_network import FloatNetwork
from quant.lowering.lower import lower
from quant.lowering.plan import Encodings, with_whole_offsets
from quant.lowering.statistics import Images, Progress, Statistics, TensorStatistics, observe
from quant.lowering.storage import stream_names

__all__ = [
    "FINE",
    "Encodings",
    "FloatNetwork",
    "Images",
    "MapEncoding",
    "Progress",
    "ScaleGrid",
    "Statistics",
    "TensorStatistics",
    "WeightEncoding",
    "image_encoding",
    "lower",
    "mid_rise_weights",
    "observe",
    "picture_encoding",
    "scale_grid",
    "signed_encoding",
    "smallest_weight_scales",
    "stream_names",
    "symmetric_weights",
    "unsigned_encoding",
    "with_whole_offsets",
]
