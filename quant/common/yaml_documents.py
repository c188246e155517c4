"""YAML files that know on which line each of their values stands.

Only data is read: mappings, lists, text and numbers. What YAML offers beyond that (aliases, which
can blow a few lines up into gigabytes; tags, which can name code) is refused with a sentence.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quant.common.errors import UserError
from quant.common.files import read_bytes

Location = tuple[str | int, ...]
"""The way from the top of a document to a value: keys, and positions in lists from 0."""

_LARGEST_BYTES = 1 << 20
_YAML = "tag:yaml.org,2002:"
_PLAIN_MAPPING = f"{_YAML}map"
_PLAIN_SEQUENCE = f"{_YAML}seq"
_SURPRISING_NUMBER = re.compile(r"[-+]?0[0-9_]|[-+]?[0-9_]+:")  # octal 010, base-60 1:30
_PLAIN_SCALARS = frozenset(_YAML + kind for kind in ("str", "int", "float", "bool", "null"))


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one YAML file.

    Attributes:
        path: the file.
        data: its top-level mapping, as plain Python values.
        lines: the line, from 1, of every key and list entry; ``()`` is the top level.
    """

    path: Path
    data: dict[str, Any]
    lines: dict[Location, int]

    def where(self, location: Location = ()) -> str:
        """``file:line`` of a value, or of the nearest enclosing one that stands in the file."""
        while location not in self.lines:
            location = location[:-1]
        return f"{self.path}:{self.lines[location]}"


def read_document(path: Path, what: str = "YAML") -> Document:
    """Read a YAML file whose top level is a mapping.

    Args:
        path: the file.
        what: what the file should describe, for the messages ("accelerator", "bit policy", …).

    Raises:
        UserError: the file cannot be read, is empty, is not UTF-8 or not YAML, repeats a key, uses
            aliases or tags, or holds something other than a mapping.
    """
    text = _text(path, what)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise UserError(f"{path}:1: this {what} file is empty; expected 'key: value' lines")
        if not isinstance(node, yaml.MappingNode):
            raise UserError(
                f"{path}:{_line(node)}: expected 'key: value' lines at the top of this {what} "
                f"file, got {_KIND[type(node)]}; write it as a mapping"
            )
        reader = _Reader(path, loader)
        return Document(path, reader.mapping(node, ()), reader.lines)
    except yaml.MarkedYAMLError as error:
        raise UserError(_syntax_message(path, error)) from error
    except RecursionError as error:
        raise UserError(f"{path}: this {what} file is nested too deeply; flatten it") from error
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            sentence = "aliases (*name) are not supported here; write the value out"
            mark = self.current_event.start_mark
            raise yaml.composer.ComposerError(None, None, sentence, mark)
        return super().compose_node(parent, index)


class _Reader:
    """Turns nodes into plain values and notes the line of each."""

    def __init__(self, path: Path, loader: _Loader) -> None:
        self._path = path
        self._loader = loader
        self.lines: dict[Location, int] = {}

    def mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        self._refuse_tag(node, _PLAIN_MAPPING)
        self.lines.setdefault(location, _line(node))
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            inner = (*location, key)
            if key in values:
                raise self._problem(
                    key_node,
                    f"'{key}' is given twice (first on line {self.lines[inner]}); keep one",
                )
            self.lines[inner] = _line(key_node)
            values[key] = self._value(value_node, inner)
        return values

    def _value(self, node: yaml.Node, location: Location) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, location)
        return self._scalar(node)

    def _sequence(self, node: yaml.SequenceNode, location: Location) -> list[Any]:
        self._refuse_tag(node, _PLAIN_SEQUENCE)
        values = []
        for position, entry in enumerate(node.value):
            inner = (*location, position)
            self.lines[inner] = _line(entry)
            values.append(self._value(entry, inner))
        return values

    def _scalar(self, node: yaml.Node) -> str | int | float | bool | None:
        if node.tag not in _PLAIN_SCALARS:
            raise self._problem(
                node,
                f"expected text or a number, got '{node.value[:60]}' as "
                f"{node.tag.removeprefix(_YAML)}; put it in quotes, without a tag",
            )
        try:
            value: str | int | float | bool | None = self._loader.construct_object(node)
        except ValueError as error:  # a number of thousands of digits, or "!!int abc"
            sentence = f"cannot read '{node.value[:60]}' as a number; put it in quotes"
            raise self._problem(node, sentence) from error
        if not isinstance(value, str) and _SURPRISING_NUMBER.match(node.value):
            raise self._problem(
                node, f"YAML reads {node.value} as {value}; write the number you mean in decimal"
            )
        return value

    def _key(self, node: yaml.Node) -> str:
        value = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if isinstance(value, str):
            return value
        given = f"'{node.value}'" if isinstance(node, yaml.ScalarNode) else _KIND[type(node)]
        raise self._problem(node, f"expected text as a key, got {given}; put the key in quotes")

    def _refuse_tag(self, node: yaml.Node, plain: str) -> None:
        if node.tag != plain:
            tag = node.tag.removeprefix(_YAML)
            raise self._problem(node, f"the tag '{tag}' is not supported here; remove it")

    def _problem(self, node: yaml.Node, sentence: str) -> UserError:
        return UserError(f"{self._path}:{_line(node)}: {sentence}")


_KIND: dict[type[yaml.Node], str] = {
    yaml.MappingNode: "a mapping",
    yaml.SequenceNode: "a list",
    yaml.ScalarNode: "a single value",
}


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _text(path: Path, what: str) -> str:
    """The file's text, free of what the YAML scanner cannot digest."""
    content = read_bytes(path, what)
    if len(content) > _LARGEST_BYTES:
        raise UserError(
            f"{path}: expected a {what} file of at most {_LARGEST_BYTES} bytes, "
            f"got {len(content)}; check that this is the right file"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8 text; save this {what} file as UTF-8") from error
    forbidden = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if forbidden:
        line = text.count("\n", 0, forbidden.start()) + 1
        raise UserError(
            f"{path}:{line}: a control character ({forbidden.group()!r}) stands here; remove it"
        )
    return text


def _syntax_message(path: Path, error: yaml.MarkedYAMLError) -> str:
    """One sentence for what the YAML scanner or parser stumbled over."""
    mark = error.problem_mark or error.context_mark
    place = f"{path}:{mark.line + 1}" if mark else str(path)
    problem = error.problem or "it ends too early"
    if isinstance(error, yaml.composer.ComposerError):
        return f"{place}: {_COMPOSER_SENTENCES.get(problem, problem)}"
    if "'\\t'" in problem:
        return f"{place}: a tab indents this line; YAML allows only spaces, replace it"
    for jargon, words in _PLAIN_WORDS.items():
        problem = problem.replace(jargon, words)
    return f"{place}: not valid YAML ({problem}); check the indentation and punctuation here"


_COMPOSER_SENTENCES = {
    "but found another document": "a second document starts here; put it in a file of its own",
}
_PLAIN_WORDS = {
    "got '<stream end>'": "the file ends",
    "found '<stream end>'": "the file ends",
    "<block end>": "the end of this block",
    "'<scalar>'": "a value",
    "'<block mapping start>'": "a key",
    "'<block sequence start>'": "a list entry",
}
