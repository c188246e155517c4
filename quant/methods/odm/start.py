"""What ODM looks at before it learns: ranges of layers' inputs, and how their channels differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quant.lowering.float_network import FloatNetwork
from quant.methods.learning.trainable_network import Places, TrainableNetwork
from quant.methods.odm.quantizers import OffsetKind
from quant.methods.odm.settings import OFFSET_SHARE, RANGE_PERCENT


@dataclass(frozen=True, slots=True)
class LayerStart:
    """What the float network feeds a layer.

    Attributes:
        low: mean over pictures of the 1st percentile.
        high: the same of the 99th.
        mean_mismatch: standard deviation of the channels' means, in that of all values.
        deviation_mismatch: the same of the channels' standard deviations.
    """

    low: float
    high: float
    mean_mismatch: float
    deviation_mismatch: float


class _Sums:
    """Of one layer's input, picture by picture."""

    def __init__(self) -> None:
        self.ranges: list[NDArray[np.float64]] = []
        self.count = 0
        self.total: NDArray[np.float64] | float = 0.0
        self.squares: NDArray[np.float64] | float = 0.0

    def add(self, values: Tensor) -> None:
        """Batch x channels x height x width."""
        for picture in values.cpu().numpy():
            self.ranges.append(np.percentile(picture, (100 - RANGE_PERCENT, RANGE_PERCENT)))
            self.count += picture[0].size
            self.total = self.total + picture.sum(axis=(1, 2), dtype=np.float64)
            self.squares = self.squares + np.square(picture, dtype=np.float64).sum(axis=(1, 2))

    def result(self) -> LayerStart:
        means, squares = (np.asarray(sums) / self.count for sums in (self.total, self.squares))
        deviations = np.sqrt(np.maximum(squares - means**2, 0))
        whole = np.sqrt(max(squares.mean() - means.mean() ** 2, np.finfo(float).tiny))
        low, high = np.mean(self.ranges, axis=0).tolist()
        return LayerStart(low, high, float(means.std() / whole), float(deviations.std() / whole))


@torch.no_grad()
def observe_inputs(
    network: FloatNetwork, layers: Sequence[str], batches: Iterable[Tensor]
) -> dict[str, LayerStart]:
    """What the float network feeds some of its layers.

    Args:
        network: a folded network.
        layers: names of layers.
        batches: pictures, float32, batch x colours x height x width, 0…255.
    """
    by_name = network.by_name()
    read = {by_name[name].inputs[0] for name in layers}
    sums = {source: _Sums() for source in read}
    trainable = TrainableNetwork(network, Places())

    def note(name: str, values: Tensor) -> None:
        if name in sums:
            sums[name].add(values)

    for batch in batches:
        trainable(batch, on_map=note)
    found = {source: each.result() for source, each in sums.items()}
    return {name: found[by_name[name].inputs[0]] for name in layers}


def chosen_offsets(starts: Mapping[str, LayerStart]) -> dict[str, OffsetKind]:
    """Which layers get which offset: a shift or scale for the 30 % that need it most.

    A layer that is among both takes the one it ranks higher for, a shift where it ranks alike.

    Args:
        starts: of each layer.
    """
    count = max(1, round(OFFSET_SHARE * len(starts))) if starts else 0
    by_mean = sorted(starts, key=lambda name: -starts[name].mean_mismatch)[:count]
    by_deviation = sorted(starts, key=lambda name: -starts[name].deviation_mismatch)[:count]
    chosen: dict[str, OffsetKind] = {}
    for name in starts:
        shift = by_mean.index(name) if name in by_mean else count
        scale = by_deviation.index(name) if name in by_deviation else count
        if min(shift, scale) < count:
            chosen[name] = "shift" if shift <= scale else "scale"
    return chosen
