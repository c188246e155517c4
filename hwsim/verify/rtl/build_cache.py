"""What was built from Verilog sources, kept for the next process that wants the same."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from hwsim.verify.rtl.toolchain import find_tool
from quant.common.errors import UserError


def default_folder() -> Path:
    """``hwsim/rtl`` in ``$XDG_CACHE_HOME``, else in ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hwsim" / "rtl"


KEPT_DAYS = 30
"""What nobody wanted for so long is removed."""

_SECONDS_A_DAY = 86_400


def kept(
    folder: Path, name: str, contents: Iterable[bytes | str], build: Callable[[Path, Path], None]
) -> Path:
    """A file built from some contents by the installed Verilator and g++; built if it is not kept.

    It is built in a folder of its own and renamed: another process sees all of it or nothing, and
    two that build the same at once do not disturb each other.

    Args:
        folder: where it is kept.
        name: its name, to which a hash of contents and versions is added.
        contents: all that it depends on.
        build: makes the file, given an empty folder to work in and where to put it.

    Raises:
        UserError: a tool is missing or the folder cannot be written.
    """
    tools = [f"{tool.name} {tool.version}" for tool in map(find_tool, ("verilator", "g++"))]
    hashed = hashlib.sha256(repr(tools).encode())
    for content in contents:
        octets = content.encode() if isinstance(content, str) else content
        hashed.update(hashlib.sha256(octets).digest())
    target = folder / f"{hashed.hexdigest()[:24]}-{name}"
    if target.exists():
        target.touch()
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_old(folder)
        work = Path(tempfile.mkdtemp(dir=folder, prefix=".building-"))
    except OSError as error:
        raise UserError(
            f"{folder}: cannot keep what is built of Verilog here: {error.strerror}; "
            "set XDG_CACHE_HOME to a folder you can write to"
        ) from error
    try:
        build(work, work / name)
        (work / name).replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _forget_old(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * _SECONDS_A_DAY
    for file in folder.iterdir():
        with suppress(OSError):  # another process may be at the same
            if file.is_file() and file.stat().st_mtime < oldest:
                file.unlink()
