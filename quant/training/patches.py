"""The training pictures in memory, and the batches cut from them.

A batch is a pure function of the pictures, the seed and the step, so a resumed run sees exactly
what the uninterrupted one would have seen.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.imaging.data_sets import image_files
from quant.imaging.files import read_image
from quant.imaging.resize import bicubic_downscale, crop_to_multiple


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """One picture at both resolutions.

    Attributes:
        low: uint8, height x width x 3.
        high: uint8, scale*height x scale*width x 3.
    """

    low: NDArray[np.uint8]
    high: NDArray[np.uint8]


def load_pairs(folders: Sequence[Path], scale: int, patch: int) -> list[TrainingPair]:
    """Decode every picture once and make its low-resolution counterpart.

    Args:
        folders: folders of high-resolution pictures.
        scale: the factor between the resolutions.
        patch: height and width of a low-resolution patch, the smallest picture of use.

    Raises:
        UserError: a folder has no images, or a picture is damaged or smaller than a patch; the
            sentence names the file.
    """
    return [_load_pair(file, scale, patch) for folder in folders for file in image_files(folder)]


def fingerprint(pairs: Sequence[TrainingPair]) -> str:
    """SHA-256 of the pictures' sizes and pixels, to recognise the set when a run is resumed."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(str(pair.high.shape).encode())
        digest.update(np.ascontiguousarray(pair.high).data)
    return digest.hexdigest()


def batch_at(
    pairs: Sequence[TrainingPair], iteration: int, *, seed: int, batch: int, patch: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The patches of one step: random pictures by area, random places, flips and rotations.

    Args:
        pairs: the training set.
        iteration: the step, from 0.
        seed: the run's seed.
        batch: patches.
        patch: height and width of a low-resolution patch.

    Returns:
        Low-resolution patches, uint8, batch x patch x patch x 3, and the high-resolution ones,
        batch x scale*patch x scale*patch x 3.
    """
    generator = np.random.default_rng((seed, iteration))
    areas = np.array([pair.low.shape[0] * pair.low.shape[1] for pair in pairs], dtype=np.float64)
    chosen = generator.choice(len(pairs), size=batch, p=areas / areas.sum())
    low, high = zip(*(_cut(pairs[i], patch, generator) for i in chosen), strict=True)
    return np.stack(low), np.stack(high)


def _load_pair(file: Path, scale: int, patch: int) -> TrainingPair:
    image = read_image(file)
    height, width = image.shape[:2]
    if min(height, width) < scale * patch:
        raise UserError(
            f"{file}: expected at least {scale * patch} pixels each way (patch {patch} x scale "
            f"{scale}), found {width}x{height}; remove the picture or choose a smaller patch"
        )
    return pair_of(image, scale)


def pair_of(image: NDArray[np.uint8], scale: int) -> TrainingPair:
    """A picture, without what is left over of its sides, and its reduction.

    Args:
        image: uint8, height x width x 3, at least ``scale`` pixels each way.
        scale: the factor between the resolutions.
    """
    high = crop_to_multiple(image, scale)
    return TrainingPair(low=bicubic_downscale(high, scale), high=high)


def _cut(
    pair: TrainingPair, patch: int, generator: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    scale = pair.high.shape[0] // pair.low.shape[0]
    top = int(generator.integers(pair.low.shape[0] - patch + 1))
    left = int(generator.integers(pair.low.shape[1] - patch + 1))
    flip, mirror, turn = generator.integers(2, size=3)

    def patch_of(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
        rows = slice(top * factor, (top + patch) * factor)
        columns = slice(left * factor, (left + patch) * factor)
        cut = image[rows, columns][:: 1 - 2 * int(flip), :: 1 - 2 * int(mirror)]
        return cut.transpose(1, 0, 2) if turn else cut

    return patch_of(pair.low, 1), patch_of(pair.high, scale)
