"""Grids whose PEs hold one operand while the other streams through: what such kinds share.

Rows take the products of an output, one or several a row; columns take output channels (weights
held) or output pixels (inputs held). Sums move down a column and are added up in an accumulator
memory behind it, fold after fold, until the last fold takes them to the requantizer.
docs/datapaths/weight_stationary.md derives the formulas.
"""

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from accelerators.datapaths.interface import (
    REQUANTIZER_STAGES,
    Grid,
    PartialSums,
    SramReads,
    Work,
    folds,
    reduction_steps,
    skew_registers,
)

if TYPE_CHECKING:
    from accelerators.schema import Sram


class Slicing(NamedTuple):
    """How a PE of this kind takes operands of certain widths.

    Attributes:
        products: multiply-accumulates of one output that a PE holds at once.
        held: times the held operand is loaded, each a slice of it.
        streamed: cycles a streamed operand stays in front of a PE, each a slice.
    """

    products: int
    held: int
    streamed: int


class Folding(NamedTuple):
    """The matrix product as an array sees it.

    Attributes:
        reduction_folds: loads of the array's rows that an output's products take.
        held_folds: loads of the array's columns, over all groups.
        streams: lengths of the streams of one held fold, in operands, and how many have each.
    """

    reduction_folds: int
    held_folds: int
    streams: tuple[tuple[int, int], ...]

    @property
    def chunks(self) -> int:
        """Streams of one held fold."""
        return sum(count for _, count in self.streams)


