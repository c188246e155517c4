"""Options of methods as text: ``name:key=value,key``."""

from collections.abc import Callable, Mapping
from typing import Any

from quant.common.errors import UserError, suggestion


def parse_options(
    method: str, text: str, readers: Mapping[str, Callable[[str], Any]]
) -> dict[str, Any]:
    """The options of a method.

    Args:
        method: its name, for errors.
        text: what stands behind the colon: entries ``key=value``, or ``key`` alone for ``key=``,
            separated by commas; may be empty.
        readers: for each key, what makes its value from text and raises ValueError if it cannot.

    Raises:
        UserError: a key is not known or stands twice, or a value cannot be read.
    """
    options: dict[str, Any] = {}
    for entry in text.split(",") if text else ():
        key, _, value = entry.partition("=")
        if key not in readers:
            raise UserError(
                f"method {method}: option '{key}' is not known; {suggestion(key, readers)}"
            )
        if key in options:
            raise UserError(f"method {method}: option '{key}' is given twice; leave one out")
        try:
            options[key] = readers[key](value)
        except ValueError as error:
            raise UserError(f"method {method}: option '{entry}': {error}; correct it") from error
    return options


def flag(text: str) -> bool:
    """A switch, on where it is named: ``key``, ``key=yes`` or ``key=no``."""
    values = {"": True, "yes": True, "no": False}
    if text not in values:
        raise ValueError(f"expected yes or no, given '{text}'")
    return values[text]


def count(text: str) -> int:
    """A whole number of at least 0."""
    if not text.isdecimal():
        raise ValueError(f"expected a whole number, given '{text}'")
    return int(text)


def choice(*names: str) -> Callable[[str], str]:
    """One of some words."""

    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"expected one of {', '.join(names)}, given '{text}'")
        return text

    return read
