"""Measurements on disk, one JSON line each, appended as they are made: cache and resume point."""

import json
from pathlib import Path
from typing import Any

from quant.common.errors import UserError

FILE_NAME = "evaluations.jsonl"

Record = dict[str, Any]


class Ledger:
    """Records by key, in memory and in a file.

    A line is written whole as soon as its measurement is made, so whatever stops a search, the
    next one goes on from there. Several may write to one file: no line gets into another.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Open the ledger of a folder, or one in memory.

        A line that is no record, such as the torn last one of a killed process, is passed over.

        Raises:
            UserError: the file cannot be read or written.
        """
        self._path = None if folder is None else folder / FILE_NAME
        self._records: dict[str, Record] = {}
        if self._path is not None:
            self._read(self._path)

    def get(self, key: str) -> Record | None:
        """The record of a key, if there is one."""
        return self._records.get(key)

    def put(self, key: str, record: Record) -> None:
        """Add a record and append its line to the file.

        Raises:
            UserError: the file cannot be written.
        """
        self._records[key] = record
        if self._path is None:
            return
        line = json.dumps({"key": key, **record}, allow_nan=False).encode() + b"\n"
        try:
            # Opened to append and not buffered, a line is a single write to the file's end.
            with self._path.open("ab", buffering=0) as file:
                written = file.write(line)
        except OSError as error:
            raise self._failed("write", error) from error
        if written < len(line):
            raise self._failed("write", OSError("no space left"))

    def _read(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Opening to append creates the file, and fails now rather than after hours.
            with path.open("a+b") as file:
                file.seek(0)
                content = file.read()
                if content and not content.endswith(b"\n"):
                    file.write(b"\n")
        except OSError as error:
            raise self._failed("read", error) from error
        for line in content.splitlines():
            entry = _parsed(line)
            if entry is not None:
                self._records[entry.pop("key")] = entry

    def _failed(self, verb: str, error: OSError) -> UserError:
        return UserError(
            f"cannot {verb} {self._path}: {error.strerror or error}; choose another folder"
        )


def _parsed(line: bytes) -> Record | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("key"), str) else None
