"""Convolution tile by tile in the registers of an instruction set, 32-bit sums.

The loop nest is

    output row → block of output channels → strip of columns → tile → step → pixel → register

of which the last four are `accumulate_strip`. Sums of a strip are requantized together. The last
tile of a row may reach past it: operands are stored with a tile's pixels to spare, and sums of
pixels outside the row are not requantized.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._convolution_steps import (
    END_STEP,
    FIRST_CHANNEL,
    FIRST_STEP,
    FIRST_WEIGHT,
    REGISTERS,
)
from hwsim.arithmetic._instruction_sets import TABLE
from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import Scaling, requantize
from hwsim.arithmetic._strip_intrinsic import accumulate_strip

STRIP = 96
"""Columns whose sums are requantized together: a multiple of every tile's pixels."""

Operands = NDArray[np.integer]


@kernel
def narrow(ifm: Codes, origin: int, operands: Operands) -> tuple[int, int]:
    """Copy codes less the origin to a narrower type; the least and the greatest code."""
    codes = ifm.reshape(-1)
    least = greatest = codes[0]
    for index in range(codes.size):
        code = codes[index]
        least = min(least, code)
        greatest = max(greatest, code)
        operands[index] = code - origin
    return least, greatest


def tile_kernel(instruction_set: int) -> Callable[..., None]:
    """The kernel of a row of `TABLE`.

    The row is a constant of the machine code. Numba tells the kernels of different rows apart on
    disk by the integers that the function below closes over.
    """
    row = TABLE[instruction_set]
    register_lanes, most_sums = row.lanes, STRIP * row.lanes * row.wide.registers

    @kernel
    def convolve(
        operands: NDArray[np.uint8],
        strides: tuple[int, int],
        weights: NDArray[np.signedinteger],
        offsets: Wide,
        blocks: Wide,
        bias: Codes,
        scaling: Scaling,
        ofm: Codes,
    ) -> None:
        """Convolve and requantize rows.

        Args:
            operands: the padded image's bytes.
            strides: bytes between the windows of neighbouring rows and columns.
            weights: of `Steps`.
            offsets: int64 [steps], bytes from a pixel's window to each step's operands.
            blocks: of `Steps`.
            bias: int32 [channels], what sums start from.
            scaling: from sums to codes.
            ofm: int32 [rows, columns, outputs], written.
        """
        rows, columns, outputs = ofm.shape
        row_stride, pixel_stride = strides
        sums = np.empty(most_sums, np.int32)
        for row in range(rows):
            for block in range(blocks.shape[0]):
                first, registers = blocks[block, FIRST_CHANNEL], blocks[block, REGISTERS]
                lanes = registers * register_lanes
                steps = offsets[blocks[block, FIRST_STEP] : blocks[block, END_STEP]]
                factors, start = weights[blocks[block, FIRST_WEIGHT] :], bias[first:]
                for strip in range(0, columns, STRIP):
                    end = min(strip + STRIP, columns)
                    seen = operands[row * row_stride + strip * pixel_stride :]
                    accumulate_strip(
                        instruction_set,
                        registers,
                        sums,
                        start,
                        seen,
                        pixel_stride,
                        factors,
                        steps,
                        end - strip,
                    )
                    codes, channels = ofm[row, strip:end], min(lanes, outputs - first)
                    requantize(sums, lanes, scaling, first, codes, first, channels)

    return convolve
