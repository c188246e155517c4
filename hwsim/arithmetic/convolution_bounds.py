"""What the sums of a convolution keep to, proved from its weights and the range of its input."""

from dataclasses import dataclass

import numpy as np

from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic._requantization import LARGEST_PRODUCT, check_vector, magnitude

OPERAND_BITS = 17
"""Of weights and input codes, the sign counted: enough for every code of 16 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class ConvolutionBounds:
    """What every input within its declared range keeps to.

    A partial sum is that of some of an output's products, its bias among them or not: whatever
    order they are added in, no partial sum leaves ``least`` … ``greatest``, and some input reaches
    either when the products of its sign, and a bias of that sign, are added first.

    Attributes:
        weight: least and greatest weight.
        input: least and greatest input code, pad codes included.
        least: int64 [O], the least partial sum of each output channel, at most 0.
        greatest: int64 [O], the greatest, at least 0.
    """

    weight: tuple[int, int]
    input: tuple[int, int]
    least: Wide
    greatest: Wide

    @property
    def accumulator(self) -> int:
        """The largest magnitude of any partial sum of any channel."""
        return max(-int(self.least.min()), int(self.greatest.max()))

    def sums_fit(self, bits: int) -> bool:
        """Whether every partial sum fits a two's complement accumulator of this many bits."""
        return fits((int(self.least.min()), int(self.greatest.max())), bits)


def fits(bounds: tuple[int, int], bits: int) -> bool:
    """Whether integers from the first to the second fit two's complement of this many bits."""
    return -(1 << bits - 1) <= bounds[0] and bounds[1] < 1 << bits - 1


def convolution_bounds(
    weight: Codes, bias: Wide, input_low: int, input_high: int, tap_offset: Wide | None = None
) -> ConvolutionBounds:
    """The bounds of a convolution, whatever its stride and dilation.

    Args:
        weight: int32 [O, KH, KW, I/groups].
        bias: int64 [O].
        input_low: the least input code, pad codes included.
        input_high: the greatest.
        tap_offset: int64 [O, KH, KW], added for taps inside the image; or None.

    Raises:
        ValueError: the bias is not int64 [O] or the tap offsets not int64 [O, KH, KW], of
            magnitudes up to 2^62, or an operand has more than 17 bits.
    """
    check_vector(bias, "convolution bias", (len(weight),))
    if magnitude(bias) > LARGEST_PRODUCT:
        raise ValueError(f"convolution bias: reaches {magnitude(bias)}, more than 2^62")
    weights, inputs = (int(weight.min()), int(weight.max())), (input_low, input_high)
    if not (fits(weights, OPERAND_BITS) and fits(inputs, OPERAND_BITS) and input_low <= input_high):
        raise ValueError(
            f"convolution operands: weights in {weights} and inputs in {inputs}; "
            f"both must be integers of at most {OPERAND_BITS} bits"
        )
    taps = weight.reshape(len(weight), -1)
    positive = np.maximum(taps, 0).sum(axis=1, dtype=np.int64)
    negative = np.minimum(taps, 0).sum(axis=1, dtype=np.int64)
    low, high = min(input_low, 0), max(input_high, 0)
    constant = bias[:, np.newaxis]
    if tap_offset is not None:
        _check_tap_offset(tap_offset, weight.shape[:3])
        constant = np.column_stack([bias, tap_offset.reshape(len(bias), -1)])
    return ConvolutionBounds(
        weight=weights,
        input=inputs,
        least=np.minimum(constant, 0).sum(axis=1) + positive * low + negative * high,
        greatest=np.maximum(constant, 0).sum(axis=1) + positive * high + negative * low,
    )


def _check_tap_offset(tap_offset: Wide, shape: tuple[int, ...]) -> None:
    if tap_offset.dtype != np.int64 or tap_offset.shape != shape:
        raise ValueError(
            f"convolution tap offsets: expected int64 {list(shape)}, got {tap_offset.dtype} "
            f"{list(tap_offset.shape)}"
        )
    if magnitude(tap_offset) > LARGEST_PRODUCT // 2 // tap_offset[0].size:
        raise ValueError(
            f"convolution tap offsets: reach {magnitude(tap_offset)}, too large to add"
        )
