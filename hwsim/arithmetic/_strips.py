"""What every emitter of strips shares: a tile's shape, and a strip function's arguments.

A strip is a row of neighbouring tiles, and a tile a few neighbouring pixels by a few registers of
output channels, whose sums stay in registers while the steps of a convolution pass by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import cgutils

BYTE, INT32, INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


@dataclass(frozen=True, slots=True)
class Tile:
    """Neighbouring output pixels by registers of output channels, summed up at once."""

    pixels: int
    registers: int


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """The arguments of a strip function, as `hwsim.arithmetic._strip_intrinsic` explains them.

    Pointers are to bytes, strides and offsets in bytes.
    """

    sums: Any
    bias: Any
    operands: Any
    weights: Any
    offsets: Any
    pixel_stride: Any
    steps: Any
    columns: Any

    TYPES = [BYTE.as_pointer()] * 5 + [INT64] * 3

    def window(self, builder: ir.IRBuilder, pixel: Any) -> Any:
        """The address of a pixel's window."""
        return builder.gep(self.operands, [builder.mul(pixel, self.pixel_stride)])

    def offset(self, builder: ir.IRBuilder, step: Any) -> Any:
        """Bytes from a window to a step's operands."""
        offsets = builder.bitcast(self.offsets, INT64.as_pointer())
        return builder.load(builder.gep(offsets, [step]))

    @contextmanager
    def first_pixels(self, builder: ir.IRBuilder, pixels: int) -> Iterator[Any]:
        """A loop over tiles of so many pixels; the first pixel of each."""
        size = INT64(pixels)
        tiles = builder.sdiv(builder.add(self.columns, INT64(pixels - 1)), size)
        with cgutils.for_range(builder, tiles) as loop:
            yield builder.mul(loop.index, size)


EmitStrip = Callable[[ir.IRBuilder, Strip, int, Tile], None]
"""(builder, arguments, lanes of a register, tile): emits the sums of the tiles of a strip."""
