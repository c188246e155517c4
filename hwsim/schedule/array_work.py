"""What a convolution of some output pixels and channels asks of the MAC array."""

from fractions import Fraction

from accelerators import Accelerator
from accelerators.datapaths.interface import PartialSums, SramReads, Work
from accelerators.datapaths.kinds import datapath_of


class ArrayWork(Work):
    """A part of a convolution, and what it costs on a machine's kind of array."""

    __slots__ = ()

    def cycles(self, accelerator: Accelerator) -> int:
        """Cycles it holds the array."""
        return datapath_of(accelerator.array).cycles(self, accelerator.sram)

    def cycles_per_pixel(self, accelerator: Accelerator) -> Fraction:
        """Cycles that each of its pixels takes at least, of however many it is one."""
        return datapath_of(accelerator.array).cycles_per_pixel(self)

    def sram_reads(self, accelerator: Accelerator) -> SramReads:
        """Words it reads from SRAM."""
        return datapath_of(accelerator.array).sram_reads(self, accelerator.sram.word_bits)

    def partial_sums(self, accelerator: Accelerator) -> PartialSums:
        """Unfinished sums it moves to and from the memories behind the columns."""
        return datapath_of(accelerator.array).partial_sums(self)
