"""How well pictures are enlarged: whole data sets, in the figures the field compares."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.imaging.data_sets import DataSet
from quant.imaging.metrics import luma_psnr_db, luma_ssim

Pixels = NDArray[np.uint8]
Enlarge = Callable[[Pixels], Pixels]
"""From a picture, uint8 [height, width, 3], to one of ``scale`` times its size."""

Place = tuple[slice, slice]
"""Rows and columns of a picture."""

Progress = Callable[[int, int], None]
"""Called with the pictures done and all pictures."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Of a picture, or the mean over pictures.

    Attributes:
        psnr_db: luma PSNR in dB; infinite for identical pictures.
        ssim: luma SSIM.
    """

    psnr_db: float
    ssim: float


@dataclass(frozen=True, slots=True)
class PictureQuality:
    """What became of one picture.

    Attributes:
        name: its file's name without suffix.
        height: of the original, in pixels.
        width: of the original, in pixels.
        by_means: quality by the name of what enlarged it.
    """

    name: str
    height: int
    width: int
    by_means: Mapping[str, Quality]


@dataclass(frozen=True, slots=True)
class DataSetQuality:
    """What became of a data set.

    Attributes:
        name: of the data set.
        pictures: in order.
    """

    name: str
    pictures: tuple[PictureQuality, ...]

    def mean(self, means: str) -> Quality:
        """The mean over all pictures, as tables of the field state it."""
        qualities = [picture.by_means[means] for picture in self.pictures]
        return Quality(
            math.fsum(quality.psnr_db for quality in qualities) / len(qualities),
            math.fsum(quality.ssim for quality in qualities) / len(qualities),
        )


def judge(original: Pixels, picture: Pixels, scale: int) -> Quality:
    """Luma PSNR and SSIM, ``scale`` pixels left out on each side, as the field judges.

    Args:
        original: uint8 [height, width, 3].
        picture: of the same size.
        scale: what was enlarged by.
    """
    return Quality(luma_psnr_db(original, picture, scale), luma_ssim(original, picture, scale))


def evaluate(
    data_set: DataSet,
    means: Mapping[str, Enlarge],
    scale: int,
    progress: Progress | None = None,
) -> DataSetQuality:
    """Enlarge and judge every picture by every means.

    Args:
        data_set: the pictures.
        means: what enlarges, by name.
        scale: what is enlarged by.
        progress: told after every picture.

    Raises:
        UserError: a picture cannot be read or is too small.
    """
    done = []
    for picture in data_set.pictures:
        low, high = picture.read(scale)
        qualities = {name: judge(high, enlarge(low), scale) for name, enlarge in means.items()}
        done.append(PictureQuality(picture.high.stem, high.shape[0], high.shape[1], qualities))
        if progress is not None:
            progress(len(done), len(data_set.pictures))
    return DataSetQuality(data_set.name, tuple(done))


def by_patches(enlarge: Enlarge, patch: int, scale: int) -> Enlarge:
    """The same means, but patch by patch, as a machine without room for whole pictures works.

    Patches are squares side by side, each enlarged for itself. What is left at the right and lower
    edge is added to the last patches, which grow up to ``2 * patch - 1`` pixels; so do the
    patch-wise evaluations of the literature on adaptive quantization (AdaBM, CVPR 2024).

    Args:
        enlarge: what enlarges.
        patch: side of a patch in input pixels.
        scale: what is enlarged by.

    Raises:
        UserError: ``patch`` is below 1.
    """
    if patch < 1:
        raise UserError(f"patches: expected a side of at least 1 pixel, got {patch}; correct it")

    def enlarge_patches(image: Pixels) -> Pixels:
        height, width = image.shape[:2]
        enlarged = np.empty((height * scale, width * scale, 3), dtype=np.uint8)
        for place in patches(height, width, patch):
            enlarged[scaled(place, scale)] = enlarge(image[place])
        return enlarged

    return enlarge_patches


def patches(height: int, width: int, patch: int) -> Iterator[Place]:
    """The rows and columns of each patch that `by_patches` cuts a picture into, row by row."""
    for rows in _cuts(height, patch):
        for columns in _cuts(width, patch):
            yield rows, columns


def scaled(place: Place, scale: int) -> Place:
    """The rows and columns that a patch becomes."""
    rows, columns = (slice(part.start * scale, part.stop * scale) for part in place)
    return rows, columns


def _cuts(size: int, patch: int) -> Iterator[slice]:
    starts = range(0, max(size - patch, 0) + 1, patch)
    for start in starts:
        yield slice(start, size if start == starts[-1] else start + patch)
