"""The integer operators a graph is made of. Each is data; `docs/operators/` says what it computes.

An operator carries integers only: weights, biases, and rescaling multipliers with their shifts.
Zero points are gone by the time an operator is built: since Σ w·(q − z) = Σ w·q − z·Σ w, and a
padded tap carries a chosen code, they fold into the bias exactly.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from quant.common.accumulators import Accumulator
from quant.common.requantization import FusedTerms, Integers, Requantization, TermRounding
from quant.common.run_time_scaling import PLACEMENTS
from quant.graph.types import IntegerType, Padding

__all__ = ["FusedTerms", "Integers", "Requantization", "TermRounding"]

ANY_NUMBER = -1
"""Operands of an operator that takes two or more."""


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """The image: codes that arrive from outside."""

    kind: ClassVar[str] = "input"
    operands: ClassVar[int] = 0


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """Two-dimensional convolution, requantized.

    Attributes:
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels / groups].
        weight_type: the integers ``weight`` is drawn from, and its stored width.
        bias: int64 [out_channels], in units of the accumulator.
        padding: rows and columns of pad codes around the image.
        pad_code: int64 [in_channels] or [1], the code of every tap outside the image.
        requantization: accumulator to output code.
        stride: rows and columns between neighbouring outputs' windows.
        dilation: rows and columns between neighbouring taps.
        groups: output channel o reads the input channels of group o // (out_channels / groups).
        accumulator: what the sum is kept in; None is one that is wide enough for every sum.
        tap_offset: int64 [out_channels, kernel_height, kernel_width], added to the sum for every
            tap inside the image; None adds nothing. It makes pad codes stand for a real number
            that has no code.
        border: a name in `BORDERS`: what taps outside the image read, ``code`` the pad code,
            ``replicate`` the nearest pixel of the image.
    """

    weight: Integers
    weight_type: IntegerType
    bias: Integers
    padding: Padding
    pad_code: Integers
    requantization: Requantization
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    accumulator: Accumulator | None = None
    tap_offset: Integers | None = None
    border: str = "code"

    kind: ClassVar[str] = "convolution"
    operands: ClassVar[int] = 1

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return int(self.weight.shape[0])

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return int(self.weight.shape[3]) * self.groups

    @property
    def kernel(self) -> tuple[int, int]:
        """Taps of the kernel, down and across."""
        return int(self.weight.shape[1]), int(self.weight.shape[2])

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns of the padded image an output spans, gaps between taps included."""
        (height, width), (down, across) = self.kernel, self.dilation
        return (height - 1) * down + 1, (width - 1) * across + 1

    @property
    def macs_per_pixel(self) -> int:
        """Multiplications per output pixel, over all output channels."""
        return int(self.weight.size)


BORDERS = ("code", "replicate")
"""What taps outside the image of a convolution read."""


@dataclass(frozen=True, slots=True, eq=False)
class TransposedConvolution:
    """Convolution of stride 1 over the image with pad codes put between its pixels.

    ``stride`` − 1 rows and columns of pad codes separate neighbouring pixels; ``padding`` surrounds
    the result. torch's ConvTranspose2d(padding=p, output_padding=r) of a k×k kernel has its kernel
    turned by 180 degrees, k − 1 − p rows above and k − 1 − p + r below.

    Attributes:
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels].
        weight_type: the integers ``weight`` is drawn from, and its stored width.
        bias: int64 [out_channels], in units of the accumulator.
        stride: output pixels per input pixel, down and across.
        padding: rows and columns of pad codes around the spread image.
        pad_code: int64 [in_channels] or [1], the code of every tap that is no pixel.
        requantization: accumulator to output code.
    """

    weight: Integers
    weight_type: IntegerType
    bias: Integers
    stride: tuple[int, int]
    padding: Padding
    pad_code: Integers
    requantization: Requantization

    kind: ClassVar[str] = "transposed_convolution"
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
    def window(self) -> tuple[int, int]:
        """Rows and columns of the spread image an output spans."""
        return self.kernel


@dataclass(frozen=True, slots=True, eq=False)
class Add:
    """Sum of two feature maps on different scales: first·m0 + second·m1 + bias, requantized.

    The products are exact, unless ``term_rounding`` says how each is rounded, or that the sum
    is formed in float32. Then the multipliers are bit patterns, and all the sum still needs is
    rounding to a code: mode ``onnxruntime``, scale 1, zero point 0.
    """

    multipliers: tuple[int, int]
    bias: int
    requantization: Requantization
    term_rounding: TermRounding | FusedTerms | None = None

    kind: ClassVar[str] = "add"
    operands: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, eq=False)
class Multiply:
    """Product of a feature map and a factor: (first + b0) · (second + b1), requantized.

    The second operand has the first one's height and width or is a single pixel, and its channels
    or one channel: a factor for each value, pixel, or channel.

    Attributes:
        biases: added to each operand, their zero points with the sign turned.
        requantization: product to output code.
    """

    biases: tuple[int, int]
    requantization: Requantization

    kind: ClassVar[str] = "multiply"
    operands: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, eq=False)
class Requantize:
    """The same feature map in another encoding, by channel if need be: code + bias, requantized.

    With constants of one channel each it also is the multiplication by a constant factor per
    channel, and a clip.

    Attributes:
        bias: int64 [channels] or [1].
        requantization: code to output code.
    """

    bias: Integers
    requantization: Requantization

    kind: ClassVar[str] = "requantize"
    operands: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, eq=False)
