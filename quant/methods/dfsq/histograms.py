"""What values a body layer's channels take once they are normalized, over calibration patches."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from quant.common.run_time_scaling import LARGEST_POINT
from quant.lowering import FloatNetwork, Images

BINS_PER_UNIT = 2 * LARGEST_POINT
"""Bins have the width of half a point's grid, so that the middle between two points is an edge."""
BINS = 2 * BINS_PER_UNIT + 1
"""Bin n holds the values above (n − 1)/2048 − 1 up to n/2048 − 1: a value half way between two
points lies with the lower one, which is nearest by convention."""

PATCHES, PATCH_SIDE_PIXELS = 32, 48
"""As in the authors' calibration: 32 patches of 48 × 48 low-resolution pixels."""

_SMALLEST_REACH = 1e-8  # the authors' addend, which keeps constant channels at 0

Histograms = Mapping[str, NDArray[np.int64]]
"""By layer: int64 [channels, BINS]."""


def patches_of(images: Images, seed: int) -> list[NDArray[np.uint8]]:
    """Random patches of pictures, each turned and mirrored at random.

    Args:
        images: uint8, height x width x colours; smaller ones are taken as high or wide as they are.
        seed: of all draws.
    """
    random = np.random.default_rng(seed)
    return [_patch(random, images[int(random.integers(len(images)))]) for _ in range(PATCHES)]


def _patch(random: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    sides = [min(PATCH_SIDE_PIXELS, side) for side in image.shape[:2]]
    top, left = (
        int(random.integers(side - taken, endpoint=True))
        for side, taken in zip(image.shape[:2], sides, strict=True)
    )
    patch = image[top : top + sides[0], left : left + sides[1]]
    for axis in (0, 1):
        if random.random() < 0.5:
            patch = np.flip(patch, axis)
    return np.rot90(patch) if random.random() < 0.5 else patch


def normalized_histograms(
    network: FloatNetwork,
    layers: Mapping[str, bool],
    images: Iterable[NDArray[np.uint8]],
) -> Histograms:
    """Histograms of normalized inputs.

    Args:
        network: a folded network.
        layers: for each layer, whether its input is centred.
        images: uint8, height x width x colours; each is normalized by itself.

    Returns:
        For each layer int64 [channels, BINS].
    """
    from quant.lowering.execution import Execution  # torch takes seconds to import

    execution, channels = Execution(network), network.channels()
    by_source: dict[str, list[str]] = {}
    for name in layers:
        by_source.setdefault(network.by_name()[name].inputs[0], []).append(name)
    counts = {
        name: np.zeros((channels[source], BINS), np.int64)
        for source, names in by_source.items()
        for name in names
    }
    for image in images:
        for source, values in execution.feature_maps(image):
            for name in by_source.get(source, ()):
                counts[name] += _counted(values.double().numpy()[0], is_centred=layers[name])
    return counts


def _counted(values: NDArray[np.float64], *, is_centred: bool) -> NDArray[np.int64]:
    """How many normalized values each bin holds, of each channel of one image."""
    of_channels = values.reshape(len(values), -1)
    if is_centred:
        of_channels = of_channels - of_channels.mean(axis=1, keepdims=True)
    reach = np.abs(of_channels).max(axis=1, keepdims=True) + _SMALLEST_REACH
    bins = np.ceil((of_channels / reach + 1) * BINS_PER_UNIT).astype(np.int64)
    first = np.arange(len(bins))[:, np.newaxis] * BINS
    found = np.bincount((first + bins).reshape(-1), minlength=len(bins) * BINS)
    return found.reshape(len(bins), BINS)
