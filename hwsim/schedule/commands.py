"""The commands an accelerator executes. Each says what it reads and writes in SRAM.

That is all the verifier, the clock and the machine ask of a command to keep it in order; how it
is checked, timed, charged and executed stands in a table of each of those rooms, by its type.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.storage import Block, DramTensor, Piece, Rows
from quant.graph import Accumulator, Add, IntegerType, Padding, Requantize


@dataclass(frozen=True, slots=True, eq=False)
class ConvolutionSettings:
    """What the array is told of a convolution besides the constants it reads from SRAM."""

    kernel: tuple[int, int]
    weight_type: IntegerType
    pad_code: NDArray[np.int64]
    zero_point: int
    low: int
    high: int
    rounding: str
    destination_scale: int
    zero_point_first: bool
    accumulator: Accumulator | None


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

    With ``factor`` above 1 each pixel spreads to factor × factor pixels (depth to space): the
    pixel shuffle is an address remap of the store. ``row`` and ``column`` count output pixels.
    """

    group: int
    rows: Rows
    tensor: DramTensor
    row: int
    column: int
    factor: int

    @property
    def reads(self) -> tuple[Piece, ...]:
        """The rows."""
        return (self.rows,)

    @property
    def writes(self) -> tuple[Piece, ...]:
        """Nothing in SRAM."""
        return ()


@dataclass(frozen=True, slots=True)
class Convolve:
    """Output channels from ``first_channel`` on, for the rows of one tile, on the MAC array.

    ``row`` and ``column`` are where the tile begins in the whole output.
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

    @property
    def reads(self) -> tuple[Piece, ...]:
        """The window and the constants."""
        return (self.input, self.weights, self.parameters)

    @property
    def writes(self) -> tuple[Piece, ...]:
        """The output rows, of which it fills some channels."""
        return (self.output,)


@dataclass(frozen=True, slots=True)
class Elementwise:
    """An addition or requantization of rows on the vector unit."""

    group: int
    node: str
    inputs: tuple[Rows, ...]
    output: Rows
    operator: Add | Requantize

    @property
    def reads(self) -> tuple[Piece, ...]:
        """The operands."""
        return self.inputs

    @property
    def writes(self) -> tuple[Piece, ...]:
        """The result."""
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


Command = LoadConstants | LoadRows | StoreRows | Convolve | Elementwise | Barrier
