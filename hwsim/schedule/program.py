"""The command stream an accelerator executes, on real DRAM and SRAM addresses.

A `Program` is data: tensors placed in DRAM, constants as bytes, and commands in issue order.
Feature maps enter SRAM by rows into ring buffers (`LineBuffer`), so a convolution that walks down
the image loads each row once and finds its halo already there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import packing
from quant.graph import Add, IntegerType, Padding, Requantize, Size

PARAMETER_BYTES = 10
"""Bytes of one output channel's record: bias (5), multiplier (4), shift (1), as in Arm Ethos-U."""
BIAS_BYTES, MULTIPLIER_BYTES = 5, 4


def ceil_divide(dividend: int, divisor: int) -> int:
    """Quotient of two integers, rounded up."""
    return -(-dividend // divisor)


def round_up(value: int, multiple: int) -> int:
    """The smallest multiple that is not below the value."""
    return ceil_divide(value, multiple) * multiple


def pixel_bytes(channels: int, integer: IntegerType) -> int:
    """Bytes of one pixel's channel vector: codes bit after bit, padded to whole bytes."""
    return packing.pixel_bytes(channels, integer.bits)


def code_format(integer: IntegerType) -> packing.CodeFormat:
    """How memories store the integers of a type.

    Raises:
        ValueError: its codes are too wide for feature maps and weights.
    """
    return packing.code_format(integer.bits, integer.kind, integer.values)


@dataclass(frozen=True, slots=True)
class DramTensor:
    """A feature map in DRAM: rows of packed pixels, each row starting on a burst.

    Attributes:
        name: the graph node that produces it.
        address: byte address of the first row.
        size: height and width in pixels.
        channels: channels of a pixel.
        integer: the codes and their width.
        row_bytes: distance between rows, a multiple of the burst.
    """

    name: str
    address: int
    size: Size
    channels: int
    integer: IntegerType
    row_bytes: int

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return pixel_bytes(self.channels, self.integer)

    @property
    def size_bytes(self) -> int:
        """Bytes the tensor occupies, row padding included."""
        return self.size.height * self.row_bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A named range of SRAM that holds constants."""

    name: str
    address: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LineBuffer:
    """A ring of feature-map rows in SRAM: running row r lies in slot r mod ``capacity``.

    Attributes:
        name: the tensor whose rows it holds, and in which role.
        address: byte address of slot 0.
        capacity: rows it holds.
        row_bytes: distance between slots, a multiple of the SRAM word.
        channels: channels of a pixel.
        integer: the codes and their width.
    """

    name: str
    address: int
    capacity: int
    row_bytes: int
    channels: int
    integer: IntegerType

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return pixel_bytes(self.channels, self.integer)

    @property
    def size_bytes(self) -> int:
        """Bytes the ring occupies."""
        return self.capacity * self.row_bytes


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows in a line buffer, ``columns`` pixels wide, from running row ``first`` on."""

    buffer: LineBuffer
    first: int
    count: int
    columns: int

    def addresses(self) -> list[int]:
        """SRAM address of each row, top to bottom."""
        buffer = self.buffer
        return [
            buffer.address + row % buffer.capacity * buffer.row_bytes
            for row in range(self.first, self.first + self.count)
        ]

    @property
    def pixels(self) -> int:
        """Pixels in all the rows."""
        return self.count * self.columns


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


@dataclass(frozen=True, slots=True)
class LoadConstants:
    """DRAM bytes into an SRAM block."""

    group: int
    address: int
    block: Block


@dataclass(frozen=True, slots=True)
class LoadRows:
    """Rows of a DRAM tensor, from ``row`` and ``column`` on, into a line buffer."""

    group: int
    tensor: DramTensor
    row: int
    column: int
    rows: Rows


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


@dataclass(frozen=True, slots=True)
class Convolve:
    """Output channels from ``first_channel`` on, for the rows of one tile, on the MAC array."""

    group: int
    node: str
    input: Rows
    output: Rows
    weights: Block
    parameters: Block
    first_channel: int
    channels: int
    padding: Padding
    settings: ConvolutionSettings


@dataclass(frozen=True, slots=True)
class Elementwise:
    """An addition or requantization of rows on the vector unit."""

    group: int
    node: str
    inputs: tuple[Rows, ...]
    output: Rows
    operator: Add | Requantize


@dataclass(frozen=True, slots=True)
class Barrier:
    """Everything before must have ended, and SRAM forgets: the next group allocates it anew."""

    group: int


Command = LoadConstants | LoadRows | StoreRows | Convolve | Elementwise | Barrier


@dataclass(frozen=True, slots=True)
class Tiling:
    """How a group's output is cut: strips of ``columns``, steps of ``rows``, weight blocks.

    Attributes:
        columns: output columns of a strip.
        rows: output rows of a step down the strip.
        channels: output channels of a weight block; all of them means the weights stay in SRAM.
    """

    columns: int
    rows: int
    channels: int


@dataclass(frozen=True, slots=True)
class ScheduledGroup:
    """Operators executed together on each tile: an anchor and the elementwise ones behind it.

    Attributes:
        name: the anchor's node name.
        nodes: the nodes, anchor first.
        kinds: their operator kinds, in the same order.
        tiling: how the output is cut.
        sram_bytes: SRAM the group's buffers occupy.
        macs: multiply-accumulate operations of the anchor.
        weight_bits: width of the anchor's weights, None without weights.
        activation_bits: width of the anchor's input.
    """

    name: str
    nodes: tuple[str, ...]
    kinds: tuple[str, ...]
    tiling: Tiling
    sram_bytes: int
    macs: int
    weight_bits: int | None
    activation_bits: int


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """What an accelerator executes for one image size.

    Attributes:
        graph: name of the graph.
        accelerator: name of the accelerator it was scheduled for.
        groups: the groups in order; commands name theirs by index.
        commands: in issue order.
        constants: uint8, the bytes DRAM holds from address 0 on.
        tensors: every feature map in DRAM, by node name.
        input: where the image is put.
        output: where the result is found.
        dram_bytes: size of the DRAM image.
    """

    graph: str
    accelerator: str
    groups: tuple[ScheduledGroup, ...]
    commands: tuple[Command, ...]
    constants: NDArray[np.uint8]
    tensors: dict[str, DramTensor]
    input: DramTensor
    output: DramTensor
    dram_bytes: int
