"""The documentation site: it builds without a complaint, and every link on it leads somewhere."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from accelerators import accelerator_names, load_accelerator
from docs.extensions.file_reference import contract_definitions, expanded
from docs.extensions.records import json_schema
from docs.extensions.schema_words import value_words
from hwsim.report.result import Result

pytestmark = pytest.mark.timeout(900)  # programs of their own on a machine that may be busy

ROOT = Path(__file__).resolve().parents[2]


class Page(HTMLParser):
    """Links and anchors of an HTML page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


def built(folder: Path) -> Path:
    """The site, built as ``make docs`` does."""
    done = subprocess.run(
        [
            sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet",
            "-c", "docs", "-d", folder / "doctrees", ".", folder / "html",
        ],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "html"


def broken(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """Links to files of the site, or to places on its pages, that are not there."""
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            known = pages[target].anchors if target in pages else set()
            wrong = parts.fragment and target in pages and unquote(parts.fragment) not in known
            if not target.exists() or wrong:
                yield f"{path.relative_to(site)}: {link}"


def loaded_from_elsewhere(pages: dict[Path, Page]) -> set[str]:
    """What pages are made of that is not on the site."""
    parts = (".js", ".css", ".png", ".jpg", ".svg", ".woff2")
    links = {link for page in pages.values() for link in page.links}
    return {link for link in links if urlsplit(link).netloc and urlsplit(link).path.endswith(parts)}


# One test: building it takes time.
def test_it_builds_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    for package in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(package)
    site = built(tmp_path)
    pages = {path: Page(path) for path in site.rglob("*.html")}

    assert sorted(broken(site, pages)) == []
    assert loaded_from_elsewhere(pages) == set()
    assert pages[site / "index.html"].links == ["docs/index.html"]
    reference = (site / "docs" / "reference" / "accelerator-file.html").read_text(encoding="utf-8")
    assert "What is minimized" in reference
    assert "<!-- records" not in reference
    assert json.loads((site / "schemas" / "accelerator.schema.json").read_text())["properties"]


REFERENCE = sorted((ROOT / "docs" / "reference").glob("*-file.md"))
DEFINITIONS = contract_definitions(ROOT / "docs" / "results-contract.md")


@pytest.mark.parametrize("page", REFERENCE, ids=lambda page: page.stem)
def test_tables_have_every_key(page: Path) -> None:
    text, schemas = expanded(page.read_text(encoding="utf-8"), "docs/reference/x", DEFINITIONS)

    (schema,) = schemas.values()
    for record in (schema, *schema.get("$defs", {}).values()):
        assert f"## {record['title']}\n" in text
        assert all(f"| `{key}` |" in text for key in record["properties"])
    assert "](#" not in text or all(
        f"## {name}\n" in text for name in re.findall(r"\[`(\w+)`\]\(#", text)
    )


def test_the_schema_of_an_accelerator_accepts_what_the_program_accepts() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema("accelerators.schema:Accelerator")

    for name in accelerator_names():
        machine = load_accelerator(name).model_dump(mode="json", exclude_none=True)
        jsonschema.validate(machine, schema)
    with pytest.raises(jsonschema.ValidationError, match="0 is less than the minimum"):
        jsonschema.validate({**machine, "array": {**machine["array"], "rows": 0}}, schema)


def test_the_schema_of_results_defines_every_key() -> None:
    schema = json_schema("hwsim.report.result:Result", DEFINITIONS)

    assert list(schema["properties"]) == [field.name for field in fields(Result)]
    for record in (schema, *schema["$defs"].values()):
        undefined = [key for key, value in record["properties"].items() if not value["description"]]
        assert undefined in ([], ["cycles", "energy_uj"], ["cycles", "energy_uj", "sram_peak_kib"])


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 1024}, "whole number 1 to 1024"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 2.5}, "number above 0 to 2.5"),
        ({"type": "integer", "minimum": 8, "multipleOf": 8}, "whole number 8 or more, a multiple"),
        ({"type": "integer", "maximum": 16777216}, "whole number at most 16777216"),
        ({"type": "string", "maxLength": 40}, "text of at most 40 characters"),
        ({"type": "string"}, "text"),
        ({"enum": ["a", "b"]}, "`a`, `b`"),
        ({"const": "a"}, "`a`"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "`true`, `false`"),
        ({"$ref": "#/$defs/Array"}, "[`Array`](#array)"),
        ({"type": "array", "items": {"type": "number"}}, "a list, each number"),
        (
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            "a list of 2, each number",
        ),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "number"}]},
            "a list of whole number, number",
        ),
        (
            {"type": "object", "additionalProperties": {"type": "number"}},
            "names, each with number",
        ),
        ({"type": "object", "additionalProperties": True}, "keys and values"),
        ({}, "any value"),
    ],
)
def test_values_in_words(schema: dict[str, Any], words: str) -> None:
    assert value_words(schema).startswith(words)
