"""The pictures that quality is judged on, read once, and what becomes of each of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.identity import arrays_identity
from quant.imaging.data_sets import open_data_set
from quant.imaging.evaluation import Quality, judge

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPicture:
    """A picture to enlarge and its original.

    Attributes:
        data_set: name of the data set it belongs to.
        name: its file's name without suffix.
        low: uint8 [height, width, 3].
        high: uint8, ``scale`` times as large.
        identity: hash of both.
    """

    data_set: str
    name: str
    low: Pixels
    high: Pixels
    identity: str


@dataclass(frozen=True, slots=True, eq=False)
class PictureSet:
    """The pictures of all data sets at one scale.

    Attributes:
        scale: between low and high resolution.
        pictures: in the order of the data sets.
    """

    scale: int
    pictures: tuple[JudgedPicture, ...]

    @property
    def data_sets(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(dict.fromkeys(picture.data_set for picture in self.pictures))

    def smallest(self) -> JudgedPicture:
        """The picture with the fewest pixels, the first of them."""
        return min(self.pictures, key=lambda picture: picture.low.size)

    def judge(self, picture: JudgedPicture, enlarged: Pixels) -> dict[str, Any]:
        """Quality of an enlarged picture, as a record; the PSNR of identical ones is null."""
        quality = judge(picture.high, enlarged, self.scale)
        finite = math.isfinite(quality.psnr_db)
        return {"psnr_db": quality.psnr_db if finite else None, "ssim": quality.ssim}


def read_picture_set(folders: Sequence[Path], scale: int) -> PictureSet:
    """Read every picture of data sets.

    Raises:
        UserError: a folder holds no images, a file is none, or a picture is too small.
    """
    pictures = []
    for folder in folders:
        data_set = open_data_set(folder, scale)
        for entry in data_set.pictures:
            low, high = entry.read(scale)
            identity = arrays_identity((low, high))
            pictures.append(JudgedPicture(data_set.name, entry.high.stem, low, high, identity))
    return PictureSet(scale, tuple(pictures))


def mean_quality(records: Sequence[dict[str, Any]]) -> Quality:
    """The mean over pictures; infinite where a picture equals its original."""
    psnr_db = [math.inf if r["psnr_db"] is None else r["psnr_db"] for r in records]
    ssim = [record["ssim"] for record in records]
    return Quality(math.fsum(psnr_db) / len(records), math.fsum(ssim) / len(records))
