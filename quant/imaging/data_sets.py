"""Folders of pictures to judge by: originals, and their reductions where they are given."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.imaging.files import read_image
from quant.imaging.metrics import SSIM_WINDOW_PIXELS
from quant.imaging.resize import bicubic_downscale, crop_to_multiple

Pixels = NDArray[np.uint8]

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
_ORIGINALS = "HR"


def image_files(folder: Path) -> list[Path]:
    """The image files of a folder, by name.

    Raises:
        UserError: the folder is missing or holds no images.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: expected a folder of images, found none; check the path")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise UserError(f"{folder}: expected image files, found none; name a folder that has some")
    return files


@dataclass(frozen=True, slots=True)
class BenchmarkPicture:
    """One original of a data set.

    Attributes:
        high: file of the original.
        low: file of its reduction; None: the original is reduced here.
    """

    high: Path
    low: Path | None

    def read(self, scale: int) -> tuple[Pixels, Pixels]:
        """Both resolutions.

        The original is cut at its right and lower edge to a multiple of the scale, as evaluation
        code of the field does, or to the size of the reduction that is given.

        Args:
            scale: the factor between the resolutions.

        Returns:
            The reduction, uint8 [height, width, 3], and the original, ``scale`` times as large.

        Raises:
            UserError: a file is no image, the original is too small to be judged, or the two
                files do not belong together.
        """
        original = read_image(self.high)
        cropped = crop_to_multiple(original, scale)
        least = SSIM_WINDOW_PIXELS + 2 * scale
        if min(cropped.shape[:2]) < least:
            height, width = original.shape[:2]
            raise UserError(
                f"{self.high}: expected at least {least}×{least} pixels to be judged at ×{scale}, "
                f"found {height}×{width}; remove the picture"
            )
        if self.low is None:
            return bicubic_downscale(cropped, scale), cropped
        reduction = read_image(self.low)
        height, width = (side * scale for side in reduction.shape[:2])
        surplus = (original.shape[0] - height, original.shape[1] - width)
        if min(surplus) < 0 or max(surplus) >= scale:
            raise UserError(
                f"{self.low}: expected the reduction of {self.high.name} by {scale}, "
                f"{cropped.shape[0] // scale}×{cropped.shape[1] // scale} pixels, found "
                f"{reduction.shape[0]}×{reduction.shape[1]}; give the reductions of these originals"
            )
        return reduction, original[:height, :width]


@dataclass(frozen=True, slots=True)
class DataSet:
    """Pictures that are judged together.

    Attributes:
        name: what tables call it.
        pictures: one or more.
    """

    name: str
    pictures: tuple[BenchmarkPicture, ...]


def open_data_set(folder: Path, scale: int) -> DataSet:
    """The pictures of a folder, not read yet.

    Args:
        folder: holds originals, or a folder ``HR`` of originals and, for any scale, a folder
            ``LRx<scale>`` of their reductions under the same names or with ``x<scale>`` behind
            them. Without that folder originals are reduced by `bicubic_downscale`.
        scale: the factor between the resolutions.

    Raises:
        UserError: the folder holds no images, or an original has no reduction.
    """
    originals = folder / _ORIGINALS if (folder / _ORIGINALS).is_dir() else folder
    reductions = originals.parent / f"LRx{scale}"
    pairs_given = originals.name == _ORIGINALS and reductions.is_dir()
    pictures = tuple(
        BenchmarkPicture(file, _reduction_of(file, reductions, scale) if pairs_given else None)
        for file in image_files(originals)
    )
    named = originals.resolve()
    return DataSet(named.parent.name if named.name == _ORIGINALS else named.name, pictures)


def _reduction_of(original: Path, reductions: Path, scale: int) -> Path:
    for stem in (f"{original.stem}x{scale}", original.stem):
        candidate = reductions / f"{stem}{original.suffix}"
        if candidate.is_file():
            return candidate
    raise UserError(
        f"{reductions}: expected the reduction of {original.name}, {original.stem}x{scale}"
        f"{original.suffix}, found none; add it or remove the folder to have originals reduced"
    )