@dataclass(frozen=True, slots=True)
class StationaryGrid(Grid):
    """A grid of PEs that hold operands; a kind says which, and what a PE does."""

    @property
    def keeps_partial_sums(self) -> bool:
        """Each column has an accumulator memory."""
        return True

    @property
    def scales_at_run_time(self) -> bool:
        """Outputs do not stay where a scaler could reach them."""
        return False

    @property
    def element_bit_product(self) -> int:
        """Pairs of bits a PE takes."""
        return self.array.weight_bits * self.array.activation_bits

    @property
    def skew_bits(self) -> int:
        """Streamed operands, a cycle later in each row; each column's sums leave when they are."""
        row_bits = max(self._streamed_bits(*widths) for widths in self.native_widths())
        return skew_registers(self.array.rows, row_bits)

    @property
    def drain_bits(self) -> int:
        """None: sums move down into the accumulator memories."""
        return 0

    @property
    def feed_bits_per_cycle(self) -> int:
        """Streamed operands of all rows, and the next held ones of a row."""
        return max(self._row_bits(*widths) for widths in self.native_widths())

    def _streamed_bits(self, weight_bits: int, activation_bits: int) -> int:
        streamed_bits = activation_bits if self.holds_weights else weight_bits
        return self.slicing(weight_bits, activation_bits).products * streamed_bits

    def _row_bits(self, weight_bits: int, activation_bits: int) -> int:
        products = self.slicing(weight_bits, activation_bits).products
        weights = self.array.columns if self.holds_weights else self.array.rows
        activations = self.array.rows if self.holds_weights else self.array.columns
        return products * (weights * weight_bits + activations * activation_bits)

    @property
    @abstractmethod
    def holds_weights(self) -> bool:
        """Whether weights stay and activations stream, and not the other way round."""

    @abstractmethod
    def slicing(self, weight_bits: int, activation_bits: int) -> Slicing:
        """How a PE takes operands of these widths.

        Raises:
            UserError: a width is not 1 to 16 bits.
        """

    def peak_macs_per_cycle(self, weight_bits: int, activation_bits: int) -> Fraction:
        """The products all PEs hold, over the cycles and loads they take."""
        slicing = self.slicing(weight_bits, activation_bits)
        products = self.array.processing_elements * slicing.products
        return Fraction(products, slicing.held * slicing.streamed)

    def folding(self, work: Work) -> Folding:
        """How a work is cut."""
        array = self.array
        slicing = self.slicing(work.weight_bits, work.activation_bits)
        depth = array.rows * slicing.products
        reduction_folds = reduction_steps(work, depth, array.rows, array.kernel_taps)
        channels = work.channels // work.groups
        held, streamed = (channels, work.pixels) if self.holds_weights else (work.pixels, channels)
        whole, rest = divmod(streamed, array.accumulator_entries)
        streams = ((array.accumulator_entries, whole), (rest, 1 if rest else 0))
        return Folding(
            reduction_folds,
            folds(held, array.columns) * work.groups,
            tuple(stream for stream in streams if stream[1]),
        )

    def cycles(self, work: Work, sram: "Sram") -> int:
        """Cycles from the first operand in to the last requantized output.

        With R rows and C columns, and for every fold the cycles S that its stream takes::

            R + sum over all folds but the last of max(S, R) + S of the last + (R + C - 2) + 3

        The first operands are loaded in R cycles, one row a cycle; those of each further fold
        meanwhile, so that a stream shorter than R waits for them. Behind the last operand come
        the skew to the far corner and three stages: the accumulator's addition and the
        requantizer's multiplication, its rounding, its clamp.

        Raises:
            UserError: a width is not 1 to 16 bits.
        """
        array = self.array
        slicing = self.slicing(work.weight_bits, work.activation_bits)
        folding = self.folding(work)
        loads = folding.reduction_folds * slicing.held
        load_cycles, stream_cycles = array.rows, 1
        if work.groups > 1:
            words = self._scattered_words(work, sram.word_bits)
            if self.holds_weights:
                stream_cycles = folds(words, sram.banks)
            else:
                held = min(work.pixels, array.columns)
                load_cycles = max(load_cycles, folds(held * words, sram.banks))
        lengths = [
            (length * max(slicing.streamed, stream_cycles), count)
            for length, count in folding.streams
        ]
        every_fold = sum(count * max(length, load_cycles) for length, count in lengths)
        last = lengths[-1][0]
        earlier = every_fold * loads * folding.held_folds - max(last, load_cycles)
        skew = array.rows + array.columns - 2
        return load_cycles + earlier + last + skew + REQUANTIZER_STAGES

    def cycles_per_pixel(self, work: Work) -> Fraction:
        """A pixel's part of every stream, or the streams past a column that holds one."""
        slicing = self.slicing(work.weight_bits, work.activation_bits)
        folding = self.folding(work)
        passes = folding.reduction_folds * slicing.held * slicing.streamed
        if self.holds_weights:
            return Fraction(passes * folding.held_folds)
        return Fraction(passes * work.channels, self.array.columns)

    def _scattered_words(self, work: Work, word_bits: int) -> int:
        """Words that hold a fold's activations of one pixel of a group, at most.

        A group's channels are a part of each pixel, so each tap is read on its own.
        """
        rows = self.array.rows
        channels = min(work.group_channels, rows)
        taps = min(work.taps, folds(rows, work.group_channels) + 1)
        return taps * folds(channels * work.activation_bits, word_bits)

    def sram_reads(self, work: Work, word_bits: int) -> SramReads:
        """Words read, operands packed to the bit.

        Streamed operands are read again for every held fold and every slice of the held ones;
        held operands again for every stream.
        """
        slicing, folding = self.slicing(work.weight_bits, work.activation_bits), self.folding(work)
        again = folding.held_folds * slicing.held
        # A group's own folds read its own operands.
        of_streamed, of_held = folds(again, work.groups), folding.chunks
        of_activations, of_weights = (
            (of_streamed, of_held) if self.holds_weights else (of_held, of_streamed)
        )
        weights = work.channels * work.reduction * of_weights
        if work.groups == 1:
            bits = work.pixels * work.reduction * of_activations * work.activation_bits
            activation_words = folds(bits, word_bits)
        else:
            run_words = folds(work.group_channels * work.activation_bits, word_bits)
            words = work.pixels * work.taps * run_words
            activation_words = words * of_activations * work.groups
        return SramReads(activation_words, folds(weights * work.weight_bits, word_bits))

    def partial_sums(self, work: Work) -> PartialSums:
        """Every pass of an output but the first takes up a sum, all but the last leave one."""
        slicing = self.slicing(work.weight_bits, work.activation_bits)
        passes = self.folding(work).reduction_folds * slicing.held * slicing.streamed
        moved = work.pixels * work.channels * (passes - 1)
        return PartialSums(moved, moved)
