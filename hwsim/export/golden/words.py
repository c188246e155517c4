"""Memories as the text that Verilog's ``$readmemh`` reads (IEEE 1364-2005, section 17.2.9).

Addresses count words. A word's first byte has its lowest bits, as everywhere in the simulated
memories; bytes nobody wrote are ``xx``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_BYTES_OF_A_LINE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Consecutive bytes of a memory.

    Attributes:
        name: of what lies there.
        address: of the first byte.
        octets: uint8 [bytes].
    """

    name: str
    address: int
    octets: Bytes


def hexadecimal(segments: list[Segment], word_bits: int, about: str) -> str:
    """The text of a memory of which some bytes are known.

    Args:
        segments: where they lap over, the later one counts.
        word_bits: a multiple of 8.
        about: a line of comment.
    """
    lines = [f"// {about}"]
    word_bytes = word_bits // 8
    start = min(each.address for each in segments) // word_bytes * word_bytes
    end = max(each.address + len(each.octets) for each in segments)
    size = -(-(end - start) // word_bytes) * word_bytes
    octets, known = np.zeros(size, np.uint8), np.zeros(size, bool)
    for each in segments:
        place = slice(each.address - start, each.address - start + len(each.octets))
        octets[place], known[place] = each.octets, True
    of_words = np.asarray(known.reshape(-1, word_bytes).any(axis=1))
    for first, last in _runs(of_words):
        lines.append(f"@{start // word_bytes + first:x}")
        place = slice(first * word_bytes, last * word_bytes)
        lines += _lines(octets[place], known[place], word_bytes)
    return "\n".join(lines) + "\n"


def _runs(wanted: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last (behind it) of each run of words."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
    yield from ((int(first), int(last)) for first, last in edges.reshape(-1, 2))


def _lines(octets: Bytes, known: NDArray[np.bool_], word_bytes: int) -> list[str]:
    """Words from their bytes, the highest byte first."""
    digits = [f"{octet:02x}" if is_known else "xx"
              for octet, is_known in zip(octets.tolist(), known.tolist(), strict=True)]  # fmt: skip
    words = [
        "".join(reversed(digits[place : place + word_bytes]))
        for place in range(0, len(digits), word_bytes)
    ]
    a_line = max(1, _BYTES_OF_A_LINE // word_bytes)
    return [" ".join(words[place : place + a_line]) for place in range(0, len(words), a_line)]
