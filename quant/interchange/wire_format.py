"""Protocol-buffer files looked over before they are parsed.

A parser makes an object of every message, of some hundred bytes even where the message is empty and
takes two bytes of the file. So a file is walked first, without making anything, and refused when it
has more fields than any network needs.
"""

from typing import Any

LARGEST_FIELDS = 1 << 20
LARGEST_DEPTH = 32
"""Messages within messages; an ONNX file without control flow needs six."""

_VARINT, _64_BITS, _LENGTH, _32_BITS = 0, 1, 2, 5
_FIXED_BYTES = {_64_BITS: 8, _32_BITS: 4}
_LONGEST_VARINT_BYTES = 10


class WireError(ValueError):
    """A file that is no such message, or one with too much in it; says which."""


def check_fields(content: bytes, descriptor: Any, most: int = LARGEST_FIELDS) -> None:
    """Walk a message and the messages inside it.

    Args:
        content: the file.
        descriptor: of the message, as the protobuf package has it.
        most: fields there may be in all.

    Raises:
        WireError: the file ends within a field, or has too many of them or too deep ones.
    """
    fields = 0
    waiting = [(0, len(content), descriptor, 0)]
    while waiting:
        position, end, message, depth = waiting.pop()
        if depth > LARGEST_DEPTH:
            raise WireError(f"more than {LARGEST_DEPTH} messages within one another")
        while position < end:
            fields += 1
            if fields > most:
                raise WireError(f"more than {most} entries")
            key, position = _varint(content, position, end)
            kind = key & 7
            if kind == _VARINT:
                _, position = _varint(content, position, end)
                continue
            length = _FIXED_BYTES.get(kind)
            if kind == _LENGTH:
                length, position = _varint(content, position, end)
            if length is None or length > end - position:
                raise WireError("an end within an entry")
            field = message.fields_by_number.get(key >> 3)
            if kind == _LENGTH and field is not None and field.message_type is not None:
                waiting.append((position, position + length, field.message_type, depth + 1))
            position += length


def _varint(content: bytes, position: int, end: int) -> tuple[int, int]:
    """A number of 7 bits a byte, the least significant first, and the place behind it."""
    number = 0
    for shift in range(0, 7 * _LONGEST_VARINT_BYTES, 7):
        if position >= end:
            raise WireError("an end within a number")
        byte = content[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
    raise WireError("a number of too many bytes")
