"""What a convolution of some output pixels and channels asks of the MAC array."""

from dataclasses import dataclass

from accelerators import Accelerator
from accelerators.datapaths.output_stationary import (
    SramReads,
    convolution_cycles,
    scattered_feed_cycles,
    sram_reads,
)


@dataclass(frozen=True, slots=True)
class ArrayWork:
    """A part of a convolution.

    Attributes:
        pixels: output pixels.
        channels: output channels.
        groups: into which they are divided.
        taps: of the kernel.
        group_channels: input channels of a group.
        weight_bits: width of a weight.
        activation_bits: width of an input code.
    """

    pixels: int
    channels: int
    groups: int
    taps: int
    group_channels: int
    weight_bits: int
    activation_bits: int

    @property
    def reduction(self) -> int:
        """Products summed for one output."""
        return self.taps * self.group_channels

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations."""
        return self.pixels * self.channels * self.reduction

    def cycles(self, accelerator: Accelerator) -> int:
        """Cycles it holds the array."""
        array, sram = accelerator.array, accelerator.sram
        feed = 0
        if self.groups > 1:
            feed = scattered_feed_cycles(
                array,
                self.pixels,
                self.taps,
                self.group_channels,
                self.activation_bits,
                sram.word_bits,
                sram.banks,
            )
        return convolution_cycles(
            array,
            self.pixels,
            self.channels,
            self.reduction,
            self.weight_bits,
            self.activation_bits,
            self.groups,
            feed,
        )

    def sram_reads(self, accelerator: Accelerator) -> SramReads:
        """Words it reads from SRAM."""
        return sram_reads(
            accelerator.array,
            self.pixels,
            self.channels,
            self.reduction,
            self.weight_bits,
            self.activation_bits,
            accelerator.sram.word_bits,
            self.groups,
            self.taps,
        )
