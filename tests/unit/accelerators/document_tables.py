"""The tables of docs/accelerators.md and docs/energy-tables.md, computed from the code."""

from collections.abc import Iterator
from typing import Any

from accelerators import (
    ACTION_UNITS,
    Accelerator,
    Action,
    EnergyModel,
    energy_table_names,
    load_accelerator,
    load_energy_table,
)
from quant.common.schemas import Schema

SHOWN_ACTIONS = (
    *(Action("mac_array", "mac", bits, bits) for bits in (2, 4, 8, 16)),
    Action("mac_array", "mac", 4, 8),
    *(Action(*key) for key in ACTION_UNITS if key != ("mac_array", "mac")),
)


def field_table() -> str:
    """Every field of an accelerator file: key, type and limits, meaning."""
    rows = ["| key | value | meaning |", "|---|---|---|"]
    rows += [f"| `{key}` | {value} | {meaning} |" for key, value, meaning in _fields(Accelerator)]
    return "\n".join(rows)


def energy_table() -> str:
    """What each action costs on `edge_npu` under each shipped table, in pJ."""
    accelerator = load_accelerator("edge_npu")
    models = {
        name: EnergyModel(accelerator, load_energy_table(name)) for name in energy_table_names()
    }
    rows = [f"| action | {' | '.join(models)} |", "|---" * (len(models) + 1) + "|"]
    for action in SHOWN_ACTIONS:
        prices = " | ".join(f"{model.energy_pj(action):.4g}" for model in models.values())
        rows.append(f"| {_label(action)} | {prices} |")
    return "\n".join(rows)


def _label(action: Action) -> str:
    label = f"`{action.component}` `{action.name}`"
    if action.weight_bits:
        label += f" w{action.weight_bits}a{action.activation_bits}"
    return label


def _fields(model: type[Schema], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    properties: dict[str, dict[str, Any]] = model.model_json_schema()["properties"]
    for name, schema in properties.items():
        annotation = model.model_fields[name].annotation
        if isinstance(annotation, type) and issubclass(annotation, Schema):
            yield from _fields(annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _limits(schema), schema["description"]


def _limits(schema: dict[str, Any]) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if schema["type"] == "boolean":
        return "`true`, `false`"
    if schema["type"] == "string":
        return f"text of {schema['minLength']} to {schema['maxLength']} characters"
    kind = "whole number" if schema["type"] == "integer" else "number"
    lowest = schema.get("minimum", schema.get("exclusiveMinimum"))
    limits = f"{kind} {'above ' if 'exclusiveMinimum' in schema else ''}{lowest:g}"
    limits += f" to {schema['maximum']:g}"
    if "multipleOf" in schema:
        limits += f", a multiple of {schema['multipleOf']}"
    return limits


if __name__ == "__main__":
    print(field_table(), energy_table(), sep="\n\n")