class ParametricRelu:
    """A rescaling for sums of at least 0, another for those below: PReLU and LeakyReLU.

    With s = code + bias: requantize(s, positive) if s ≥ 0, else
    requantize(s · slope[channel], negative).

    Attributes:
        bias: the input's zero point with the sign turned.
        slope: int64 [channels] or [1].
        positive: for sums of at least 0.
        negative: for sums below 0, times their slope.
    """

    bias: int
    slope: Integers
    positive: Requantization
    negative: Requantization

    kind: ClassVar[str] = "prelu"
    operands: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """Any function of a code: table[channel, code − least code of the operand's type].

    Attributes:
        table: int64 [channels or 1, codes from the least to the greatest of the operand's type].
    """

    table: Integers

    kind: ClassVar[str] = "lookup_table"
    operands: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, eq=False)
class Concatenate:
    """Feature maps of one encoding side by side: the first one's channels, then the second's."""

    kind: ClassVar[str] = "concatenate"
    operands: ClassVar[int] = ANY_NUMBER


@dataclass(frozen=True, slots=True, eq=False)
class PixelShuffle:
    """Depth to space: pixel (y·f+dy, x·f+dx) takes channel c from input pixel (y, x).

    In the order ``dcr`` (TensorFlow Lite's DEPTH_TO_SPACE) it is channel (dy·f+dx)·C + c, in
    ``crd`` (torch's PixelShuffle) channel c·f² + dy·f+dx.
    """

    factor: int
    order: str = "dcr"

    kind: ClassVar[str] = "pixel_shuffle"
    operands: ClassVar[int] = 1


SHUFFLE_ORDERS = ("dcr", "crd")


@dataclass(frozen=True, slots=True, eq=False)
class NearestResize:
    """Every pixel repeated ``factor`` times down and across."""

    factor: int

    kind: ClassVar[str] = "nearest_resize"
    operands: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, eq=False)
class BilinearResize:
    """Interpolation between four pixels on a grid of 2^-10, as TensorFlow Lite does, requantized.

    Attributes:
        factor: output pixels per input pixel, down and across.
        half_pixel_centers: whether pixels are squares with a centre, not points.
        bias: added to the weighted sum, which is in units of 2^-20 codes.
        requantization: sum to output code.
    """

    factor: int
    half_pixel_centers: bool
    bias: int
    requantization: Requantization

    kind: ClassVar[str] = "bilinear_resize"
    operands: ClassVar[int] = 1


RESIZE_FRACTION_BITS = 10
"""Of a bilinear resize's positions, as in TensorFlow Lite's integer RESIZE_BILINEAR."""


@dataclass(frozen=True, slots=True, eq=False)
class AveragePool:
    """Sum over a window of pixels, plus bias, requantized; windows lie within the image.

    Attributes:
        kernel: rows and columns of a window.
        stride: rows and columns between neighbouring windows.
        bias: added to the sum.
        requantization: sum to output code, the division by the window's pixels included.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    bias: int
    requantization: Requantization

    kind: ClassVar[str] = "average_pool"
    operands: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, eq=False)
class ScaledConvolution(Convolution):
    """Convolution of a feature map whose channels have factors of their own, known at run time.

    The first operand holds codes of table entries, the second the single pixel that a
    `Normalization` makes: mean and reach of each channel. A tap inside the image reads
    reach · points[channel, code] + 1024 · mean, one outside the image 0.

    Attributes:
        points: int64 [in_channels, 2^bits of a code], in units of 2^-10, -1024 to 1024.
        is_centred: whether means take part; where they do not, they count as 0.
        placement: a name in `PLACEMENTS`: what the machine multiplies by the reach. The result is
            the same.
    """

    points: Integers = field(kw_only=True)
    is_centred: bool = True
    placement: str = PLACEMENTS[0]

    kind: ClassVar[str] = "scaled_convolution"
    operands: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Numbers for each channel of a whole feature map: a single pixel comes out.

    Attributes:
        statistic: a name in `STATISTICS`. The ``summary`` is the sums, minima and maxima of all
            channels one behind the other, and the number of pixels.
    """

    statistic: str

    kind: ClassVar[str] = "statistics"
    operands: ClassVar[int] = 1


STATISTICS = ("sum", "minimum", "maximum", "summary")


@dataclass(frozen=True, slots=True, eq=False)
class Normalization:
    """From the summary of a feature map to each channel's mean, reach and reciprocal.

    The reach is the largest distance of a value from the mean.

    Attributes:
        is_centred: whether the mean is that of the channel, or 0.
    """

    is_centred: bool = True

    kind: ClassVar[str] = "normalization"
    operands: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, eq=False)
class Encode:
    """Codes of normalized values: how many thresholds lie below (value − mean) / reach.

    The first operand is a feature map, the second the single pixel that a `Normalization` makes.

    Attributes:
        thresholds: int64 [channels, codes − 1], ascending, in units of 2^-11.
    """

    thresholds: Integers

    kind: ClassVar[str] = "encode"
    operands: ClassVar[int] = 2


Operator = (
    Input
    | Convolution
    | TransposedConvolution
    | Add
    | Multiply
    | Requantize
    | ParametricRelu
    | LookupTable
    | Concatenate
    | PixelShuffle
    | NearestResize
    | BilinearResize
    | AveragePool
    | Statistics
    | Normalization
    | Encode
    | ScaledConvolution
)
OPERATORS: dict[str, type[Operator]] = {
    operator.kind: operator
    for operator in (
        Input,
        Convolution,
        TransposedConvolution,
        Add,
        Multiply,
        Requantize,
        ParametricRelu,
        LookupTable,
        Concatenate,
        PixelShuffle,
        NearestResize,
        BilinearResize,
        AveragePool,
        Statistics,
        Normalization,
        Encode,
        ScaledConvolution,
    )
}
