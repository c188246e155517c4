"""What a scaled convolution of some output pixels and channels asks of array and scaler."""

from dataclasses import dataclass

from accelerators import Accelerator
from accelerators.datapaths.channel_scaling import (
    MEAN_BITS,
    WIDTHS,
    scaling_cycles,
    sliced_cycles,
)
from accelerators.datapaths.interface import SramReads
from accelerators.datapaths.output_stationary import slices, sram_reads
from hwsim.schedule.storage import ceil_divide
from quant.graph import ScaledConvolution


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a convolution's channels get their factors, and what is made of them once an image.

    Attributes:
        placement: what is multiplied by a channel's reach.
        is_centred: whether channels have means.
        code_bits: of a code in SRAM.
        border_classes: sets of taps that lie inside the image, for which a sum of means differs.
    """

    placement: str
    is_centred: bool
    code_bits: int
    border_classes: int

    @classmethod
    def of(cls, convolution: ScaledConvolution) -> "Scaling":
        """The scaling of a convolution."""
        padding = convolution.padding
        code_bits = (convolution.points.shape[1] - 1).bit_length()
        classes = (padding.rows + 1) * (padding.columns + 1)
        return cls(convolution.placement, convolution.is_centred, code_bits, classes)

    @property
    def corrects_borders(self) -> bool:
        """Whether sums of means are kept for each border class; else operands hold the means."""
        return self.is_centred and self.placement != "activations"


@dataclass(frozen=True, slots=True)
class ScaledWeights:
    """Shape and width of the weights of an output channel."""

    taps: int
    inputs: int
    weight_bits: int

    @property
    def reduction(self) -> int:
        """Products summed for one output."""
        return self.taps * self.inputs


@dataclass(frozen=True, slots=True)
class ScaledArrayWork:
    """A part of a scaled convolution.

    Attributes:
        pixels: output pixels.
        channels: output channels.
        weights: of one output channel.
        scaling: how factors take part.
        prepares: whether it begins with what is made once of these weights, or tables.
    """

    pixels: int
    channels: int
    weights: ScaledWeights
    scaling: Scaling
    prepares: bool = False

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations."""
        return self.pixels * self.channels * self.weights.reduction

    @property
    def operand_bits(self) -> tuple[int, int]:
        """Widths of a weight and an activation in the array."""
        widths = WIDTHS[self.scaling.placement]
        return self.weights.weight_bits + widths.weight_extra_bits, widths.point_bits

    def operand_slices(self, accelerator: Accelerator) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Widths of the slices of a weight and of an activation."""
        (weight_bits, activation_bits), array = self.operand_bits, accelerator.array
        of_weight = slices(weight_bits, array.weight_bits)
        return of_weight, slices(activation_bits, array.activation_bits)

    @property
    def table_entries(self) -> int:
        """Of all channels together."""
        return self.weights.inputs << self.scaling.code_bits

    @property
    def scaled_in_preparation(self) -> int:
        """Numbers that are multiplied by a reach before the first product."""
        match self.scaling.placement:
            case "activations":
                return self.table_entries
            case "weights":
                return self.channels * self.weights.reduction
            case _:
                return 0

    @property
    def scaled_partial_sums(self) -> int:
        """Sums of a channel's products that are multiplied by its reach."""
        is_here = self.scaling.placement == "partial_sums"
        return self.pixels * self.channels * self.weights.inputs if is_here else 0

    @property
    def border_macs(self) -> int:
        """Products of weights and means, once for each weight."""
        is_here = self.scaling.corrects_borders
        return self.channels * self.weights.reduction if is_here else 0

    @property
    def border_sums(self) -> int:
        """Shares of taps in the sums of means of all border classes, each taken as if complete."""
        classes = self.scaling.border_classes if self.scaling.corrects_borders else 0
        return classes * self.weights.taps * self.channels

    def channel_folds(self, accelerator: Accelerator) -> int:
        """How often every activation is fed to the array."""
        return ceil_divide(self.channels, accelerator.array.columns)

    def fed_codes(self, accelerator: Accelerator) -> int:
        """Activations fed to the array, each decoded on the way."""
        return self.pixels * self.weights.reduction * self.channel_folds(accelerator)

    def cycles(self, accelerator: Accelerator) -> int:
        """Cycles it holds the array."""
        array, inputs = accelerator.array, self.weights.inputs
        feed = 0
        if self.scaling.placement == "partial_sums":
            outputs = min(self.pixels, array.rows) * min(self.channels, array.columns)
            feed = scaling_cycles(accelerator, outputs * inputs)
        own = sliced_cycles(
            array, self.pixels, self.channels, self.weights.reduction, *self.operand_bits, feed
        )
        return own + (self._preparation_cycles(accelerator) if self.prepares else 0)

    def _preparation_cycles(self, accelerator: Accelerator) -> int:
        """Scaling first; then a sum of means for each tap and output channel, on the array."""
        cycles = scaling_cycles(accelerator, self.scaled_in_preparation)
        if self.border_macs:
            cycles += sliced_cycles(
                accelerator.array,
                self.weights.taps,
                self.channels,
                self.weights.inputs,
                self.weights.weight_bits,
                MEAN_BITS,
            )
        return cycles

    def prepared_bytes(self, accelerator: Accelerator) -> int:
        """SRAM for what is made once: scaled weights or tables, sums of means by border class."""
        size_bytes = 0
        if self.scaled_in_preparation:
            bits = self.operand_bits[0 if self.scaling.placement == "weights" else 1]
            size_bytes += ceil_divide(self.scaled_in_preparation * bits, 8)
        return size_bytes + self.border_bytes(accelerator)

    def border_bytes(self, accelerator: Accelerator) -> int:
        """SRAM for the sums of means of every output channel and border class."""
        if not self.scaling.corrects_borders:
            return 0
        sum_bytes = ceil_divide(accelerator.channel_scaler.accumulator_bits, 8)
        return self.scaling.border_classes * self.channels * sum_bytes

    def sram_reads(self, accelerator: Accelerator) -> SramReads:
        """Words of codes and weights it reads from SRAM."""
        return sram_reads(
            accelerator.array,
            self.pixels,
            self.channels,
            self.weights.reduction,
            self.operand_bits[0],
            self.scaling.code_bits,
            accelerator.sram.word_bits,
        )

    def table_reads(self, accelerator: Accelerator) -> int:
        """Words of tables: each channel's into registers, for every fold of the array."""
        folds = ceil_divide(self.pixels, accelerator.array.rows) * self.channel_folds(accelerator)
        bits = self.operand_bits[1] << self.scaling.code_bits
        words = ceil_divide(bits, accelerator.sram.word_bits)
        return folds * self.weights.inputs * words
