"""The pictures a method may look at, and what the float network does on them."""

import hashlib
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from quant.lowering import FloatNetwork, Images, Progress, Statistics, observe
from quant.lowering.statistics import require_images

LARGEST_SIDE_PIXELS = 128
"""Height and width of the part of a picture that is looked at. On Set5, ranges from the middle of
the shipped photographs and from all of them end within 0.02 dB of each other (8 and 6 bits)."""


class Calibration:
    """Pictures, and the statistics of a float network on them, each computed when first asked for.

    Args:
        network: the float network.
        images: uint8, each height x width x colours; the middle of each is looked at.
        progress: told after every image of every pass.

    Attributes:
        images: what is looked at of each picture, at most 128 pixels high and wide.
    """

    def __init__(
        self, network: FloatNetwork, images: Images, progress: Progress | None = None
    ) -> None:
        self._network = network
        self._progress = progress
        self.images = tuple(_middle(image) for image in images)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_progress": None}  # whoever watches stays here

    def require_fitting(self) -> None:
        """Raises: UserError: as `ranges`, before anything is computed."""
        require_images(self._network, self.images)

    def tell(self, done: int, total: int, _loss: float) -> None:
        """Pass on how far a method is that learns on these pictures.

        Args:
            done: updates done.
            total: all updates.
        """
        if self._progress is not None:
            self._progress(done, total)

    @cached_property
    def ranges(self) -> Statistics:
        """Smallest and largest value of every feature map.

        Raises:
            UserError: there are no images, or they have other channels than the network's input.
        """
        return observe(self._network, self.images, progress=self._progress)

    @cached_property
    def histograms(self) -> Statistics:
        """Ranges and histograms of every feature map, from which percentiles follow.

        Raises:
            UserError: as `ranges`.
        """
        return observe(self._network, self.images, histograms=True, progress=self._progress)

    @cached_property
    def description(self) -> str:
        """How many pictures and pixels, and the start of the SHA-256 of them all."""
        digest = hashlib.sha256()
        for image in self.images:
            digest.update(f"{image.shape}".encode())
            digest.update(np.ascontiguousarray(image).tobytes())
        pixels = sum(image.shape[0] * image.shape[1] for image in self.images)
        return f"{len(self.images)} images, {pixels} pixels, sha256 {digest.hexdigest()[:16]}"


def _middle(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(side - LARGEST_SIDE_PIXELS, 0) // 2 for side in image.shape[:2])
    return image[top : top + LARGEST_SIDE_PIXELS, left : left + LARGEST_SIDE_PIXELS]
