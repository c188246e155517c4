"""What every kind of MAC array answers: how long, how many words, which partial sums, which work.

The kinds differ in what a processing element (PE) does in a cycle and in what stays in it; the
integers they compute are the same. `accelerators.datapaths.kinds` finds the kind of a machine.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, Protocol

from quant.common.errors import UserError

if TYPE_CHECKING:
    from accelerators.schema import Array, Sram

MAX_OPERAND_BITS = 16
"""Widest weight or activation an array can take, by passes over parts of it."""

REQUANTIZER_STAGES = 3
"""Bias and multiply, round and shift, zero point and clamp: one pipeline behind each column."""


@dataclass(frozen=True, slots=True)
class Work:
    """A part of a convolution: a product of pixels x reduction by reduction x channels.

    Attributes:
        pixels: output pixels.
        channels: output channels.
        groups: into which they are divided; each is a product of its own.
        taps: of the kernel.
        group_channels: input channels of a group.
        weight_bits: width of a weight, 1 to 16.
        activation_bits: width of an input code, 1 to 16.
        weight_terms: the most powers of two, added or subtracted, that make up one of the weights;
            0 takes what integers of ``weight_bits`` need. Shift-and-add arrays alone ask.
    """

    pixels: int
    channels: int
    groups: int
    taps: int
    group_channels: int
    weight_bits: int
    activation_bits: int
    weight_terms: int = 0

    @property
    def reduction(self) -> int:
        """Products summed for one output."""
        return self.taps * self.group_channels

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations."""
        return self.pixels * self.channels * self.reduction


class SramReads(NamedTuple):
    """Words a convolution reads from SRAM into the array."""

    activation_words: int
    weight_words: int


class UnitWidths(NamedTuple):
    """Operand widths that a synthesis study knows a lane's unit by."""

    weight_bits: int
    activation_bits: int


class PartialSums(NamedTuple):
    """Unfinished sums that visit the accumulator memories behind the columns."""

    reads: int
    writes: int


NO_PARTIAL_SUMS = PartialSums(0, 0)


class Datapath(Protocol):
    """A kind of array of a certain size."""

    @property
    def element_bit_product(self) -> int:
        """Pairs of bits that one multiplier of the array takes: what its leakage goes by."""
        ...

    @property
    def unit_widths(self) -> UnitWidths:
        """Widths of the unit that a lane is."""
        ...

    @property
    def skew_bits(self) -> int:
        """Registers at the edges that delay each row and column behind the one before."""
        ...

    @property
    def drain_bits(self) -> int:
        """Registers in which finished outputs leave while the next are computed."""
        ...

    @property
    def keeps_partial_sums(self) -> bool:
        """Whether columns have accumulator memories behind them."""
        ...

    @property
    def scales_at_run_time(self) -> bool:
        """Whether channels whose factors are known at run time can be scaled beside the array."""
        ...

    @property
    def feed_bits_per_cycle(self) -> int:
        """Bits the array consumes a cycle, at the widths where that is most."""
        ...

    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Widths of weight and activation that the array spends its time on, after rounding up."""
        ...

    def peak_macs_per_cycle(self, weight_bits: int, activation_bits: int) -> Fraction:
        """Multiply-accumulates a cycle when every PE has work in every cycle."""
        ...

    def cycles(self, work: Work, sram: "Sram") -> int:
        """Cycles from the first operand in to the last requantized output."""
        ...

    def cycles_per_pixel(self, work: Work) -> Fraction:
        """Cycles that each pixel of a work takes at least, of however many it is one."""
        ...

    def sram_reads(self, work: Work, word_bits: int) -> SramReads:
        """Words read from SRAM, operands packed to the bit."""
        ...

    def partial_sums(self, work: Work) -> PartialSums:
        """Sums written to the accumulator memories and read back."""
        ...

    def mac_actions(self, work: Work) -> Mapping[tuple[int, int], int]:
        """Multiply-accumulates to charge, by widths of weight and activation."""
        ...


@dataclass(frozen=True, slots=True)
class Grid(ABC):
    """A grid of PEs, of whichever frame: what is the same in all of them.

    Attributes:
        array: the array of the accelerator's file.
    """

    array: "Array"

    @abstractmethod
    def effective_widths(self, weight_bits: int, activation_bits: int) -> tuple[int, int]:
        """Widths that the array spends its time on."""

    @property
    def unit_widths(self) -> UnitWidths:
        """Widths of the unit that a lane is; here the native ones."""
        return UnitWidths(self.array.weight_bits, self.array.activation_bits)

    def native_widths(self) -> Iterator[tuple[int, int]]:
        """Every pair of widths of weight and activation up to the native ones."""
        return product(
            range(1, self.array.weight_bits + 1), range(1, self.array.activation_bits + 1)
        )

    def mac_actions(self, work: Work) -> Mapping[tuple[int, int], int]:
        """Multiply-accumulates by widths; here all have the work's own."""
        return {(work.weight_bits, work.activation_bits): work.macs}


def skew_registers(edge_elements: int, bits: int) -> int:
    """Registers that delay element n of an array's edge by n cycles, in bits.

    Args:
        edge_elements: rows or columns.
        bits: that enter each of them in a cycle.
    """
    return bits * edge_elements * (edge_elements - 1) // 2


def check_width(operand_bits: int) -> None:
    """Refuse a width no array takes.

    Raises:
        UserError: the operand is not 1 to 16 bits wide.
    """
    if not 1 <= operand_bits <= MAX_OPERAND_BITS:
        raise UserError(
            f"expected an operand of 1 to {MAX_OPERAND_BITS} bits, got {operand_bits}; choose a "
            "width in that range"
        )


def folds(items: int, places: int) -> int:
    """How often places have to be filled for all items to have had one."""
    return -(-items // places)


def slice_count(operand_bits: int, native_bits: int) -> int:
    """Slices of the native width an operand is cut into.

    Raises:
        UserError: the operand is not 1 to 16 bits wide.
    """
    check_width(operand_bits)
    return folds(operand_bits, native_bits)


def reduction_steps(work: Work, depth: int, native_depth: int, kernel_taps: str) -> int:
    """Turns it takes to have all products of an output, ``depth`` at a time.

    Args:
        work: the convolution.
        depth: products taken at once.
        native_depth: products taken at once at native widths.
        kernel_taps: ``together``: products of several taps share a turn; ``apart``: each tap has
            turns of its own, unless a group has fewer channels than ``native_depth`` (a network's
            first layer), whose windows are unrolled.
    """
    if kernel_taps == "apart" and work.group_channels >= native_depth:
        return work.taps * folds(work.group_channels, depth)
    return folds(work.reduction, depth)
