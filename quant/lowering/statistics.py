"""What values a feature map takes: its range, and a histogram fine enough for percentiles."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import FloatInput

Images = Sequence[NDArray[np.uint8]]
Progress = Callable[[int, int], None]
"""Called with the images done and the images in all."""

_BINS = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class TensorStatistics:
    """Values one feature map took over all calibration images.

    Attributes:
        low: smallest value.
        high: largest value.
        histogram: int64 [65536], how often each bfloat16 value was reached after dropping the
            low half of a float32, in increasing order; see `_bin`. Empty if not asked for.
    """

    low: float
    high: float
    histogram: NDArray[np.int64]

    def percentile(self, percent: float) -> float:
        """The value below which ``percent`` per cent lie, within 1/128 of its size.

        The bin's edge farther from zero is returned, within ``low`` and ``high``.

        Raises:
            ValueError: no histogram was made.
        """
        if self.histogram.size == 0:
            raise ValueError("percentile: expected statistics with a histogram")
        cumulative = np.cumsum(self.histogram)
        rank = max(percent / 100 * cumulative[-1], 1)
        edge = _outer_edge(int(np.searchsorted(cumulative, rank)))
        return float(np.clip(edge, self.low, self.high))

    def counted_values(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The middle of each bin that was reached, ascending, and how often it was.

        Raises:
            ValueError: no histogram was made.
        """
        if self.histogram.size == 0:
            raise ValueError("values: expected statistics with a histogram")
        places = np.flatnonzero(self.histogram)
        return _middles(places), self.histogram[places]


def observe(
    network: FloatNetwork,
    images: Images,
    *,
    histograms: bool = False,
    progress: Progress | None = None,
) -> dict[str, TensorStatistics]:
    """Run the float network over images, one at a time, and note what each feature map holds.

    Args:
        network: a folded network.
        images: uint8, each height x width x colours.
        histograms: whether to count values too (about twice as slow).
        progress: told after every image.

    Raises:
        UserError: there are no images, one has other channels than the network's input, or a
            feature map overflows.
    """
    require_images(network, images)
    from quant.lowering.execution import Execution  # torch takes seconds to import

    execution = Execution(network)
    seen: dict[str, TensorStatistics] = {}
    for done, image in enumerate(images, start=1):
        for name, values in execution.feature_maps(image):
            new = _statistics(values.numpy(), histograms)
            if not isfinite(new.low) or not isfinite(new.high):
                raise UserError(
                    f"network layer '{name}': expected finite values for calibration image {done}, "
                    "found an overflow; train the network again or give other weights"
                )
            seen[name] = _merged(seen[name], new) if name in seen else new
        if progress is not None:
            progress(done, len(images))
    return seen


def require_images(network: FloatNetwork, images: Images) -> None:
    """Raises: UserError: there are no images, or one does not fit the network's input."""
    image = network.nodes[0].operator
    assert isinstance(image, FloatInput)
    if not images:
        raise UserError("calibration: expected at least one image, got none; give some")
    for position, pixels in enumerate(images, start=1):
        if pixels.ndim != 3 or pixels.shape[2] != image.channels or pixels.dtype != np.uint8:
            raise UserError(
                f"calibration image {position}: expected uint8, height x width x {image.channels}, "
                f"got {pixels.dtype} {pixels.shape}; convert it"
            )


def _statistics(values: NDArray[np.float32], histograms: bool) -> TensorStatistics:
    counts = np.zeros(0, np.int64)
    if histograms:
        counts = np.bincount(_bin(values), minlength=_BINS)
    return TensorStatistics(float(values.min()), float(values.max()), counts)


def _merged(one: TensorStatistics, other: TensorStatistics) -> TensorStatistics:
    return TensorStatistics(
        min(one.low, other.low), max(one.high, other.high), one.histogram + other.histogram
    )


def _bin(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """The upper half of each float32, numbered so that larger values have larger numbers."""
    upper = np.ascontiguousarray(values).reshape(-1).view(np.uint32) >> 16
    return np.where(upper & 0x8000, 0xFFFF - upper, upper + 0x8000).astype(np.int64)


def _middles(places: NDArray[np.int64]) -> NDArray[np.float64]:
    """The values halfway between the edges of bins, float32 whose low half is a one and zeros."""
    upper = np.where(places >= 0x8000, places - 0x8000, 0xFFFF - places).astype(np.uint32)
    return (upper << 16 | 0x8000).view(np.float32).astype(np.float64)


def _outer_edge(position: int) -> float:
    """The value of a bin farthest from zero, a float32 whose low half is all ones."""
    upper = position - 0x8000 if position >= 0x8000 else 0xFFFF - position
    return float(np.array([upper << 16 | 0xFFFF], np.uint32).view(np.float32)[0])


Statistics = Mapping[str, TensorStatistics]
"""Statistics of every feature map, by node name."""
