"""The commands an accelerator executes. Each says what it reads and writes in SRAM.

That is all the verifier, the clock and the machine ask of a command to keep it in order; how it
is checked, timed, charged and executed stands in a table of each of those rooms, by its type.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.array_work import ArrayWork
from hwsim.schedule.datapaths import weight_terms
from hwsim.schedule.scaled_array_work import ScaledArrayWork, ScaledWeights, Scaling
from hwsim.schedule.storage import Block, DramTensor, Piece, Rows
from quant.graph import (
    Accumulator,
    BilinearResize,
    Convolution,
    IntegerType,
    NearestResize,
    Operator,
    Padding,
    PixelShuffle,
    ScaledConvolution,
    Size,
    Statistics,
)


@dataclass(frozen=True, slots=True, eq=False)
class ConvolutionSettings:
    """What the array is told of a convolution besides the constants it reads from SRAM."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    out_channels: int
    in_channels: int
    weight_type: IntegerType
    pad_code: NDArray[np.int64]
    zero_point: int
    low: int
    high: int
    rounding: str
    destination_scale: int
    zero_point_first: bool
    accumulator: Accumulator | None
    has_tap_offsets: bool
    scaling: Scaling | None
    replicates_border: bool

    @classmethod
    def of(cls, convolution: Convolution) -> "ConvolutionSettings":
        """The settings of a convolution."""
        requantization = convolution.requantization
        return cls(
            convolution.kernel,
            convolution.stride,
            convolution.dilation,
            convolution.groups,
            convolution.out_channels,
            convolution.in_channels,
            convolution.weight_type,
            convolution.pad_code,
            requantization.zero_point,
            requantization.low,
            requantization.high,
            requantization.rounding,
            requantization.destination_scale,
            requantization.zero_point_first,
            convolution.accumulator,
            convolution.tap_offset is not None,
            Scaling.of(convolution) if isinstance(convolution, ScaledConvolution) else None,
            convolution.border == "replicate",
        )

    def groups_of(self, channels: int) -> int:
        """Groups that some output channels are: whole ones, unless there is but one."""
        return max(1, channels * self.groups // self.out_channels)

    def work(
        self, pixels: int, channels: int, activation_bits: int, *, prepares: bool = False
    ) -> ArrayWork | ScaledArrayWork:
        """What some output pixels and channels ask of the array; see `ScalingOperands`."""
        taps = self.kernel[0] * self.kernel[1]
        if self.scaling is not None:
            weights = ScaledWeights(taps, self.in_channels, self.weight_type.bits)
            return ScaledArrayWork(pixels, channels, weights, self.scaling, prepares)
        return ArrayWork(
            pixels,
            channels,
            self.groups_of(channels),
            taps,
            self.in_channels // self.groups,
            self.weight_type.bits,
            activation_bits,
            weight_terms(self.weight_type),
        )


@dataclass(frozen=True, slots=True)
class LoadConstants:
    """DRAM bytes into an SRAM block."""

    group: int
    address: int
    block: Block

    @property
    def reads(self) -> tuple[Piece, ...]:
        """Nothing in SRAM."""
        return ()

    @property
    def writes(self) -> tuple[Piece, ...]:
        """The block."""
        return (self.block,)


@dataclass(frozen=True, slots=True)
class LoadRows:
    """Rows of a DRAM tensor, from ``row`` and ``column`` on, into a line buffer."""

    group: int
    tensor: DramTensor
    row: int
    column: int
    rows: Rows

    @property
    def reads(self) -> tuple[Piece, ...]:
        """Nothing in SRAM."""
        return ()

    @property
    def writes(self) -> tuple[Piece, ...]:
        """The rows."""
        return (self.rows,)


@dataclass(frozen=True, slots=True)
class StoreRows:
    """Rows of a line buffer into a DRAM tensor at ``row`` and ``column``.

    With a ``remap`` each pixel spreads to factor × factor pixels, as a pixel shuffle or a nearest
    resize does by other addresses. ``row`` and ``column`` count pixels of the tensor.
    """

    group: int
    rows: Rows
    tensor: DramTensor
    row: int
    column: int
    remap: PixelShuffle | NearestResize | None = None

    @property
    def factor(self) -> int:
        """Pixels of the tensor per pixel of the rows, down and across."""
        return 1 if self.remap is None else self.remap.factor

    @property
    def reads(self) -> tuple[Piece, ...]:
        """The rows."""
        return (self.rows,)

    @property
    def writes(self) -> tuple[Piece, ...]:
        """Nothing in SRAM."""
        return ()


@dataclass(frozen=True, slots=True)
class ScalingOperands:
    """What a scaled convolution reads besides.

    Attributes:
        factors: the single pixel of a normalization.
        points: the tables of all channels.
        prepared: room for what is made once of factors and weights or tables, and stays; None
            where nothing is. The machine takes it as charged and filled: integers do not depend
            on where factors are multiplied.
        prepares: whether this command makes it.
    """

    factors: Rows
    points: Block
    prepared: Block | None
    prepares: bool

    @property
    def reads(self) -> tuple[Piece, ...]:
        """Factors and tables, and what was made of them before."""
        operands = self.factors, self.points
        return operands if self.prepares or self.prepared is None else (*operands, self.prepared)

    @property
    def writes(self) -> tuple[Piece, ...]:
        """What is made of them now."""
        return (self.prepared,) if self.prepares and self.prepared is not None else ()


@dataclass(frozen=True, slots=True)
class Convolve:
    """Output channels from ``first_channel`` on, for the rows of one tile, on the MAC array.

    ``row`` and ``column`` are where the tile begins in the whole output; ``scaling`` is there for
    a scaled convolution only. With a ``remap`` all output channels are written as a pixel shuffle
    places them, by other addresses: ``output`` has factor times the tile's rows and columns.
    """

    group: int
    node: str
    input: Rows
    output: Rows
    weights: Block
    parameters: Block
    row: int
    column: int
    first_channel: int
    channels: int
    padding: Padding
    settings: ConvolutionSettings
    scaling: ScalingOperands | None = None
    remap: PixelShuffle | None = None

    @property
    def pixels(self) -> int:
        """Output pixels, before they are remapped."""
        return self.output.pixels // (1 if self.remap is None else self.remap.factor**2)

    @property
    def work(self) -> ArrayWork | ScaledArrayWork:
        """What it asks of the array."""
        prepares = self.scaling is not None and self.scaling.prepares
        activation_bits = self.input.buffer.integer.bits
        return self.settings.work(self.pixels, self.channels, activation_bits, prepares=prepares)

    @property
    def reads(self) -> tuple[Piece, ...]:
        """The window and the constants."""
        operands = self.input, self.weights, self.parameters
        return operands if self.scaling is None else (*operands, *self.scaling.reads)

    @property
    def writes(self) -> tuple[Piece, ...]:
        """The output rows, of which it fills some channels."""
        return (self.output,) if self.scaling is None else (self.output, *self.scaling.writes)


@dataclass(frozen=True, slots=True)
class Elementwise:
    """An operator on rows, element by element, on the vector unit.

    An operand is as many rows as the output, or a single pixel. Of the operator's own constants
    only those count that sit in the unit's registers; ``constants`` holds the others
    (`hwsim.schedule.vector_constants`).
    """

    group: int
    node: str
    inputs: tuple[Rows, ...]
    output: Rows
    operator: Operator
    constants: Block | None = None

    @property
    def reads(self) -> tuple[Piece, ...]:
        """The operands and the constants."""
        return self.inputs if self.constants is None else (*self.inputs, self.constants)

    @property
    def writes(self) -> tuple[Piece, ...]:
        """The result."""
        return (self.output,)


@dataclass(frozen=True, slots=True)
class Interpolate:
    """Rows between rows on the vector unit: a tile of a bilinear resize.

    Positions are those of whole feature maps, so that a tile's borders are no borders.

    Attributes:
        group: number of its group.
        node: name of the graph node.
        input: rows of the operand, from row and column ``source`` of its feature map on.
        output: rows of the result, from row and column ``target`` of its feature map on.
        operator: the resize; as for `Elementwise`, its constants are those of registers.
        size: height and width of the operand's feature map.
        source: row and column.
        target: row and column.
        constants: those of every channel.
    """

    group: int
    node: str
    input: Rows
    output: Rows
    operator: BilinearResize
    size: Size
    source: tuple[int, int]
    target: tuple[int, int]
    constants: Block | None = None

    @property
    def reads(self) -> tuple[Piece, ...]:
        """The operand and the constants."""
        return (self.input,) if self.constants is None else (self.input, self.constants)

    @property
    def writes(self) -> tuple[Piece, ...]:
        """The result."""
        return (self.output,)


@dataclass(frozen=True, slots=True)
class Accumulate:
    """A tile's share of a statistic, on the vector unit; the ``first`` one begins it anew."""

    group: int
    node: str
    input: Rows
    output: Rows
    operator: Statistics
    first: bool

    constants: ClassVar[Block | None] = None

    @property
    def reads(self) -> tuple[Rows, ...]:
        """The tile, and the statistic of those before it."""
        return (self.input,) if self.first else (self.input, self.output)

    @property
    def writes(self) -> tuple[Piece, ...]:
        """The statistic so far, a single pixel."""
        return (self.output,)


@dataclass(frozen=True, slots=True)
class Barrier:
    """Everything before must have ended, and SRAM forgets: the next group allocates it anew."""

    group: int

    @property
    def reads(self) -> tuple[Piece, ...]:
        """Nothing."""
        return ()

    @property
    def writes(self) -> tuple[Piece, ...]:
        """Nothing."""
        return ()


VectorCommand = Elementwise | Interpolate | Accumulate
"""What the vector unit executes."""

Command = (
    LoadConstants
    | LoadRows
    | StoreRows
    | Convolve
    | Elementwise
    | Interpolate
    | Accumulate
    | Barrier
)
