"""The output-stationary array: each PE keeps one output and accumulates it in place.

Rows work on pixels, columns on output channels; activations enter from the left edge, weights
from the top, both skewed by one cycle a PE. When a tile of outputs is complete it moves to drain
registers and leaves row by row while the next tile is computed. docs/datapaths/
output_stationary.md derives every formula here and says what it was checked against.
"""

from typing import TYPE_CHECKING, NamedTuple

from quant.common.errors import UserError

if TYPE_CHECKING:
    from accelerators.schema import Array

MAX_OPERAND_BITS = 16
"""Widest weight or activation the array can take, by passes over slices of it."""

REQUANTIZER_STAGES = 3
"""Bias and multiply, round and shift, zero point and clamp: one pipeline behind each column."""


class SramReads(NamedTuple):
    """Words a convolution reads from SRAM into the array."""

    activation_words: int
    weight_words: int


def operand_slices(operand_bits: int, native_bits: int) -> tuple[int, ...]:
    """Widths of the slices a multiplier of `native_bits` takes an operand in.

    Raises:
        UserError: the operand is not 1 to 16 bits wide.
    """
    if not 1 <= operand_bits <= MAX_OPERAND_BITS:
        raise UserError(
            f"expected an operand of 1 to {MAX_OPERAND_BITS} bits, got {operand_bits}; choose a "
            "width in that range"
        )
    return slices(operand_bits, native_bits)


def slices(operand_bits: int, native_bits: int) -> tuple[int, ...]:
    """`operand_slices` of an operand of any width."""
    full, rest = divmod(operand_bits, native_bits)
    return (native_bits,) * full + ((rest,) if rest else ())


def precision_passes(array: "Array", weight_bits: int, activation_bits: int) -> int:
    """Cycles one multiply-accumulate takes: one for each pair of operand slices.

    A narrower operand leaves part of a bit-parallel multiplier idle; it is not faster.
    """
    weight_slices = operand_slices(weight_bits, array.weight_bits)
    activation_slices = operand_slices(activation_bits, array.activation_bits)
    return len(weight_slices) * len(activation_slices)


def convolution_cycles(
    array: "Array",
    pixels: int,
    channels: int,
    reduction: int,
    weight_bits: int,
    activation_bits: int,
    groups: int = 1,
    feed: int = 0,
) -> int:
    """Cycles from the first operand in to the last requantized output.

    With folds T, R rows, C columns and K = max(reduction x passes, feed)::

        (T - 1) max(K, R) + K + (R + C - 2) + R + 2

    Tiles follow each other every K cycles, or every R where draining a tile takes longer; the
    last one needs its K operands, the skew to the far corner, R rows of drain and the rest of
    the requantizer's pipeline. All columns are fed the same activations, so groups share no tile.

    Args:
        array: the PE array.
        pixels: output pixels, at least 1.
        channels: output channels, at least 1.
        reduction: products summed for one output, kernel area x input channels, at least 1.
        weight_bits: weight width, 1 to 16.
        activation_bits: activation width, 1 to 16.
        groups: into which output channels are divided; each is a matrix product of its own.
        feed: cycles SRAM takes to deliver a tile's activations, where that can be more than K;
            see `scattered_feed_cycles`.
    """
    operands = max(reduction * precision_passes(array, weight_bits, activation_bits), feed)
    tiles = _folds(pixels, array.rows) * _folds(channels // groups, array.columns) * groups
    earlier_tiles = (tiles - 1) * max(operands, array.rows)
    skew = array.rows + array.columns - 2
    drain = array.rows + REQUANTIZER_STAGES - 1
    return earlier_tiles + operands + skew + drain


def sram_reads(
    array: "Array",
    pixels: int,
    channels: int,
    reduction: int,
    weight_bits: int,
    activation_bits: int,
    word_bits: int,
    groups: int = 1,
    taps: int = 1,
) -> SramReads:
    """Words read from SRAM, with operands packed to the bit.

    Operand counts are SCALE-Sim's for this dataflow: every channel fold reads all activations
    again, every pixel fold all weights. An operand of several slices is read once and held at
    the array's edge during its passes. A group's channels are a part of each pixel: with groups,
    every tap of every pixel is read on its own, in whole words.

    Args:
        array: the PE array.
        pixels: output pixels, at least 1.
        channels: output channels, at least 1.
        reduction: products summed for one output, at least 1.
        weight_bits: weight width, 1 to 16.
        activation_bits: activation width, 1 to 16.
        word_bits: width of an SRAM word.
        groups: into which input and output channels are divided.
        taps: of the kernel; asked for with groups only.
    """
    channel_folds = _folds(channels // groups, array.columns) * groups
    weights = channels * reduction * _folds(pixels, array.rows)
    if groups == 1:
        activation_words = _folds(pixels * reduction * channel_folds * activation_bits, word_bits)
    else:
        run_words = _folds(reduction // taps * activation_bits, word_bits)
        activation_words = pixels * taps * run_words * channel_folds
    return SramReads(activation_words, _folds(weights * weight_bits, word_bits))


def scattered_feed_cycles(
    array: "Array",
    pixels: int,
    taps: int,
    group_channels: int,
    activation_bits: int,
    word_bits: int,
    banks: int,
) -> int:
    """Cycles SRAM takes to deliver a tile's activations of a grouped convolution.

    Each row of the array reads each of its taps in words of its own; each bank serves one word a
    cycle, conflicts apart.

    Args:
        array: the PE array.
        pixels: output pixels, at least 1.
        taps: of the kernel.
        group_channels: input channels of a group.
        activation_bits: activation width, 1 to 16.
        word_bits: width of an SRAM word.
        banks: of the SRAM.
    """
    run_words = _folds(group_channels * activation_bits, word_bits)
    return _folds(min(pixels, array.rows) * taps * run_words, banks)


def utilization(array: "Array", macs: int, cycles: int) -> float:
    """Multiply-accumulates done as a share of the array's peak, one a PE and cycle.

    An operation that takes several passes counts once, so wide operands lower the share.
    """
    return macs / (cycles * array.processing_elements)


def _folds(items: int, lanes: int) -> int:
    return -(-items // lanes)
