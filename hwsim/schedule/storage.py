"""Where data lies: feature maps in DRAM, rings of rows and blocks of constants in SRAM.

Feature maps enter SRAM by rows into ring buffers (`LineBuffer`), so a convolution that walks down
the image loads each row once and finds its halo already there.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from hwsim.arithmetic import packing
from quant.common.codes import CodeKind
from quant.graph import IntegerType, Size, TensorType
from quant.graph.types import MAXIMUM_BITS

BIAS_BYTES, MULTIPLIER_BYTES, SHIFT_BYTES = 5, 4, 1
"""Of one output channel's record, as in Arm Ethos-U; tap offsets behind them are like biases."""


def ceil_divide(dividend: int, divisor: int) -> int:
    """Quotient of two integers, rounded up."""
    return -(-dividend // divisor)


def round_up(value: int, multiple: int) -> int:
    """The smallest multiple that is not below the value."""
    return ceil_divide(value, multiple) * multiple


def pixel_bytes(channels: int, integer: IntegerType) -> int:
    """Bytes of one pixel's channel vector: codes bit after bit, padded to whole bytes."""
    return packing.pixel_bytes(channels, integer.bits)


def is_sum(integer: IntegerType) -> bool:
    """Whether integers are sums over a feature map, wider than codes."""
    return integer.bits > MAXIMUM_BITS


def code_format(integer: IntegerType) -> packing.CodeFormat:
    """How memories store the integers of a type; sums as the bytes they are made of."""
    if is_sum(integer):
        return packing.code_format(8, CodeKind.UNSIGNED)
    return packing.code_format(integer.bits, integer.kind, integer.values)


def codes_per_pixel(channels: int, integer: IntegerType) -> int:
    """Codes in the format of `code_format` that a pixel is made of."""
    return channels * integer.bits // 8 if is_sum(integer) else channels


@dataclass(frozen=True, slots=True, eq=False)
class DramTensor:
    """A feature map in DRAM: rows of packed pixels, each row starting on a burst.

    A place is itself and no other: commands of one program share it, and compare it by identity.

    Attributes:
        name: the graph node that produces it.
        address: byte address of the first row.
        size: height and width in pixels.
        channels: channels of a pixel.
        integer: the codes and their width.
        row_bytes: distance between rows, a multiple of the burst.
        pixel_bytes: bytes of one pixel.
        code: how memories store the integers.
    """

    name: str
    address: int
    size: Size
    channels: int
    integer: IntegerType
    row_bytes: int
    pixel_bytes: int = field(init=False)
    code: packing.CodeFormat = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixel_bytes", pixel_bytes(self.channels, self.integer))
        object.__setattr__(self, "code", code_format(self.integer))

    def pixel_address(self, row: int, column: int) -> int:
        """Address of a pixel's first byte."""
        return self.address + row * self.row_bytes + column * self.pixel_bytes

    @property
    def size_bytes(self) -> int:
        """Bytes the tensor occupies, row padding included."""
        return self.size.height * self.row_bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A named range of SRAM that holds constants: one slot, whose only row is row 0."""

    name: str
    address: int
    size_bytes: int

    first: ClassVar[int] = 0

    def addresses(self) -> tuple[int, ...]:
        """Its SRAM address."""
        return (self.address,)


@dataclass(frozen=True, slots=True, eq=False)
class LineBuffer:
    """A ring of feature-map rows in SRAM: running row r lies in slot r mod ``capacity``.

    A place is itself and no other, as a `DramTensor` is.

    Attributes:
        name: the tensor whose rows it holds, and in which role.
        address: byte address of slot 0.
        capacity: rows it holds.
        row_bytes: distance between slots, a multiple of the SRAM word.
        channels: channels of a pixel.
        integer: the codes and their width.
        type: channels and codes together.
        pixel_bytes: bytes of one pixel.
        code: how memories store the integers.
    """

    name: str
    address: int
    capacity: int
    row_bytes: int
    channels: int
    integer: IntegerType
    type: TensorType = field(init=False)
    pixel_bytes: int = field(init=False)
    code: packing.CodeFormat = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", TensorType(self.channels, self.integer))
        object.__setattr__(self, "pixel_bytes", pixel_bytes(self.channels, self.integer))
        object.__setattr__(self, "code", code_format(self.integer))

    @property
    def size_bytes(self) -> int:
        """Bytes the ring occupies."""
        return self.capacity * self.row_bytes


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows in a line buffer, ``columns`` pixels wide, from running row ``first`` on.

    ``offset`` is how many pixels of each row lie before them: what reads a tile may need less of
    a row than what wrote it has made.
    """

    buffer: LineBuffer
    first: int
    count: int
    columns: int
    offset: int = 0

    def addresses(self) -> tuple[int, ...]:
        """SRAM address of the slot of each row, top to bottom."""
        buffer = self.buffer
        return _ring_addresses(
            buffer.address,
            buffer.capacity,
            buffer.row_bytes,
            self.first % buffer.capacity,
            self.count,
        )

    @property
    def offset_bytes(self) -> int:
        """Bytes from the start of a slot to the first pixel."""
        return self.offset * self.buffer.pixel_bytes

    @property
    def end_bytes(self) -> int:
        """Bytes from the start of a slot to behind the last pixel."""
        return (self.offset + self.columns) * self.buffer.pixel_bytes

    @property
    def pixels(self) -> int:
        """Pixels in all the rows."""
        return self.count * self.columns


@lru_cache(maxsize=4096)  # a ring of n slots has n of them, times the few heights of its tiles
def _ring_addresses(
    address: int, capacity: int, row_bytes: int, slot: int, count: int
) -> tuple[int, ...]:
    """Addresses of consecutive slots of a ring, from one of them on."""
    return tuple(address + row % capacity * row_bytes for row in range(slot, slot + count))


Piece = Rows | Block
"""What a command reads or writes in SRAM."""
