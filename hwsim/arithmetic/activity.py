"""How much the operands of a convolution switch: bits that change from one to the next."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._kernels_activity import (
    activity_of_pixels,
    activity_of_rows,
    activity_of_windows,
)
from hwsim.arithmetic.geometry import Geometry

Order = Literal["output", "weight", "input"]
"""What stays in a processing element while the other operands pass by."""


@dataclass(frozen=True, slots=True)
class Switching:
    """Counts of a sequence of operands; those of several sequences add up.

    Attributes:
        operands: codes that were fed.
        nonzero: those that do not stand for 0.
        changes: pairs of codes that followed each other.
        toggles: bits that differ in them, summed.
    """

    operands: int = 0
    nonzero: int = 0
    changes: int = 0
    toggles: int = 0

    def __add__(self, other: "Switching") -> "Switching":
        return Switching(
            self.operands + other.operands,
            self.nonzero + other.nonzero,
            self.changes + other.changes,
            self.toggles + other.toggles,
        )

    @property
    def hamming(self) -> float:
        """Mean bits that change from one operand to the next; 0 where none follows another."""
        return self.toggles / self.changes if self.changes else 0.0

    @property
    def nonzero_rate(self) -> float:
        """Share of operands that do not stand for 0; 0 without operands."""
        return self.nonzero / self.operands if self.operands else 0.0


def activation_switching(
    stored: NDArray[np.int32],
    zero: int,
    taps: tuple[int, int],
    geometry: Geometry,
    order: Order,
    *,
    skip_zeros: bool = False,
) -> Switching:
    """Switching of the activations of a convolution.

    Args:
        stored: int32 [height, width, channels], bits of the codes, padding included, 0 or more.
        zero: the bits that stand for 0; -1 if none do.
        taps: rows and columns of the kernel.
        geometry: stride, dilation and groups.
        order: with the output in place they follow each other inside a window, tap by tap and
            channel by channel; with the weight in place, at one tap and channel, pixel by pixel in
            raster order; in place themselves, they never change.
        skip_zeros: whether a zero leaves the operand before it in place.
    """
    stride, dilation = geometry.stride, geometry.dilation
    if order == "weight":
        counts = activity_of_pixels(stored, zero, taps, stride, dilation, skip_zeros)
    else:
        groups = geometry.groups
        counts = activity_of_windows(stored, zero, taps, stride, dilation, groups, skip_zeros)
    switching = Switching(*counts)
    return _held(switching) if order == "input" else switching


def weight_switching(stored: NDArray[np.int32], zero: int, order: Order) -> Switching:
    """Switching of the weights of a convolution.

    Args:
        stored: int32 [out_channels, kernel_height, kernel_width, in_channels], bits of the codes.
        zero: the bits that stand for 0; -1 if none do.
        order: with the output in place they follow each other as activations do; with the
            activation in place, output channel by output channel; in place, they never change.
    """
    by_output = stored.reshape(stored.shape[0], -1)
    rows = by_output.T if order == "input" else by_output
    switching = Switching(*activity_of_rows(np.ascontiguousarray(rows), zero))
    return _held(switching) if order == "weight" else switching


def stored_bits(integers: NDArray[Any], bits: int, *, is_odd: bool) -> NDArray[np.int32]:
    """Codes as their bits: two's complement, or the position on the grid of odd integers.

    Args:
        integers: of any shape.
        bits: width of a code, 1 to 16.
        is_odd: whether they are odd integers from -(2^bits - 1) on.
    """
    wide = integers.astype(np.int32)
    codes = (wide + ((1 << bits) - 1)) >> 1 if is_odd else wide & ((1 << bits) - 1)
    return np.ascontiguousarray(codes, np.int32)


def _held(switching: Switching) -> Switching:
    return Switching(switching.operands, switching.nonzero, switching.changes, 0)
