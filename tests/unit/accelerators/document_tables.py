"""The tables of docs/accelerators.md and docs/energy-tables.md, computed from the code."""

from collections.abc import Iterator
from typing import Any

from accelerators import (
    ACTION_UNITS,
    Accelerator,
    Action,
    EnergyModel,
    energy_tables_for,
    load_accelerator,
)
from accelerators.catalog import load_datapath_factors
from docs.extensions.schema_words import default_words, value_words
from quant.common.schemas import Schema

SHOWN_ACTIONS = (
    *(Action("mac_array", "mac", bits, bits) for bits in (2, 4, 8, 16)),
    Action("mac_array", "mac", 4, 8),
    *(Action(*key) for key in ACTION_UNITS if key != ("mac_array", "mac")),
)


TERM_BITS = 4
"""Sign and exponent, such as make up weights of 8 bits."""


def field_table() -> str:
    """Every field of an accelerator file: key, type and limits, meaning."""
    rows = ["| key | value | meaning |", "|---|---|---|"]
    rows += [f"| `{key}` | {value} | {meaning} |" for key, value, meaning in _fields(Accelerator)]
    return "\n".join(rows)


def energy_table() -> str:
    """What each action costs on `edge_npu` under each shipped table for its node, in pJ."""
    accelerator = load_accelerator("edge_npu")
    models = {
        table.name: EnergyModel(accelerator, table) for table in energy_tables_for(accelerator)
    }
    rows = [f"| action | {' | '.join(models)} |", "|---" * (len(models) + 1) + "|"]
    for action in SHOWN_ACTIONS:
        prices = " | ".join(_price(model, action) for model in models.values())
        rows.append(f"| {_label(action)} | {prices} |")
    return "\n".join(rows)


def factor_table() -> str:
    """Energies of the study `osu018` relative to 8 x 8 bits, by kind of datapath."""
    factors = load_datapath_factors("osu018")
    widths = ((2, 2), (4, 4), (8, 8), (4, 8))
    rows = ["| `array.dataflow` | w2a2 | w4a4 | w8a8 | w4a8 |", "|---|---|---|---|---|"]
    for kind in (name for entry in factors.energy for name in entry.datapaths):
        of_terms = kind == "shift_add"
        shown = " | ".join(
            f"{factors.relative(kind, TERM_BITS if of_terms else weight_bits, bits):.3g}"
            for weight_bits, bits in widths
        )
        rows.append(f"| `{kind}`{f', a term of {TERM_BITS} bits' * of_terms} | {shown} |")
    return "\n".join(rows)


def _price(model: EnergyModel, action: Action) -> str:
    if (action.component, action.name) in model.unpriced:
        return "–"
    return f"{model.energy_pj(action):.4g}"


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
            field = model.model_fields[name]
            missing = "" if field.is_required() else f"; if missing, {default_words(field.default)}"
            yield f"{prefix}{name}", value_words(schema) + missing, schema["description"]


if __name__ == "__main__":
    print(field_table(), energy_table(), factor_table(), sep="\n\n")
