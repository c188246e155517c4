"""Records read back from the JSON files they were written to."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from quant.common.errors import UserError
from quant.common.files import read_bytes

RecordT = TypeVar("RecordT")

_LARGEST_BYTES = 1 << 28
"""More than the result of any network has."""

_LARGEST_NUMBER = 1e60
"""No figure is near it; quotients of such numbers are still numbers."""


def read_json_object(path: Path, what: str) -> dict[str, Any]:
    """The object a JSON file holds.

    Args:
        path: the file.
        what: what it should be, for messages: "result", "report", …

    Raises:
        UserError: the file cannot be read, is not JSON, or holds anything else.
    """
    content = read_bytes(path, what)
    if len(content) > _LARGEST_BYTES:
        raise UserError(
            f"{path}: expected a {what} file of at most {_LARGEST_BYTES >> 20} MiB, found "
            f"{len(content) >> 20} MiB; give another file"
        )
    try:
        found = json.loads(content, parse_float=_number, parse_int=_whole, parse_constant=_number)
        json.dumps(found, ensure_ascii=False).encode()  # halves of characters cannot be written
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise UserError(
            f"{path}: expected a {what} file in JSON, but {reason}; write it again"
        ) from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: expected a {what} file, one JSON object, found something else")
    return found


def as_record(found: dict[str, Any], kind: type[RecordT], path: Path, what: str) -> RecordT:
    """The record that a JSON object is.

    Args:
        found: the object.
        kind: a dataclass of the same keys.
        path: where it was found.
        what: as in `read_json_object`.

    Raises:
        UserError: keys are missing, or a value is not what the record has there.
    """
    try:
        return TypeAdapter(kind).validate_python(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(
            f"{path}: expected a {what} as this version of hwsim writes it, but '{place}': "
            f"{first['msg'].lower()}; write it again"
        ) from error


def _number(text: str) -> float:
    value = float(text)
    if not (value == 0 or 1 / _LARGEST_NUMBER < abs(value) < _LARGEST_NUMBER):
        raise ValueError(f"{text[:40]} is no figure")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if abs(value) >= _LARGEST_NUMBER:
        raise ValueError(f"{text[:40]} is no figure")
    return value
