"""The integer operators a graph is made of. Each is data; `docs/operators/` says what it computes.

An operator carries integers only: weights, biases, and rescaling multipliers with their shifts.
Zero points are gone by the time an operator is built: since Σ w·(q − z) = Σ w·q − z·Σ w, and a
padded tap carries a chosen code, they fold into the bias exactly.
"""

from dataclasses import dataclass
from typing import ClassVar

from quant.common.requantization import Integers, Requantization, TermRounding
from quant.graph.types import IntegerType

__all__ = ["Integers", "Requantization", "TermRounding"]


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """The image: codes that arrive from outside."""

    kind: ClassVar[str] = "input"
    operands: ClassVar[int] = 0


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """Two-dimensional convolution of stride 1, requantized.

    Attributes:
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels].
        weight_type: the integers ``weight`` is drawn from, and its stored width.
        bias: int64 [out_channels], in units of the accumulator.
        padding: rows above and below, columns left and right.
        pad_code: int64 [in_channels] or [1], the code of every tap outside the image.
        requantization: accumulator to output code.
    """

    weight: Integers
    weight_type: IntegerType
    bias: Integers
    padding: tuple[int, int]
    pad_code: Integers
    requantization: Requantization

    kind: ClassVar[str] = "convolution"
    operands: ClassVar[int] = 1

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return int(self.weight.shape[0])

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return int(self.weight.shape[3])

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the kernel."""
        return int(self.weight.shape[1]), int(self.weight.shape[2])

    @property
    def macs_per_pixel(self) -> int:
        """Multiplications per output pixel, over all output channels."""
        return int(self.weight.size)


@dataclass(frozen=True, slots=True, eq=False)
class Add:
    """Sum of two feature maps on different scales: first·m0 + second·m1 + bias, requantized.

    The products are exact, unless ``term_rounding`` says how each is rounded.
    """

    multipliers: tuple[int, int]
    bias: int
    requantization: Requantization
    term_rounding: TermRounding | None = None

    kind: ClassVar[str] = "add"
    operands: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, eq=False)
class Requantize:
    """The same feature map in another encoding: code + bias, requantized."""

    bias: int
    requantization: Requantization

    kind: ClassVar[str] = "requantize"
    operands: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, eq=False)
class PixelShuffle:
    """Depth to space, DCR order: out[y·f+dy, x·f+dx, c] = in[y, x, (dy·f+dx)·C + c]."""

    factor: int

    kind: ClassVar[str] = "pixel_shuffle"
    operands: ClassVar[int] = 1


Operator = Input | Convolution | Add | Requantize | PixelShuffle
OPERATORS: dict[str, type[Operator]] = {
    operator.kind: operator for operator in (Input, Convolution, Add, Requantize, PixelShuffle)
}
