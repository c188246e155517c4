"""Integers as hexadecimal words, one a line, the way Verilog's ``$readmemh`` takes them.

A word is the two's complement of its tensor's width. ``//`` and ``/* */`` are comments, ``_`` may
separate digits, and ``@address`` (hexadecimal) says where the words behind it go (IEEE 1364-2005,
section 17.2.9).
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.graph import IntegerType

_WORD = re.compile(r"[0-9a-fA-F_]+")


def format_words(values: NDArray[Any], integer: IntegerType) -> str:
    """Words of integers, in memory order, each as wide as the type's width needs.

    Args:
        values: integers of the type.
        integer: signed or unsigned.
    """
    digits = -(-integer.bits // 4)
    words = values.reshape(-1).astype(np.int64) & ((1 << integer.bits) - 1)
    return "".join(f"{word:0{digits}x}\n" for word in words.tolist())


def parse_words(text: str, integer: IntegerType, count: int, where: str) -> NDArray[np.int32]:
    """The integers of a text of words.

    A signed word may be extended with its sign to whole hexadecimal digits or further.

    Args:
        text: words with comments and addresses.
        integer: signed or unsigned.
        count: how many words there must be.
        where: the file, for messages.

    Returns:
        int32 [count].

    Raises:
        UserError: a word is none or too wide, there are too many, or one is missing.
    """
    values = np.zeros(count, np.int64)
    given = np.zeros(count, bool)
    address = 0
    for number, line in enumerate(_without_comments(text).split("\n"), 1):
        for word in line.split():
            if word.startswith("@"):
                address = _digits(word[1:], f"{where}, line {number}", "an address")
                continue
            if address >= count:
                raise UserError(
                    f"{where}, line {number}: expected {count} words, found one at address "
                    f"{address:x}; give the tensor of this network and image"
                )
            bits = _digits(word, f"{where}, line {number}", "a hexadecimal word")
            values[address] = _integer(bits, integer, word, f"{where}, line {number}")
            given[address] = True
            address += 1
    if not given.all():
        raise UserError(
            f"{where}: expected {count} words, found none for address {int(given.argmin()):x}; "
            "give all of the tensor"
        )
    return values.astype(np.int32)


def _without_comments(text: str) -> str:
    """The text with comments blanked out, its lines as they were."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", text)


def _digits(word: str, where: str, what: str) -> int:
    if not _WORD.fullmatch(word) or not word.strip("_"):
        raise UserError(
            f"{where}: expected {what} such as 3f, found '{word[:20]}'; correct it "
            "(x and z are unknown bits of the circuit)"
        )
    return int(word.replace("_", ""), 16)


def _integer(bits: int, integer: IntegerType, word: str, where: str) -> int:
    """The integer of a word: what lies above its width must be nothing but its sign."""
    inside = bits & ((1 << integer.bits) - 1)
    value = inside
    if integer.low < 0 and inside > integer.high:
        value -= 1 << integer.bits
    above, width = bits >> integer.bits, 4 * len(word.replace("_", ""))
    extended = (1 << max(width - integer.bits, 0)) - 1 if value < 0 else 0
    if above not in (0, extended):
        raise UserError(
            f"{where}: expected a word of {integer.bits} bits ({integer}), found '{word[:20]}'; "
            "correct it"
        )
    return value
