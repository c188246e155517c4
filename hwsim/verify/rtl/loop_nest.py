"""The order in which the elements of a matrix product pass a port: a nest of loops.

A loop goes over an axis, ``channels``, or over blocks of one, ``channels/4``; if the nest has
larger blocks of that axis too, it goes over what lies in the one at hand. A minus goes backwards:
``-channels``. The outer loop comes first; inner ones may run inside one item. A reduction is
taps x depth, and a nest has either ``reduction`` or ``taps`` and ``depth``.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.stepped import Product

Wide = NDArray[np.int64]

AXES = ("pixels", "channels", "reduction", "taps", "depth")

_PARTS = {"taps", "depth"}
_LOOP = re.compile(rf"(-?)({'|'.join(AXES)})(?:/([1-9]\d*))?")


def sizes_of(product: Product) -> dict[str, int]:
    """Length of every axis."""
    pixels, reduction = product.activations.shape
    depth = reduction // product.taps
    lengths = pixels, product.weights.shape[1], reduction, product.taps, depth
    return dict(zip(AXES, lengths, strict=True))


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop.

    Attributes:
        axis: one of `AXES`.
        block: elements of each block that it goes over.
        is_backwards: whether it begins at the end.
    """

    axis: str
    block: int
    is_backwards: bool

    @classmethod
    def parse(cls, text: str) -> "Loop":
        """A loop from its text.

        Raises:
            ValueError: it is none.
        """
        found = _LOOP.fullmatch(text)
        if found is None:
            raise ValueError(
                f"expected a loop such as pixels, -channels or reduction/8, got '{text[:40]}'; "
                f"axes are {', '.join(AXES)}"
            )
        return cls(found[2], int(found[3] or 1), found[1] == "-")


@dataclass(frozen=True, slots=True)
class LoopNest:
    """Loops from item to item, and those inside an item.

    Attributes:
        order: from item to item, the outer first.
        item: inside an item; the last is the innermost, and its element 0 has the lowest bits.
    """

    order: tuple[Loop, ...]
    item: tuple[Loop, ...]

    @classmethod
    def parse(cls, order: Sequence[str], item: Sequence[str]) -> "LoopNest":
        """A nest from the texts of its loops.

        Raises:
            ValueError: one is none, there are two that do the same, blocks that do not divide
                larger ones, or both an axis and its parts.
        """
        nest = cls(tuple(map(Loop.parse, order)), tuple(map(Loop.parse, item)))
        nest._check()
        return nest

    @property
    def loops(self) -> tuple[Loop, ...]:
        """All, the outer first."""
        return self.order + self.item

    @property
    def item_elements(self) -> int:
        """Elements of an item.

        Raises:
            ValueError: it depends on the product.
        """
        lengths = [self._inside(loop) // loop.block for loop in self.item]
        if 0 in lengths:
            axis = self.item[lengths.index(0)].axis
            raise ValueError(
                f"how many {axis} an item has depends on the layer; go over blocks of them, such "
                f"as {axis}/4, in 'order'"
            )
        return math.prod(lengths)

    def covers(self, axis: str) -> bool:
        """Whether it reaches every element along an axis, whole or in its parts."""
        axes = {loop.axis for loop in self.loops if loop.block == 1}
        return axis in axes or (axis == "reduction" and {"taps", "depth"} <= axes)

    def places(self, sizes: dict[str, int], axes: Sequence[str]) -> Wide:
        """Which element of an array each element of each item is.

        Args:
            sizes: of every axis.
            axes: of the array, none of them ``taps`` or ``depth``.

        Returns:
            [items, elements] into the flattened array; -1 where a block reaches beyond it.
        """
        lengths = [
            -(-(self._inside(loop) or sizes[loop.axis]) // loop.block) for loop in self.loops
        ]
        index = dict.fromkeys(AXES, np.zeros((), np.int64))
        for place, (loop, length) in enumerate(zip(self.loops, lengths, strict=True)):
            steps = np.arange(length)[:: -1 if loop.is_backwards else 1] * loop.block
            shape = [length if other == place else 1 for other in range(len(lengths))]
            index[loop.axis] = index[loop.axis] + steps.reshape(shape)
        inside = {axis: index[axis] < sizes[axis] for axis in AXES}
        if any(loop.axis in _PARTS for loop in self.loops):
            index["reduction"] = index["taps"] * sizes["depth"] + index["depth"]
            inside["reduction"] = inside["taps"] & inside["depth"]
        flat, known = np.zeros((), np.int64), np.ones((), bool)
        for axis in axes:
            flat = flat * sizes[axis] + index[axis]
            known = known & inside[axis]
        places = np.broadcast_to(np.where(known, flat, -1), lengths)
        items = math.prod(lengths[: len(self.order)])
        return np.ascontiguousarray(places.reshape(items, -1))

    def _inside(self, loop: Loop) -> int:
        """Elements of the block that a loop runs inside; 0 if that is all of the axis."""
        blocks = [other.block for other in self.loops if other.axis == loop.axis]
        return min((block for block in blocks if block > loop.block), default=0)

    def _check(self) -> None:
        kinds = [(loop.axis, loop.block) for loop in self.loops]
        for loop in self.loops:
            if kinds.count((loop.axis, loop.block)) > 1:
                raise ValueError(f"two loops go over the same of {loop.axis}; keep one")
            if self._inside(loop) % loop.block:
                raise ValueError(
                    f"blocks of {loop.block} do not divide those of {self._inside(loop)} "
                    f"{loop.axis}; choose a divisor"
                )
        axes = {axis for axis, _ in kinds}
        if "reduction" in axes and axes & _PARTS:
            raise ValueError("the reduction is taps x depth; go over it or over both of these")
