"""Tables of every key of a file, put where a page asks for them, and JSON Schemas beside the site.

A page asks with a comment, which nobody sees on a code host::

    <!-- records: accelerators.schema:Accelerator as accelerator -->

The definitions of `docs/results-contract.md` go with the records that it defines.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from docs.extensions.records import Definitions, Key, Record, json_schema, records

MARKER = re.compile(r"^<!-- (records|result): ([\w.]+:\w+) as ([\w-]+) -->$", re.MULTILINE)
"""Whether for a file that people write or a result, class, and name of the JSON Schema's file."""

FOLDER = "schemas"
"""Of the site, where the JSON Schemas are."""

_DEFINED = re.compile(r"<!-- keys: (\w+) -->(.*?)(?=<!--)", re.DOTALL)
_ROW = re.compile(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|(.*)\|$", re.MULTILINE)
_NONE = re.compile(r"\bNone\b")
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _expand)
    return {"parallel_read_safe": False, "parallel_write_safe": True}


def expanded(text: str, page: str, definitions: Definitions) -> tuple[str, dict[str, Any]]:
    """A page with its tables, and its JSON Schemas by the name of their files.

    Args:
        text: of the page, as it lies in the repository.
        page: its path on the site, without a suffix.
        definitions: meanings of keys of results.
    """
    schemas: dict[str, Any] = {}
    up = "../" * page.count("/")

    def tables(found: re.Match[str]) -> str:
        kind, place, name = found.groups()
        schemas[name] = schema = json_schema(place, definitions if kind == "result" else None)
        link = f'<a href="{up}{FOLDER}/{name}.schema.json">JSON Schema</a>'
        parts = [_table(record, *_KINDS[kind]) for record in records(schema)]
        return "\n\n".join([f"The same for programs: {link}.", *parts])

    return MARKER.sub(tables, text), schemas


def contract_definitions(page: Path) -> Definitions:
    """What the contract of results says of each key, its links left out."""
    return {
        (record, key): _definition(unit.strip(), _LINK.sub(r"\1", meaning).strip())
        for record, section in _DEFINED.findall(page.read_text(encoding="utf-8"))
        for key, unit, _, meaning in _ROW.findall(section)
    }


def _definition(unit: str, meaning: str) -> str:
    return ", ".join(filter(None, (unit, meaning.removesuffix(", see below"))))


def _table(record: Record, row: Callable[[Key], list[str]], head: list[str]) -> str:
    rows = [head, ["---"] * len(head), *map(row, record.keys)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    return f"## {record.name}\n\n{record.meaning}\n\n{table}"


def _file_row(key: Key) -> list[str]:
    return [f"`{key.name}`", key.value, key.missing or "–", key.meaning]


def _result_row(key: Key) -> list[str]:
    value = f"{key.value} or `null`" if key.is_nullable else key.value
    return [f"`{key.name}`", value, _NONE.sub("`null`", key.meaning)]


_KINDS = {
    "records": (_file_row, ["key", "value", "if missing", "meaning"]),
    "result": (_result_row, ["key", "value", "meaning"]),
}
"""How a key is told in a file that people write, and in a result, whose keys are never missing."""


def _expand(app: Sphinx, page: str, source: list[str]) -> None:
    if MARKER.search(source[0]):
        definitions = contract_definitions(Path(app.srcdir) / "docs" / "results-contract.md")
        source[0], schemas = expanded(source[0], page, definitions)
        folder = Path(app.outdir) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas.items():
            text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
            (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")
