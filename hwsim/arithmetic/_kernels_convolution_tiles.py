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

from hwsim.arithmetic._aligned import LINE_BYTES
from hwsim.arithmetic._convolution_steps import (
    END_STEP,
    FIRST_CHANNEL,
    FIRST_STEP,
    FIRST_WEIGHT,
    REGISTERS,
)
from hwsim.arithmetic._instruction_sets import TABLE
from hwsim.arithmetic._jit import Codes, StoredCodes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import Scaling, requantize
from hwsim.arithmetic._strip_intrinsic import accumulate_strip
from hwsim.arithmetic._tap_offsets import Border

STRIP_SUMS = 6144
"""Sums that are requantized together, 24 KiB: they and the operands of a few tiles fit a cache of
32 KiB. Divided by the channels of a tile, it is a multiple of the tile's pixels in every row."""

Operands = NDArray[np.int16 | np.uint8]


@kernel
def _store_pads(pad_code: Codes, origin: int, pixels: Operands) -> None:
    """Fill pixels [columns, I] with the pad code of each channel."""
    columns, channels = pixels.shape
    for column in range(columns):
        for channel in range(channels):
            pixels[column, channel] = pad_code[channel] - origin


@kernel
def store_operands(
    ifm: StoredCodes, top: int, left: int, pad_code: Codes, origin: int, operands: Operands
) -> tuple[int, int]:
    """Copy codes less the origin to operands, and pad codes around them.

    Args:
        ifm: [height, width, I].
        top: rows of pad codes above it.
        left: columns of pad codes left of it.
        pad_code: int32 [I].
        origin: subtracted from every code.
        operands: [rows, columns, I], written.

    Returns:
        The least and the greatest code of the image, 2^31 - 1 and -2^31 where it has no rows.
    """
    height, width, channels = ifm.shape
    least, greatest = np.int32(2**31 - 1), np.int32(-(2**31))
    for row in range(operands.shape[0]):
        if row < top or row >= top + height:
            _store_pads(pad_code, origin, operands[row])
            continue
        _store_pads(pad_code, origin, operands[row, :left])
        _store_pads(pad_code, origin, operands[row, left + width :])
        codes = ifm[row - top].reshape(-1)
        stored = operands[row].reshape(-1)[left * channels :]
        row_least = row_greatest = codes[0]
        for index in range(codes.size):
            row_least = min(row_least, codes[index])
            row_greatest = max(row_greatest, codes[index])
            stored[index] = codes[index] - origin
        least, greatest = min(least, np.int32(row_least)), max(greatest, np.int32(row_greatest))
    return int(least), int(greatest)


@kernel
def _add_border(
    sums: Codes,
    lanes: int,
    offsets: Wide,
    columns: Wide,
    is_inside: bool,
    first: int,
) -> None:
    """Add the offsets [column classes, channels] of a row, from channel ``first`` on.

    Args:
        sums: [columns, lanes], pixel after pixel, added to modulo 2^32.
        lanes: channels of a pixel.
        offsets: of each class of columns.
        columns: the class of each pixel.
        is_inside: whether class 0 adds nothing in this row.
        first: the channel of a pixel's first lane.
    """
    for column in range(columns.size):
        if is_inside and columns[column] == 0:
            continue
        added = offsets[columns[column], first : first + lanes]
        totals = sums[column * lanes :]
        for lane in range(added.size):
            totals[lane] += np.int32(added[lane])


def tile_kernel(instruction_set: int) -> Callable[..., None]:
    """The kernel of a row of `TABLE`.

    The row is a constant of the machine code. Numba tells the kernels of different rows apart on
    disk by the integers that the function below closes over.
    """
    row = TABLE[instruction_set]
    register_lanes = row.lanes

    @kernel
    def convolve(
        operands: NDArray[np.uint8],
        strides: tuple[int, int],
        weights: NDArray[np.signedinteger],
        offsets: Wide,
        blocks: Wide,
        bias: Codes,
        border: Border,
        scaling: Scaling,
        shuffle: int,
        ofm: StoredCodes,
    ) -> None:
        """Convolve and requantize rows.

        A pixel shuffle only changes where codes are stored: output channels dy·f·C … of a pixel
        are f neighbouring pixels of row dy of its block.

        Args:
            operands: the padded image's bytes.
            strides: bytes between the windows of neighbouring rows and columns.
            weights: of `Steps`.
            offsets: int64 [steps], bytes from a pixel's window to each step's operands.
            blocks: of `Steps`.
            bias: int32 [channels], what sums start from.
            border: what windows that reach beyond the image lack.
            scaling: from sums to codes.
            shuffle: the factor f of a pixel shuffle behind the convolution.
            ofm: [rows·f, columns, outputs / f], written.
        """
        rows, columns, depth = ofm.shape
        row_stride, pixel_stride = strides
        memory = np.empty(STRIP_SUMS + LINE_BYTES // 4, np.int32)
        sums = memory[(-memory.ctypes.data % LINE_BYTES) // 4 :]
        for row in range(rows // shuffle):
            for block in range(blocks.shape[0]):
                first, registers = blocks[block, FIRST_CHANNEL], blocks[block, REGISTERS]
                lanes = registers * register_lanes
                steps = offsets[blocks[block, FIRST_STEP] : blocks[block, END_STEP]]
                factors, start = weights[blocks[block, FIRST_WEIGHT] :], bias[first:]
                for strip in range(0, columns, STRIP_SUMS // lanes):
                    end = min(strip + STRIP_SUMS // lanes, columns)
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
                    if border.rows.size > 0:
                        _add_border(
                            sums,
                            lanes,
                            border.offsets[border.rows[row]],
                            border.columns[strip:end],
                            border.rows[row] == 0,
                            first,
                        )
                    channel, last = first, min(first + lanes, depth * shuffle)
                    while channel < last:
                        place = channel % depth
                        codes = ofm[row * shuffle + channel // depth, strip:end]
                        channels = min(last - channel, depth - place)
                        totals = sums[channel - first :]
                        requantize(totals, lanes, scaling, channel, codes, place, channels)
                        channel += channels

    return convolve
