"""The Verilog files: which module is where, and which others it needs."""

import re
from functools import lru_cache
from pathlib import Path

from quant.common.errors import UserError, suggestion

FOLDER = Path(__file__).parent
"""One module a file, named as the module."""

_COMMENT = re.compile(r"//.*")
_INSTANCE = re.compile(r"^\s*(\w+)\s+(?:#\(|\w+\s*\()", re.MULTILINE)


def module_names() -> tuple[str, ...]:
    """Every module there is."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.v")))


@lru_cache
def sources(*tops: str) -> tuple[Path, ...]:
    """The files of modules and of all that they instantiate, each after those it needs.

    Raises:
        UserError: there is no such module.
    """
    found: dict[str, None] = {}
    for top in tops:
        _collect(top, found)
    return tuple(FOLDER / f"{name}.v" for name in found)


def _collect(name: str, found: dict[str, None]) -> None:
    known = module_names()
    if name not in known:
        raise UserError(f"no module '{name}' in accelerators/rtl; {suggestion(name, known)}")
    text = _COMMENT.sub("", (FOLDER / f"{name}.v").read_text())
    for instance in _INSTANCE.findall(text):
        if instance in known and instance != name and instance not in found:
            _collect(instance, found)
    found.setdefault(name)
