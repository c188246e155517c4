"""Integers packed into the words that a port takes or gives, and back.

An item is as many uint32 words as its bits need, the lowest first; element 0 has its lowest bits.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Wide = NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

WORD_BITS = 32


def word_count(bits: int) -> int:
    """Words of an item."""
    return -(-bits // WORD_BITS)


def pack(integers: NDArray[np.integer[Any]], bits: int) -> Words:
    """Items of elements, each as two's complement of a width.

    Args:
        integers: [items, elements], or [items] of one element each.
        bits: of an element, up to 64.

    Returns:
        uint32 [items, words].

    Raises:
        ValueError: an integer fits neither as signed nor as unsigned.
    """
    shape = len(integers), math.prod(integers.shape[1:])
    return pack_fields([(integers.reshape(shape), bits)])


def pack_fields(fields: Sequence[tuple[NDArray[np.integer[Any]], int]]) -> Words:
    """Items of several fields, each of elements of a width, the first in the lowest bits.

    Args:
        fields: integers [items, elements], and the bits of an element.

    Returns:
        uint32 [items, words].

    Raises:
        ValueError: an integer fits neither as signed nor as unsigned.
    """
    for integers, bits in fields:
        check_fits(integers, -(1 << (bits - 1)), (1 << bits) - 1)
    total = sum(integers.shape[1] * bits for integers, bits in fields)
    words = np.zeros((len(fields[0][0]), word_count(total)), np.uint32)
    first = 0
    for integers, bits in fields:
        _pack(integers.astype(np.int64), bits, first, words)
        first += integers.shape[1] * bits
    return words


def check_fits(integers: NDArray[np.integer[Any]], low: int, high: int) -> None:
    """Raise ValueError unless integers lie from ``low`` to ``high``."""
    if integers.size:
        least, most = int(integers.min()), int(integers.max())
        if least < low or most > high:
            outside = least if least < low else most
            raise ValueError(f"{outside} lies outside {low} to {high}")


def unpack(words: Words, bits: int, elements: int = 1, *, is_signed: bool) -> Wide:
    """The elements of items.

    Args:
        words: [items, words].
        bits: of an element.
        elements: of an item.
        is_signed: whether elements are two's complement.

    Returns:
        int64 [items, elements].
    """
    integers = np.zeros((len(words), elements), np.int64)
    _unpack(np.ascontiguousarray(words), bits, is_signed, integers)
    return integers


def words_of(integer: int, bits: int) -> Words:
    """One item of any width from one integer, uint32 [words]; what lies above its bits is cut."""
    octets = (integer & ((1 << bits) - 1)).to_bytes(4 * word_count(bits), "little")
    return np.frombuffer(octets, "<u4").astype(np.uint32)


def _kernel(function: Function) -> Function:
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


@_kernel
def _pack(integers: Wide, bits: int, first: int, words: Words) -> None:
    for item in range(integers.shape[0]):
        place = first
        for element in range(integers.shape[1]):
            rest, left = np.uint64(integers[item, element]), bits
            while left > 0:
                inside = place % 32
                count = min(left, 32 - inside)
                part = rest & np.uint64((1 << count) - 1)
                words[item, place // 32] |= np.uint32(part << np.uint64(inside))
                rest >>= np.uint64(count)
                left -= count
                place += count


@_kernel
def _unpack(words: Words, bits: int, is_signed: bool, integers: Wide) -> None:
    for item in range(integers.shape[0]):
        place = 0
        for element in range(integers.shape[1]):
            value, done = np.uint64(0), 0
            while done < bits:
                inside = place % 32
                count = min(bits - done, 32 - inside)
                part = np.uint64(words[item, place // 32]) >> np.uint64(inside)
                value |= (part & np.uint64((1 << count) - 1)) << np.uint64(done)
                done += count
                place += count
            if is_signed and bits < 64 and value >> np.uint64(bits - 1):
                value |= ~np.uint64((1 << bits) - 1)
            integers[item, element] = np.int64(value)
