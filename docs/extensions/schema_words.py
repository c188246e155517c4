"""What a key of a file may hold, in words, from the JSON Schema that its class gives."""

from collections.abc import Mapping
from typing import Any

JsonSchema = Mapping[str, Any]

_PLAIN = {
    "boolean": "`true`, `false`",
    "null": "`null`",
    "object": "keys and values",
    "array": "a list",
}


def value_words(schema: JsonSchema) -> str:
    """Type and limits of a value, as Markdown; what may be left out is not said.

    Args:
        schema: of one property. A reference to another record becomes a link to its heading.
    """
    if "$ref" in schema:
        return record_link(schema["$ref"])
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        return " or ".join(value_words(choice) for choice in choices)
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    kind = schema.get("type", "")
    if kind == "string":
        return _text(schema)
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "array":
        return _list(schema)
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"names, each with {value_words(schema['additionalProperties'])}"
    return _PLAIN.get(kind, "any value")


def is_nullable(schema: JsonSchema) -> bool:
    """Whether the value may be null."""
    return any(choice.get("type") == "null" for choice in schema.get("anyOf", ()))


def default_words(value: object) -> str:
    """A default as it is written in a file."""
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def record_link(reference: str) -> str:
    """A link to the heading of a record that a schema refers to."""
    name = reference.rsplit("/", 1)[-1]
    return f"[`{name}`](#{name.lower()})"


def _text(schema: JsonSchema) -> str:
    least, most = schema.get("minLength"), schema.get("maxLength")
    limits = _between(least, most)
    return f"text{limits and f' of{limits} characters'}"


def _number(schema: JsonSchema) -> str:
    words = "whole number" if schema["type"] == "integer" else "number"
    above = "exclusiveMinimum" in schema
    least = schema.get("exclusiveMinimum") if above else schema.get("minimum")
    words += f"{' above' if above else ''}{_between(least, schema.get('maximum'))}"
    if "multipleOf" in schema:
        words += f", a multiple of {schema['multipleOf']}"
    return words


def _between(least: float | None, most: float | None) -> str:
    """Limits, with a space before them."""
    if most is None:
        return "" if least is None else f" {least:.10g} or more"
    return f" at most {most:.10g}" if least is None else f" {least:.10g} to {most:.10g}"


def _list(schema: JsonSchema) -> str:
    if "prefixItems" in schema:
        return "a list of " + ", ".join(map(value_words, schema["prefixItems"]))
    least, most = schema.get("minItems"), schema.get("maxItems")
    count = f" of {least}" if least is not None and least == most else ""
    return f"a list{count}, each {value_words(schema['items'])}"
