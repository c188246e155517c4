"""Operands as the digits that arrays of each kind are fed, and their order.

All arrays of digits are int64. A digit's value times two to its shift, summed over an operand's
digits, is the operand.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.datapaths.interface import Work, folds

Wide = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Digits:
    """An operand cut up.

    Attributes:
        values: [digits, ...], the operand's shape behind the first axis.
        shifts: place of each digit.
        negative: whether the last digit is subtracted, as a sign bit is.
    """

    values: Wide
    shifts: tuple[int, ...]
    negative: bool = False


def slices_of(integers: Wide, bits: int, native_bits: int) -> Digits:
    """Slices of the native width: the last takes what is left, with the sign."""
    count = folds(bits, native_bits)
    shifts = tuple(native_bits * place for place in range(count))
    low = (1 << native_bits) - 1
    values = [integers >> shift & low for shift in shifts[:-1]]
    return Digits(np.stack([*values, integers >> shifts[-1]]), shifts)


def bits_of(integers: Wide, bits: int, is_signed: bool) -> Digits:
    """Single bits, lowest first."""
    shifts = tuple(range(bits))
    return Digits(np.stack([integers >> shift & 1 for shift in shifts]), shifts, is_signed)


def terms_of(integers: Wide, terms: int) -> Digits:
    """Signed powers of two: ±(exponent + 1), or 0; the shift is the lane's own.

    Raises:
        ValueError: an integer has more terms.
    """
    rest, place = integers.copy(), np.zeros_like(integers)
    values = np.zeros((terms, *integers.shape), np.int64)
    for digit in values:
        zeros = np.where(rest == 0, 0, _trailing_zeros(rest))
        rest, place = rest >> zeros, place + zeros
        sign = np.where(rest & 3 == 1, 1, -1)  # leaves a multiple of four, so fewest digits
        digit[...] = np.where(rest == 0, 0, sign * (place + 1))
        rest = np.where(rest == 0, 0, rest - sign)
    if rest.any():
        raise ValueError(f"an integer has more than {terms} terms")
    return Digits(values, (0,) * terms)


def _trailing_zeros(integers: Wide) -> Wide:
    lowest = (integers & -integers).astype(np.float64)
    return np.log2(np.maximum(lowest, 1)).astype(np.int64)


def layout(work: Work, depth: int, native_depth: int, kernel_taps: str) -> Wide:
    """Which product of an output lies where in each turn; -1 where none does.

    Returns:
        [turns, depth]. `accelerators.datapaths.interface.reduction_steps` counts the turns.
    """
    products = np.arange(work.reduction).reshape(work.taps, work.group_channels)
    if kernel_taps == "together" or work.group_channels < native_depth:
        products = products.reshape(1, -1)
    turns = folds(products.shape[1], depth)
    padded = np.full((len(products), turns * depth), -1, np.int64)
    padded[:, : products.shape[1]] = products
    return padded.reshape(-1, depth)


def laid_out(operands: Wide, places: Wide) -> Wide:
    """Operands [..., reduction] where a layout wants them, [..., turns, depth]; 0 for none."""
    return np.where(places < 0, 0, operands[..., places])
