"""How long and how a method learns, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from quant.common.errors import UserError

if TYPE_CHECKING:
    from quant.methods.learning.pictures import Pictures

_PATCH_PIXELS = 48
"""Usual side of a low-resolution patch in the literature (specification 8, O8)."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Settings of a run, besides network, method, bits and pictures.

    Attributes:
        iterations: updates in all.
        batch: patches of an update.
        patch: side of a low-resolution patch, in pixels.
        learning_rate: of weights; a method scales the rates of its other parameters to it.
        seed: of patches, and of whatever else is drawn.
        bfloat16: whether convolutions multiply bfloat16; codes of up to 8 bits are exact in it,
            their values are not.
        device: ``cpu``, ``cuda``, or ``auto``: CUDA if there is any.

    Raises:
        UserError: a number is out of range.
    """

    iterations: int
    batch: int = 8
    patch: int = _PATCH_PIXELS
    learning_rate: float = 1e-4
    seed: int = 1
    bfloat16: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        least = {"iterations": 0, "batch": 1, "patch": 8, "seed": 0}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise UserError(
                    f"learning: {name} must be at least {bound}, got {getattr(self, name)}; "
                    "correct it"
                )
        if not self.learning_rate > 0:
            raise UserError(
                f"learning: learning_rate must be above 0, got {self.learning_rate}; correct it"
            )


def short_schedule(iterations: int, pictures: Pictures) -> Schedule:
    """The usual schedule, with patches that fit into the smallest picture.

    Raises:
        UserError: a picture has less than 8 pixels each way at low resolution.
    """
    return Schedule(iterations, patch=min(_PATCH_PIXELS, pictures.smallest_side()))
