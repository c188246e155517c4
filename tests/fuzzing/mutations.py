"""How a valid file is changed: bytes anywhere, or fields of what its format knows."""

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

Random = np.random.Generator
Mutate = Callable[[bytes, Random], bytes]

WHOLE = (-1, 0, 1, 2, 3, 7, 127, 128, 255, 256, 4096, 65535, 65536, 2**31 - 1, -(2**31), 2**32 - 1,
         2**62, 2**63 - 1, -(2**63))  # fmt: skip
REAL = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e-30, 3.4e38, -3.4e38, float("inf"), float("-inf"),
        float("nan"))  # fmt: skip
TEXTS = ("", "a", "../../etc/passwd", "/etc/passwd", "x" * 300, "\x00", "é", "{}", "..")

_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFF)


def mutate_bytes(content: bytes, random: Random) -> bytes:
    """A few changes of bytes: flipped, set, left out, repeated, or numbers of four bytes."""
    changed = bytearray(content)
    for _ in range(int(random.geometric(0.4))):
        if not changed:
            break
        _BYTE_CHANGES[int(random.integers(len(_BYTE_CHANGES)))](changed, random)
    return bytes(changed)


def _place(content: bytearray, random: Random) -> int:
    """Anywhere; near the front, where headers are, more often."""
    if random.random() < 0.4:
        return int(random.integers(min(len(content), 256)))
    return int(random.integers(len(content)))


def _flip(content: bytearray, random: Random) -> None:
    content[_place(content, random)] ^= 1 << int(random.integers(8))


def _set(content: bytearray, random: Random) -> None:
    content[_place(content, random)] = int(random.choice(_BYTES))


def _number(content: bytearray, random: Random) -> None:
    place = _place(content, random) // 4 * 4
    value = WHOLE[int(random.integers(len(WHOLE)))]
    content[place : place + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")


def _cut(content: bytearray, random: Random) -> None:
    del content[_place(content, random) :]


def _leave_out(content: bytearray, random: Random) -> None:
    place = _place(content, random)
    del content[place : place + int(random.integers(1, 64))]


def _repeat(content: bytearray, random: Random) -> None:
    place, length = _place(content, random), int(random.integers(1, 128))
    content[place:place] = content[place : place + length]


_BYTE_CHANGES = (_flip, _flip, _set, _number, _cut, _leave_out, _repeat)


def mutate_message(message: Any, random: Random) -> None:
    """Change one field somewhere in a protocol-buffer message, in place."""
    while True:
        fields = message.ListFields()
        if not fields:
            return
        field, value = fields[int(random.integers(len(fields)))]
        repeated = field.is_repeated
        if field.message_type is None:
            _change_field(message, field, value, repeated, random)
            return
        if repeated and random.random() < 0.3:
            _change_messages(value, random)
            return
        message = value[int(random.integers(len(value)))] if repeated else value
        if random.random() < 0.05:
            message.Clear()
            return


def _change_messages(values: Any, random: Random) -> None:
    place = int(random.integers(len(values)))
    match int(random.integers(3)):
        case 0:
            del values[place]
        case 1:
            values.add().CopyFrom(values[place])
        case _:
            other = int(random.integers(len(values)))
            values[place].CopyFrom(values[other])


def _change_field(message: Any, field: Any, value: Any, repeated: bool, random: Random) -> None:
    try:
        if not repeated:
            setattr(message, field.name, _other(value, random))
        elif random.random() < 0.3:
            del value[int(random.integers(len(value)))]
        else:
            place = int(random.integers(len(value)))
            value[place] = _other(value[place], random)
    except (ValueError, TypeError):  # a number that the field does not hold
        message.ClearField(field.name)


def _other(value: Any, random: Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = value + int(random.integers(-2, 3))
        return near if random.random() < 0.4 else WHOLE[int(random.integers(len(WHOLE)))]
    if isinstance(value, float):
        return REAL[int(random.integers(len(REAL)))]
    if isinstance(value, bytes):
        return mutate_bytes(value, random)
    return TEXTS[int(random.integers(len(TEXTS)))]


def mutate_json(record: Any, random: Random) -> Any:
    """The record with one value somewhere changed, left out, or of another kind."""
    if isinstance(record, dict) and record and random.random() < 0.95:
        keys = list(record)
        key = keys[int(random.integers(len(keys)))]
        if random.random() < 0.05:
            return {k: v for k, v in record.items() if k != key}
        return {**record, key: mutate_json(record[key], random)}
    if isinstance(record, list) and record and random.random() < 0.95:
        place = int(random.integers(len(record)))
        if random.random() < 0.1:
            return record[:place] + record[place + 1 :]
        if random.random() < 0.1:
            return [*record, record[place]]
        return [*record[:place], mutate_json(record[place], random), *record[place + 1 :]]
    if isinstance(record, bool | int | float | str) and random.random() < 0.8:
        return _other(record, random)
    others: tuple[Any, ...] = (None, [], {}, "", 0, -1, 1e300, True, [[[]]], {"a": 1})
    return others[int(random.integers(len(others)))]


def mutate_archive(content: bytes, random: Random) -> bytes:
    """A zip file with one entry changed: JSON by its values, others by their bytes."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as source, zipfile.ZipFile(target, "w") as made:
        entries = source.infolist()
        names = [entry.filename for entry in entries if entry.filename.endswith(".json")]
        chosen = names[int(random.integers(len(names)))]
        if random.random() < 0.2:
            chosen = entries[int(random.integers(len(entries)))].filename
        for entry in entries:
            inside = source.read(entry)
            if entry.filename == chosen and chosen.endswith(".json") and random.random() < 0.9:
                inside = json.dumps(mutate_json(json.loads(inside), random)).encode()
            elif entry.filename == chosen:
                inside = mutate_bytes(inside, random)
            made.writestr(entry.filename, inside)
    return target.getvalue()


_LINES = ("- ", "a: b", "  x: [1, 2", "&a [*a]", "<<: *a", "!!python/object/apply:os.system [ls]",
          "\t", "? ", "{" * 200, "- " * 300, "'", '"', "#", "---", "...", "%YAML 1.2")  # fmt: skip


def mutate_text(content: bytes, random: Random) -> bytes:
    """Lines of YAML changed: values, whole lines, or bytes."""
    lines = content.split(b"\n")
    place = int(random.integers(len(lines)))
    match int(random.integers(5)):
        case 0:
            return mutate_bytes(content, random)
        case 1:
            lines.insert(place, _LINES[int(random.integers(len(_LINES)))].encode())
        case 2:
            key, colon, _ = lines[place].partition(b":")
            values = (*map(str, WHOLE), *map(str, REAL), *TEXTS)
            value = values[int(random.integers(len(values)))]
            lines[place] = key + colon + b" " + value.encode()
        case 3:
            lines.insert(place, lines[int(random.integers(len(lines)))])
        case _:
            del lines[place]
    return b"\n".join(lines)
