"""The picture to enlarge and the original to judge by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.imaging import bicubic_downscale, crop_to_multiple

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class PictureInput:
    """The pictures a command was given, before it is known by what the network enlarges.

    Attributes:
        image: uint8 [height, width, 3]; None: the original, reduced.
        original: uint8 [height, width, 3]; None when there is nothing to judge by.
        name: what the original was given as, for messages.
        option: what gives an original, likewise.
    """

    image: Pixels | None
    original: Pixels | None
    name: str = ""
    option: str = "hr"

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
                f"found {height}×{width}; give the original of this image, or {self.option} "
                "alone to reduce it"
            )
        return self.image, cropped
