"""Post-training quantization with the least squared error: ``omse``.

Ranges are cut where that rounds the rest so much finer that the squared error falls. Source:
Choukroun, Kravchik, Yang and Kisilev, "Low-bit quantization of neural networks for efficient
inference", ICCV workshops 2019, arXiv 1902.06822. ``docs/methods/minmax.md`` has measurements.
"""

from dataclasses import dataclass

import numpy as np

from quant.common.requantization_modes import DEFAULT_MODE
from quant.lowering import FloatNetwork, TensorStatistics, unsigned_encoding
from quant.lowering.float_operators import Reals
from quant.methods.calibration import Calibration
from quant.methods.quantized_network import QuantizedNetwork
from quant.methods.ranges import Source, ranged_network
from quant.policy import BitPolicy

_FRACTIONS = np.arange(100, 0, -1) / 100
"""Of a range that are tried, all of it first: where errors are equal nothing is cut."""

_ROUNDS = 3
"""At most, of looking for the upper end and then for the lower one."""


@dataclass(frozen=True, slots=True)
class Omse:
    """Codes cover the part of what was observed that has the least squared error.

    Feature maps that take part in additions keep their whole range.
    """

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> QuantizedNetwork:
        """See `QuantizationMethod.quantize`."""
        source = Source(policy, str(self), calibration.description, rounding)
        return ranged_network(
            network, source, calibration.histograms, least_error_range, least_error_reach
        )

    def __str__(self) -> str:
        return "omse"


def least_error_range(statistics: TensorStatistics, bits: int) -> tuple[float, float]:
    """Low and high whose unsigned codes lose least of the values that were counted.

    Args:
        statistics: with a histogram.
        bits: width of a code.
    """
    values, counts = statistics.counted_values()
    values = np.clip(values, statistics.low, statistics.high)

    def error(low: float, high: float) -> float:
        encoding = unsigned_encoding(low, high, bits)
        codes = np.floor(values / encoding.scale + 0.5) + encoding.zero[0]
        inside = np.clip(codes, encoding.integer.low, encoding.integer.high)
        squares = (values - encoding.scale * (inside - encoding.zero[0])) ** 2
        return float((counts * squares).sum())  # not @: its rounding depends on BLAS threads

    low, high = least, greatest = min(statistics.low, 0.0), max(statistics.high, 0.0)
    for _ in range(_ROUNDS):
        before = low, high
        high = min((greatest * part for part in _FRACTIONS), key=lambda end: error(low, end))
        low = min((least * part for part in _FRACTIONS), key=lambda end: error(end, high))
        if (low, high) == before:
            break
    return low, high


def least_error_reach(weight: Reals, bits: int) -> Reals:
    """The magnitude of each output channel at which clipping its weights loses least.

    Args:
        weight: float64 [out_channels, kernel_height, kernel_width, in_channels].
        bits: width of a weight. With one, nothing is clipped: the mean magnitude is the best.

    Returns:
        float64 [out_channels].
    """
    taps = weight.reshape(len(weight), -1)
    whole: Reals = np.abs(taps).max(axis=1)
    if bits == 1:
        return whole
    greatest = (1 << bits - 1) - 1
    errors = np.empty((len(_FRACTIONS), len(weight)))
    for row, part in zip(errors, _FRACTIONS, strict=True):
        scale = np.maximum(whole * part / greatest, np.finfo(float).tiny)[:, None]
        codes = np.clip(np.floor(taps / scale + 0.5), -greatest, greatest)
        row[:] = ((taps - scale * codes) ** 2).sum(axis=1)
    best: Reals = whole * _FRACTIONS[errors.argmin(axis=0)]
    return best
