"""The operators a float network is made of, as plain data.

Feature maps are height x width x channels; real numbers are float64. A *pointwise* operator makes
each value from the same value of its operand alone.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from quant.graph.types import Padding

Reals = NDArray[np.float64]

UNCLAMPED = (-inf, inf)
"""The interval of a result that is left as it is; a ReLU has (0, inf)."""


@dataclass(frozen=True, slots=True, eq=False)
class FloatInput:
    """The image: real = scale · code + offset, code 0..255.

    Attributes:
        channels: colours of the image.
        scale: value of one step of the 8-bit picture.
        offset: [channels] value of code 0; minus the mean colour where a network subtracts it.
    """

    channels: int
    scale: float
    offset: Reals


@dataclass(frozen=True, slots=True, eq=False)
class FloatConvolution:
    """Convolution with zero padding, clamped.

    Attributes:
        weight: [out_channels, kernel_height, kernel_width, in_channels / groups].
        bias: [out_channels].
        padding: rows and columns of zeros around the feature map.
        clamp: smallest and largest result.
        stride: rows and columns between neighbouring outputs' windows.
        dilation: rows and columns between neighbouring taps.
        groups: output channel o reads the input channels of group o // (out_channels / groups).
    """

    weight: Reals
    bias: Reals
    padding: Padding
    clamp: tuple[float, float] = UNCLAMPED
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def with_outputs(self, channels: slice | NDArray[np.int64]) -> Self:
        """The convolution that computes some of the output channels, in an order; one group."""
        return replace(self, weight=self.weight[channels], bias=self.bias[channels])


@dataclass(frozen=True, slots=True, eq=False)
class FloatTransposedConvolution:
    """Convolution over the feature map with zeros between its pixels, clamped.

    Attributes:
        weight: [out_channels, kernel_height, kernel_width, in_channels], torch's turned by 180
            degrees.
        bias: [out_channels].
        stride: output pixels per input pixel, down and across.
        padding: rows and columns of zeros around the spread feature map.
        clamp: smallest and largest result.
    """

    weight: Reals
    bias: Reals
    stride: tuple[int, int]
    padding: Padding
    clamp: tuple[float, float] = UNCLAMPED

    @property
    def groups(self) -> int:
        """As of a convolution: always one."""
        return 1

    def with_outputs(self, channels: slice | NDArray[np.int64]) -> Self:
        """The convolution that computes some of the output channels, in an order."""
        return replace(self, weight=self.weight[channels], bias=self.bias[channels])


@dataclass(frozen=True, slots=True, eq=False)
class FloatPad:
    """Zeros around a feature map."""

    padding: Padding


@dataclass(frozen=True, slots=True, eq=False)
class FloatAffine:
    """Per channel: scale · x + offset; both [channels] or [1]."""

    scale: Reals
    offset: Reals

    def with_outputs(self, channels: slice | NDArray[np.int64]) -> Self:
        """The same map for some of the channels, in an order."""
        return replace(self, scale=_some(self.scale, channels), offset=_some(self.offset, channels))


@dataclass(frozen=True, slots=True, eq=False)
class FloatClamp:
    """The nearest value of an interval."""

    clamp: tuple[float, float]

    def with_outputs(self, channels: slice | NDArray[np.int64]) -> Self:
        """The same for any channels."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class FloatPRelu:
    """Negative values times a slope, [channels] or [1]."""

    slope: Reals

    def with_outputs(self, channels: slice | NDArray[np.int64]) -> Self:
        """The same for some of the channels, in an order."""
        return replace(self, slope=_some(self.slope, channels))


@dataclass(frozen=True, slots=True, eq=False)
class FloatFunction:
    """scale · function(x) + offset.

    Attributes:
        name: a name in `quant.lowering.functions.FUNCTIONS`.
        scale: factor of the result.
        offset: added to the result.
    """

    name: str
    scale: float = 1.0
    offset: float = 0.0

    def with_outputs(self, channels: slice | NDArray[np.int64]) -> Self:
        """The same for any channels."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class FloatAdd:
    """Sum of two feature maps, clamped."""

    clamp: tuple[float, float] = UNCLAMPED


@dataclass(frozen=True, slots=True, eq=False)
class FloatMultiply:
    """Product of a feature map and a factor for each of its values or pixels, clamped."""

    clamp: tuple[float, float] = UNCLAMPED


@dataclass(frozen=True, slots=True, eq=False)
class FloatConcatenate:
    """Feature maps side by side: the first one's channels, then the second's, and so on."""


@dataclass(frozen=True, slots=True, eq=False)
class FloatSlice:
    """The channels from ``start`` up to, and without, ``stop``."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class FloatPixelShuffle:
    """Depth to space; ``order`` says where the offset within a block stands in the channel index.

    ``crd`` (torch, ONNX CRD): channel = c · factor² + offset. ``dcr`` (TFLite, ONNX DCR):
    channel = offset · channels + c.
    """

    factor: int
    order: Literal["crd", "dcr"]

    def repeated(self, values: Reals) -> Reals:
        """Values per output channel as values per input channel."""
        if values.size == 1:
            return values
        repeat = np.repeat if self.order == "crd" else np.tile
        result: Reals = repeat(values, self.factor**2)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class FloatNearest:
    """Every pixel repeated ``factor`` times down and across."""

    factor: int


@dataclass(frozen=True, slots=True, eq=False)
class FloatBilinear:
    """Interpolation between four pixels, which are squares with a centre."""

    factor: int


@dataclass(frozen=True, slots=True, eq=False)
class FloatAveragePool:
    """Mean over windows that lie within the feature map.

    Attributes:
        kernel: rows and columns of a window.
        stride: rows and columns between neighbouring windows.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]


FloatLayer = FloatConvolution | FloatTransposedConvolution
"""What has weights: the layers that a bit policy speaks of."""

FloatPointwise = FloatAffine | FloatClamp | FloatPRelu | FloatFunction

FloatOperator = (
    FloatInput
    | FloatLayer
    | FloatPad
    | FloatPointwise
    | FloatAdd
    | FloatMultiply
    | FloatConcatenate
    | FloatSlice
    | FloatPixelShuffle
    | FloatNearest
    | FloatBilinear
    | FloatAveragePool
)


def _some(values: Reals, channels: slice | NDArray[np.int64]) -> Reals:
    return values if values.size == 1 else values[channels]
