"""Machines varied as data: which keys of an accelerator's file may be given other values.

A key is named by its path, such as ``array.rows``.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import create_model
from pydantic.fields import FieldInfo

from accelerators.schema import Accelerator
from quant.common.errors import UserError, suggestion
from quant.common.schemas import Schema, validate_data

Value = bool | int | float | str
Changes = Mapping[str, Value]
"""From the path of a key to its value."""

_ONLY_WORDS = ("name", "description", "source", "dram.kind", "dram.source")
"""Keys that no figure depends on."""

_TRUTHS = {"true": True, "false": False}


@cache
def variable_paths() -> tuple[str, ...]:
    """The path of every key that figures depend on."""
    return tuple(_fields())


def value_at(path: str, text: str) -> Value:
    """The value of a key, from how people write it in YAML.

    Args:
        path: of the key.
        text: its value.

    Raises:
        UserError: no machine has such a key, or none could have such a value there.
    """
    fields = _fields()
    if path not in fields:
        known = suggestion(path, fields)
        raise UserError(f"{path}: expected the path of a key of an accelerator; {known}")
    *parts, name = path.split(".")
    # `Any`: the name of the keyword is data.
    definition: Any = {name: (fields[path].annotation, fields[path])}
    model = create_model("Value", __base__=Schema, **definition)
    data: dict[str, Any] = {name: _scalar(text)}
    for part in reversed(parts):
        definition = {part: (model, ...)}
        model, data = create_model("Part", __base__=Schema, **definition), {part: data}
    validate_data(data, model, lambda _: "")
    return _scalar(text)


def varied_name(name: str, changes: Changes) -> str:
    """What a varied machine is called: ``edge_npu[array.rows=16, sram.size_kib=256]``."""
    words = (f"{path}={_written(value)}" for path, value in changes.items())
    return f"{name}[{', '.join(words)}]"


def varied_data(data: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """The content of an accelerator's file with other values and a name that tells them.

    Args:
        data: as it was read.
        changes: at paths of `variable_paths`.
    """
    varied = dict(data)
    for path, value in changes.items():
        *parts, name = path.split(".")
        inner = varied
        for part in parts:
            known = inner.get(part)
            inner[part] = dict(known) if isinstance(known, dict) else {}
            inner = inner[part]
        inner[name] = value
    varied["name"] = varied_name(str(data.get("name", "")), changes)
    return varied


@cache
def _fields(schema: type[Schema] = Accelerator, prefix: str = "") -> dict[str, FieldInfo]:
    fields: dict[str, FieldInfo] = {}
    for name, field in schema.model_fields.items():
        path, part = f"{prefix}{name}", field.annotation
        if isinstance(part, type) and issubclass(part, Schema):
            fields.update(_fields(part, f"{path}."))
        elif path not in _ONLY_WORDS:
            fields[path] = field
    return fields


def _scalar(text: str) -> Value:
    if text in _TRUTHS:
        return _TRUTHS[text]
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if math.isfinite(value) else text
    return text


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
