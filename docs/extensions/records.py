"""The records of a file, as the classes define them that read or write it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter

from docs.extensions.schema_words import JsonSchema, default_words, is_nullable, value_words

Definitions = Mapping[tuple[str, str], str]
"""What keys mean, by record and key, where a page says it rather than the class."""


_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a record.

    Attributes:
        name: of the key.
        value: what it may hold, as Markdown.
        is_nullable: whether it may be null, too.
        missing: what stands for it where it is missing; None where it must not be.
        meaning: what it says, as Markdown.
    """

    name: str
    value: str
    is_nullable: bool
    missing: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping of a file.

    Attributes:
        name: of its class.
        meaning: what it is, in a sentence.
        keys: in order.
    """

    name: str
    meaning: str
    keys: tuple[Key, ...]


def json_schema(place: str, definitions: Definitions | None = None) -> dict[str, Any]:
    """The JSON Schema of a class.

    Args:
        place: module and class, such as ``accelerators.schema:Accelerator``.
        definitions: meanings of keys that the class does not tell.
    """
    module, _, name = place.partition(":")
    record = getattr(import_module(module), name)
    schema = TypeAdapter(record).json_schema(mode="serialization")
    parts = {schema["title"]: schema, **schema.get("$defs", {})}
    told = {(part, *pair): text for part, of in parts.items() for *pair, text in _attributes(of)}
    for (part, key), meaning in {**told, **(definitions or {})}.items():
        if part in parts:
            parts[part]["properties"][key].setdefault("description", meaning)
    return schema


def _attributes(schema: JsonSchema) -> Iterator[tuple[str, str]]:
    """Keys and their meanings from the attributes in the docstring of a record's class."""
    _, _, listed = schema.get("description", "").partition("\n\nAttributes:\n")
    for key, meaning in _ATTRIBUTE.findall(listed):
        yield key, f"{meaning[0].upper()}{' '.join(meaning[1:].split())}"


def records(schema: JsonSchema) -> Iterator[Record]:
    """The record a schema is of, then every one it contains, in the order of their mention."""
    parts = {schema["title"]: schema, **schema.get("$defs", {})}
    waiting, seen = [schema["title"]], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield _record(name, parts[name])
            waiting = [*_mentioned(parts[name]["properties"]), *waiting]


def _record(name: str, schema: JsonSchema) -> Record:
    required = schema.get("required", ())
    keys = [
        Key(
            key,
            value_words(value),
            is_nullable(value),
            None if key in required else _missing(value),
            " ".join(value.get("description", "").split()),
        )
        for key, value in schema["properties"].items()
    ]
    meaning = schema.get("description", "").split("\n\n")[0]
    return Record(name, " ".join(meaning.split()), tuple(keys))


def _missing(value: JsonSchema) -> str:
    return default_words(value["default"]) if "default" in value else "its own defaults"


def _mentioned(value: object) -> Iterator[str]:
    """Names of the records that a part of a schema refers to."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rsplit("/", 1)[-1]
        for part in value.values():
            yield from _mentioned(part)
    elif isinstance(value, list):
        for part in value:
            yield from _mentioned(part)
