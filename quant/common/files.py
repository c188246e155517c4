"""Reading and writing files: nothing is ever half-written, and every failure is a sentence."""

import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quant.common.errors import UserError


@contextmanager
def atomic_output(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` when the block succeeds.

    On any exception (a full disk, Ctrl-C) the temporary file is removed and what stood at
    ``path`` before is untouched.

    Raises:
        UserError: the folder cannot be created or written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_current_umask())
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot write {path}: {reason}; choose a folder you can write to with enough space"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


DAMAGED_ARCHIVE = (zipfile.BadZipFile, zlib.error, struct.error, LookupError, ValueError,
                   ArithmeticError, RuntimeError, OSError, EOFError, MemoryError)  # fmt: skip
"""What `zipfile` raises for a damaged zip file, by kind of damage."""


def read_bytes(path: Path, what: str, most_bytes: int | None = None) -> bytes:
    """The content of a file the user named.

    Args:
        path: the file.
        what: what the file should be, for the message ("image", "graph", …).
        most_bytes: refuse larger files before anything of them is read; None: none is too large.

    Raises:
        UserError: the file is missing, is a folder, cannot be read or is too large.
    """
    try:
        if most_bytes is None:
            return path.read_bytes()
        if path.stat().st_size <= most_bytes:
            with path.open("rb") as file:  # what is no regular file says nothing of its size
                content = file.read(most_bytes + 1)
            if len(content) <= most_bytes:
                return content
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such {what} file; check the path") from error
    except OSError as error:
        raise UserError(
            f"{path}: cannot read this {what} file: {error.strerror or error}; check the path"
        ) from error
    raise UserError(
        f"{path}: expected at most {most_bytes} bytes, found more; check that this is the right "
        f"{what} file"
    )


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
