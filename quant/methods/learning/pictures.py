"""The pictures a method learns from, and the patches of each update."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from quant.lowering import Images
from quant.training.patches import TrainingPair, batch_at, fingerprint, load_pairs, pair_of


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures at both resolutions.

    Attributes:
        pairs: the pictures.
        sha256: of their pixels.
        folders: names of the folders they came from.
    """

    pairs: Sequence[TrainingPair]
    sha256: str
    folders: tuple[str, ...]

    @classmethod
    def load(cls, folders: Sequence[Path], scale: int, patch: int) -> "Pictures":
        """Every picture of some folders, reduced by MATLAB-compatible bicubic.

        Args:
            folders: of high-resolution pictures.
            scale: the factor between the resolutions.
            patch: side of a low-resolution patch, the smallest picture of use.

        Raises:
            UserError: a folder has no images, or a picture is damaged or smaller than a patch.
        """
        pairs = load_pairs(folders, scale, patch)
        return cls(pairs, fingerprint(pairs), tuple(folder.name for folder in folders))

    @classmethod
    def of(cls, images: Images, scale: int, source: str) -> "Pictures":
        """Pictures at hand as originals, and their reductions.

        Args:
            images: uint8, height x width x 3 each.
            scale: the factor between the resolutions.
            source: where they are from, in place of a folder.
        """
        pairs = [pair_of(image, scale) for image in images]
        return cls(pairs, fingerprint(pairs), (source,))

    def smallest_side(self) -> int:
        """Pixels of the shortest side of all low-resolution pictures."""
        sides: list[int] = [side for pair in self.pairs for side in pair.low.shape[:2]]
        return min(sides)

    def batch(self, iteration: int, *, seed: int, batch: int, patch: int) -> tuple[Tensor, Tensor]:
        """The patches of one update, a function of the pictures, seed and iteration alone.

        Args:
            iteration: of the update, from 0.
            seed: of the run.
            batch: patches.
            patch: side of a low-resolution patch.

        Returns:
            float32, batch x 3 x patch x patch and batch x 3 x scale·patch x scale·patch, 0…255.
        """
        patches = batch_at(self.pairs, iteration, seed=seed, batch=batch, patch=patch)
        low, high = (torch.from_numpy(values).permute(0, 3, 1, 2).float() for values in patches)
        return low, high
