"""The text of a Liberty file as a tree of groups.

A reader of its own, because what can be had is unfit to depend on: one package is licensed under
the GPL and computes functions symbolically, the other is made to edit files and keeps every blank.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from quant.common.errors import UserError

_NOT_TOKENS = re.compile(r'/\*.*?\*/|\\[ \t]*\r?\n|"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}();:,\n]|[^\s{}();:,"]+', re.DOTALL)


@dataclass(slots=True)
class Group:
    """``kind (arguments) { ... }``.

    Attributes:
        kind: such as ``cell`` or ``pin``.
        arguments: in the parentheses, without quotes.
        values: of ``name : value;``, without quotes.
        lists: of ``name (value, ...);``; the last one where there are several.
        groups: inside it, in order.
    """

    kind: str
    arguments: list[str]
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def of_kind(self, kind: str) -> list["Group"]:
        """The groups of a kind inside it."""
        return [group for group in self.groups if group.kind == kind]

    def of_kinds(self, *kinds: str) -> Iterator["Group"]:
        """The groups of several kinds inside it, kind by kind."""
        for kind in kinds:
            yield from self.of_kind(kind)


def read_liberty_file(path: Path) -> Group:
    """The ``library`` group of a file.

    Raises:
        UserError: the file cannot be read, or is no Liberty file.
    """
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise UserError(
            f"cannot read the cell library {path}: {error.strerror}; name a Liberty file"
        ) from error
    top = _Reader(path, text).read()
    if len(top.groups) != 1 or top.groups[0].kind != "library":
        raise UserError(f"{path}: expected a Liberty file with one group 'library (…) {{…}}'")
    return top.groups[0]


class _Reader:
    """A pass over the tokens; a line's end stands for a semicolon that is missing."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        text = _NOT_TOKENS.sub(lambda found: found[0] if found[0][0] == '"' else " ", text)
        self._tokens = _TOKEN.findall(text)
        self._place = 0

    def read(self) -> Group:
        top = Group("", [])
        open_groups = [top]
        while self._place < len(self._tokens):
            token = self._take()
            if token == "}":
                open_groups.pop()
                if not open_groups:
                    raise self._failed("a '}' closes nothing")
            elif token not in ("\n", ";"):
                group = self._statement(open_groups[-1], token)
                if group is not None:
                    open_groups.append(group)
        if len(open_groups) > 1:
            raise self._failed(f"the group '{open_groups[-1].kind}' is not closed")
        return top

    def _statement(self, inside: Group, name: str) -> Group | None:
        """A value, a list, or the head of a group, which is returned."""
        follower = self._take()
        if follower == ":":
            inside.values[name] = self._value()
            return None
        if follower != "(":
            raise self._failed(f"'{name}' is followed by {follower!r}, not by ':' or '('")
        arguments = self._arguments(name)
        if self._peek() != "{":
            inside.lists[name] = arguments
            return None
        self._take()
        group = Group(name, arguments)
        inside.groups.append(group)
        return group

    def _value(self) -> str:
        words = []
        while self._peek() not in (";", "\n", "}", ""):
            words.append(_unquoted(self._take()))
        return " ".join(words)

    def _arguments(self, name: str) -> list[str]:
        arguments = []
        while (token := self._take()) != ")":
            if token in ("", ";", "{", "}"):
                raise self._failed(f"the list of '{name}' is not closed")
            if token not in (",", "\n"):
                arguments.append(_unquoted(token))
        return arguments

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._place += 1
        return token

    def _failed(self, why: str) -> UserError:
        return UserError(f"{self._path}: expected a Liberty file, but {why}")


def _unquoted(token: str) -> str:
    return token[1:-1] if token[0] == '"' else token
