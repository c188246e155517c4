"""Random sums and their requantization, for oracles that only rescale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.operator_case import OperatorCase
from quant.common.codes import CodeKind
from quant.graph import IntegerType, Requantization, Requantize, TensorType

SUM_BITS = 32
_OUTPUT = IntegerType(8, CodeKind.SIGNED)
_SUMS = IntegerType(SUM_BITS, CodeKind.SIGNED)
_PIXELS, _MOST_CHANNELS = 64, 32


@dataclass(frozen=True, slots=True, eq=False)
class Rescale:
    """Sums with a multiplier and a shift for each channel.

    Attributes:
        sums: int32 [1, pixels, channels].
        multiplier: int64 [channels].
        shift: int64 [channels].
        zero_point: of the codes.
        zero_point_first: whether it is added before the rounding.
    """

    sums: NDArray[np.int32]
    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]
    zero_point: int
    zero_point_first: bool = False

    def __str__(self) -> str:
        return f"{self.sums.shape[1]}×{self.sums.shape[2]}, zero point {self.zero_point}"


def random_rescale(random: np.random.Generator) -> Rescale:
    """Sums of 32 bits to 8-bit codes, by multipliers of 31 bits; halves are common.

    Sums are below 2^(shift - 1), as TOSA's ``apply_scale_32`` requires.
    """
    channels = int(random.integers(1, _MOST_CHANNELS, endpoint=True))
    shift = random.integers(31, 46, channels, endpoint=True)
    multiplier = random.integers(2**30, 2**31, channels)
    if random.random() < 0.5:  # a power of two, where halves are exact
        multiplier = np.full(channels, 2**30)
    # About 300 codes each way: some are clamped.
    reach = np.minimum(300 * np.exp2(shift) / multiplier, 2.0 ** np.minimum(shift - 1, 31) - 1)
    sums = random.uniform(-1, 1, (1, _PIXELS, channels)) * reach
    return Rescale(
        sums.astype(np.int32), multiplier, shift, int(random.integers(-128, 127, endpoint=True))
    )


def random_shift(random: np.random.Generator) -> Rescale:
    """As above, with nothing but a shift of at most 12, the zero point before the rounding."""
    channels = int(random.integers(1, _MOST_CHANNELS, endpoint=True))
    shift = random.integers(1, 12, channels, endpoint=True)
    sums = random.uniform(-1, 1, (1, _PIXELS, channels)) * 150 * np.exp2(shift)
    zero_point = int(random.integers(-128, 127, endpoint=True))
    return Rescale(
        sums.astype(np.int32), np.ones(channels, np.int64), shift, zero_point, zero_point_first=True
    )


def our_rescale(case: Rescale, mode: str) -> OperatorCase:
    """A case in one of our modes."""
    requantization = Requantization(
        case.multiplier,
        case.shift,
        case.zero_point,
        _OUTPUT.low,
        _OUTPUT.high,
        mode,
        zero_point_first=case.zero_point_first,
    )
    operand = TensorType(case.sums.shape[2], _SUMS)
    return OperatorCase(
        str(case), Requantize(np.zeros(1, np.int64), requantization), (operand,), (case.sums,)
    )
