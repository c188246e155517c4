"""The picture to enlarge and the original to judge by, as the arguments name them."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.options import SAMPLE
from quant.common.errors import UserError
from quant.imaging import (
    DEFAULT_SAMPLE,
    bicubic_downscale,
    crop_to_multiple,
    read_image,
    sample_photograph,
)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class PictureInput:
    """The pictures a command was given, before it is known by what the network enlarges.

    Attributes:
        image: uint8 [height, width, 3]; None: the original, reduced.
        original: uint8 [height, width, 3]; None when there is nothing to judge by.
        name: the option that gave the original, for messages.
    """

    image: Pixels | None
    original: Pixels | None
    name: str = ""

    def for_scale(self, scale: int) -> tuple[Pixels, Pixels | None]:
        """The image, and the original of exactly ``scale`` times its size.

        Up to ``scale - 1`` last rows and columns of the original are cut off.

        Raises:
            UserError: the original is too small to be reduced, or does not fit the image.
        """
        if self.original is None:
            assert self.image is not None
            return self.image, None
        height, width = self.original.shape[:2]
        cropped = crop_to_multiple(self.original, scale)
        if self.image is None:
            if cropped.size == 0:
                raise UserError(
                    f"{self.name}: expected at least {scale}×{scale} pixels to reduce by {scale}, "
                    f"found {height}×{width}; give a larger picture"
                )
            return bicubic_downscale(cropped, scale), cropped
        wanted = tuple(side * scale for side in self.image.shape[:2])
        if cropped.shape[:2] != wanted:
            raise UserError(
                f"{self.name}: expected {wanted[0]}×{wanted[1]} pixels, {scale} times the image, "
                f"found {height}×{width}; give the original of this image, or --hr alone to "
                "reduce it"
            )
        return self.image, cropped


def read_picture_input(arguments: Namespace) -> PictureInput:
    """Read the pictures that ``--image`` and ``--hr`` name.

    Args:
        arguments: with ``image`` (a path, the word for the sample, or None) and ``hr``.

    Raises:
        UserError: a file is no picture, or the sample is given another original.
    """
    if arguments.hr is None and arguments.image in (None, SAMPLE):
        return PictureInput(None, sample_photograph(DEFAULT_SAMPLE), f"--image {SAMPLE}")
    if arguments.image == SAMPLE:
        raise UserError(f"--image {SAMPLE} has its own original; leave out --hr or --image")
    image = None if arguments.image is None else read_image(Path(arguments.image))
    original = None if arguments.hr is None else read_image(arguments.hr)
    return PictureInput(image, original, f"--hr {arguments.hr}")


def sample_input_size(scale: int) -> tuple[int, int]:
    """Height and width of the sample's reduction."""
    height, width = sample_photograph(DEFAULT_SAMPLE).shape[:2]
    return height // scale, width // scale
