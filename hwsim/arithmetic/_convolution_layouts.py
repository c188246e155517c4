"""Constants of a convolution as its kernels read them, and how a kernel is run on them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from hwsim.arithmetic import _kernels_convolution_int64
from hwsim.arithmetic._aligned import aligned_copy, aligned_empty
from hwsim.arithmetic._convolution_steps import Steps, pack_steps
from hwsim.arithmetic._instruction_sets import TABLE
from hwsim.arithmetic._jit import Codes, StoredCodes, Wide
from hwsim.arithmetic._kernels_convolution_tiles import store_operands, tile_kernel
from hwsim.arithmetic._kernels_requantization import Scaling
from hwsim.arithmetic._tap_offsets import Border
from hwsim.arithmetic.convolution_bounds import ConvolutionBounds
from hwsim.arithmetic.geometry import Geometry, Padding
from hwsim.arithmetic.rearrangement import constant_border


@dataclass(frozen=True, slots=True, eq=False)
class PaddedRows:
    """Rows of a padded image, perhaps all of them.

    Attributes:
        codes: [H, W, I], contiguous, those inside the image; perhaps none.
        padding: around them.
        pad_code: int32 [I].
    """

    codes: StoredCodes
    padding: Padding
    pad_code: Codes

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns, pad codes included."""
        return self.padding.around(self.codes.shape[:2])

    def part(self, first: int, end: int) -> "PaddedRows":
        """Rows ``first`` … ``end`` - 1 of the padded image."""
        inside, padding = self.padding.rows(first, end, self.codes.shape[0])
        return PaddedRows(self.codes[inside], padding, self.pad_code)


class Layout(Protocol):
    """Constants laid out for one kernel."""

    def run(
        self, ifm: PaddedRows, border: Border, scaling: Scaling, shuffle: int, ofm: StoredCodes
    ) -> bool:
        """Convolve and requantize.

        Args:
            ifm: the rows that the outputs read.
            border: what their windows lack that reach beyond the image.
            scaling: from sums to codes.
            shuffle: the factor of a pixel shuffle behind the convolution, in DCR order.
            ofm: [rows·shuffle, columns, O / shuffle], written.

        Returns:
            Whether every input code lay in the range the constants were laid out for; ``ofm`` is
            unspecified if not.
        """
        ...


Pack = Callable[[Codes, Wide, Geometry, ConvolutionBounds], Layout]
"""(weight int32 [O, KH, KW, I/groups], bias, geometry, bounds) to the kernel's own layout."""


@dataclass(frozen=True, slots=True, eq=False)
class Tiled:
    """Laid out for the tiles of an instruction set.

    Operands are stored less an origin, so that any range of 8 or 16 bits fits them; the origin's
    share of each sum is part of ``bias``. Sums are those of integers modulo 2^32, where the order
    of additions and the origin's detour do not matter.

    Attributes:
        instruction_set: place in `TABLE`.
        geometry: of the convolution.
        steps: what the tiles add up.
        bias: int32 [channels], modulo 2^32.
        origin: what operands are stored less.
        input: the least and the greatest input code.
    """

    instruction_set: int
    geometry: Geometry
    steps: Steps
    bias: Codes
    origin: int
    input: tuple[int, int]

    def run(
        self, ifm: PaddedRows, border: Border, scaling: Scaling, shuffle: int, ofm: StoredCodes
    ) -> bool:
        """As `Layout` says."""
        row = TABLE[self.instruction_set]
        (height, width), channels = ifm.size, ifm.codes.shape[2]
        pixel = self.geometry.stride[1] * channels
        # The last tile of the last row may begin at its last pixel, and its last step may end
        # behind the pixel's window.
        spare = row.most_pixels * pixel + row.taps
        operands = aligned_empty(height * width * channels + spare, row.operand)
        least, greatest = store_operands(
            ifm.codes,
            ifm.padding.top,
            ifm.padding.left,
            ifm.pad_code,
            self.origin,
            operands[:-spare].reshape(height, width, channels),
        )
        if least < self.input[0] or greatest > self.input[1]:
            return False
        size = operands.itemsize
        offsets = (self.steps.rows * (width * channels) + self.steps.elements) * size
        strides = self.geometry.stride[0] * width * channels * size, pixel * size
        _kernel(self.instruction_set)(
            operands.view(np.uint8),
            strides,
            self.steps.weights,
            offsets,
            self.steps.blocks,
            self.bias,
            border,
            scaling,
            shuffle,
            ofm,
        )
        return True


def tiled(instruction_set: int) -> Pack:
    """Lays constants out for a row of `TABLE`."""

    def pack(weight: Codes, bias: Wide, geometry: Geometry, bounds: ConvolutionBounds) -> Layout:
        row = TABLE[instruction_set]
        steps = pack_steps(weight, geometry, row)
        origin = _origin(bounds.input, row.operand)
        sums = np.zeros(steps.channels, np.int64)
        sums[: len(bias)] = bias + origin * weight.sum(axis=(1, 2, 3), dtype=np.int64)
        bias_of_lanes = aligned_copy(sums.astype(np.int32))
        return Tiled(instruction_set, geometry, steps, bias_of_lanes, origin, bounds.input)

    return pack


def _origin(bounds: tuple[int, int], operand: type[np.integer]) -> int:
    """What to subtract from integers within bounds to store them in a type."""
    limits = np.iinfo(operand)
    if limits.min <= bounds[0] and bounds[1] <= limits.max:
        return 0
    return bounds[0] - int(limits.min)


@cache
def _kernel(instruction_set: int) -> Callable[..., None]:
    return tile_kernel(instruction_set)


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """As the definition has them, for sums of 64 bits."""

    weight: Codes
    geometry: Geometry
    input: tuple[int, int]

    def run(
        self, ifm: PaddedRows, border: Border, scaling: Scaling, shuffle: int, ofm: StoredCodes
    ) -> bool:
        """As `Layout` says."""
        if ifm.codes.size and not (
            self.input[0] <= ifm.codes.min() and ifm.codes.max() <= self.input[1]
        ):
            return False
        rows, columns, depth = ofm.shape
        codes = np.empty((rows // shuffle, columns, depth * shuffle), np.int32)
        _kernels_convolution_int64.convolve(
            constant_border(ifm.codes, ifm.padding, ifm.pad_code),
            self.weight,
            self.geometry.stride,
            self.geometry.dilation,
            self.geometry.groups,
            border,
            scaling,
            codes,
        )
        blocks = codes.reshape(rows // shuffle, columns, shuffle, depth)
        ofm[:] = blocks.swapaxes(1, 2).reshape(ofm.shape)
        return True


def plain(weight: Codes, _bias: Wide, geometry: Geometry, bounds: ConvolutionBounds) -> Layout:
    """Leaves constants as they are; the bias is part of the scaling."""
    return Plain(np.ascontiguousarray(weight), geometry, bounds.input)
