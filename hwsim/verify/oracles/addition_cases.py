"""Random additions as inference engines see them, and the same additions in our operators."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.oracles.cases import SIGNED_8, single
from quant.graph import Encoding, IntegerType, TensorType
from quant.interchange.derivation import ADDITIONS


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedAddition:
    """A sum of two 8-bit feature maps with everything an engine asks for.

    Attributes:
        integer: type of the operands and of the sum.
        codes: two of int32 [height, width, channels].
        relu: whether the output is clamped at its zero point.
        scales: of both operands, float32.
        zeros: of both operands, codes.
        output_scale: a float32.
        output_zero: a code.
    """

    integer: IntegerType
    codes: tuple[NDArray[np.int32], NDArray[np.int32]]
    relu: bool
    scales: tuple[float, float]
    zeros: tuple[int, int]
    output_scale: float
    output_zero: int

    def __str__(self) -> str:
        shape = "×".join(str(axis) for axis in self.codes[0].shape)
        return (
            f"{shape} {self.integer}, scales {self.scales[0]:.9g} + {self.scales[1]:.9g} to "
            f"{self.output_scale:.9g}, zero points {self.zeros} to {self.output_zero}"
        )


def random_addition(
    random: np.random.Generator, integer: IntegerType = SIGNED_8, *, relu: bool = True
) -> QuantizedAddition:
    """An addition with random shape, codes and scales, none a hundredth of another.

    Args:
        random: where every draw comes from.
        integer: of 8 bits.
        relu: whether some cases clamp at the zero point.
    """
    low, high = integer.low, integer.high
    shape = tuple(int(side) for side in random.integers(1, 24, 3, endpoint=True))
    first, second = (random.integers(low, high, shape, np.int32, endpoint=True) for _ in range(2))
    zeros = [int(zero) for zero in random.integers(low, high, 3, endpoint=True)]
    if random.random() < 0.5:
        scales = [float(2.0**exponent) for exponent in random.integers(-9, -3, 3)]
    else:
        scales = [single(scale) for scale in np.exp2(random.uniform(-9, -3, 3))]
    return QuantizedAddition(
        integer=integer,
        codes=(first, second),
        relu=relu and bool(random.random() < 0.3),
        scales=(scales[0], scales[1]),
        zeros=(zeros[0], zeros[1]),
        output_scale=scales[2],
        output_zero=zeros[2],
    )


def our_addition(case: QuantizedAddition, convention: str) -> OperatorCase:
    """A case in one of the conventions of `ADDITIONS`."""
    channels = case.codes[0].shape[2]
    first, second, output = (
        TensorType(channels, case.integer, Encoding(scale, (zero,)))
        for scale, zero in zip(
            (*case.scales, case.output_scale), (*case.zeros, case.output_zero), strict=True
        )
    )
    low = case.output_zero if case.relu else case.integer.low
    add = ADDITIONS[convention](first, second, output, (low, case.integer.high))
    return OperatorCase(str(case), add, (first, second), case.codes)
