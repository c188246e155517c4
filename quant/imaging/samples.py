"""Photographs that come with scikit-image, so that nothing has to be downloaded.

By scikit-image's own documentation: astronaut (NASA) and rocket (SpaceX) are in the public domain,
chelsea (Stefan van der Walt) and coffee (Rachel Michetti) are CC0, motorcycle_left is from the
Middlebury 2014 stereo benchmark (Scharstein et al., GCPR 2014).
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError, suggestion
from quant.imaging.files import read_image
from quant.imaging.resize import bicubic_downscale

_FILES = {
    "astronaut": "astronaut.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "motorcycle_left": "motorcycle_left.png",
    "rocket": "rocket.jpg",
}

SAMPLE_NAMES: tuple[str, ...] = tuple(_FILES)
"""The photographs that can be asked for by name."""

DEFAULT_SAMPLE = "astronaut"
"""The photograph demonstrations use; never calibrated on."""

PART_SIDE = 48
"""Height and width of `photograph_parts`, in pixels."""

CALIBRATION_NAMES: tuple[str, ...] = tuple(n for n in SAMPLE_NAMES if n != DEFAULT_SAMPLE)
"""The photographs ranges are calibrated on."""


def sample_photograph(name: str) -> NDArray[np.uint8]:
    """A photograph by name.

    Args:
        name: one of ``SAMPLE_NAMES``.

    Returns:
        uint8 array, height x width x 3.

    Raises:
        UserError: no such name, or scikit-image is not installed completely.
    """
    if name not in _FILES:
        raise UserError(f"sample photograph '{name}': {suggestion(name, SAMPLE_NAMES)}")
    return read_image(_folder() / _FILES[name])


def calibration_photographs(scale: int) -> list[NDArray[np.uint8]]:
    """Low-resolution inputs made from the photographs that are not the default sample.

    Args:
        scale: the factor by which each photograph is reduced (1: as it is).

    Returns:
        One uint8 array, height x width x 3, per name in ``CALIBRATION_NAMES``, in that order.
    """
    return [bicubic_downscale(sample_photograph(name), scale) for name in CALIBRATION_NAMES]


def photograph_parts() -> list[NDArray[np.uint8]]:
    """The middle of each calibration photograph as it is, for judging what was calibrated.

    Not what is calibrated on: those are the same photographs, but reduced.

    Returns:
        One uint8 array, `PART_SIDE` x `PART_SIDE` x 3, per name in ``CALIBRATION_NAMES``.
    """
    return [_middle(image) for image in calibration_photographs(scale=1)]


def _middle(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = ((side - PART_SIDE) // 2 for side in image.shape[:2])
    return image[top : top + PART_SIDE, left : left + PART_SIDE]


def _folder() -> Path:
    # Finding the package's folder, unlike importing it, takes no time.
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise UserError(
            "sample photographs: expected scikit-image to be installed, found none; "
            "run `pip install scikit-image`"
        )
    return Path(spec.origin).parent / "data"
