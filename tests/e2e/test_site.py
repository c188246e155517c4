"""The documentation site: it builds without a complaint, and every link on it leads somewhere."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from accelerators import accelerator_names, load_accelerator
from hwsim.report.result import Result

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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` does."""
    for package in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet",
            "-c", "docs", "-d", folder / "doctrees", ".", folder / "html",
        ],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def broken(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
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


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    assert sorted(broken(site, pages)) == []


def test_pages_load_nothing_from_elsewhere(pages: dict[Path, Page]) -> None:
    loaded = defaultdict(set)
    for path, page in pages.items():
        for link in page.links:
            if urlsplit(link).netloc and link.endswith((".js", ".css", ".png", ".woff2")):
                loaded[path.name].add(link)

    assert loaded == {}


def test_the_root_leads_to_the_site(site: Path, pages: dict[Path, Page]) -> None:
    assert pages[site / "index.html"].links == ["docs/index.html"]


def test_tables_of_files_have_every_key_of_the_schema(site: Path) -> None:
    text = (site / "docs" / "reference" / "accelerator-file.html").read_text(encoding="utf-8")

    for key in ("technology_nm", "accumulator_overflow", "burst_bytes", "objective"):
        assert f">{key}<" in text
    assert "What is minimized" in text
    assert "<!-- records" not in text


def test_the_json_schemas_accept_what_the_program_accepts(site: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((site / "schemas" / "accelerator.schema.json").read_text())

    for name in accelerator_names():
        machine = load_accelerator(name).model_dump(mode="json", exclude_none=True)
        jsonschema.validate(machine, schema)
    with pytest.raises(jsonschema.ValidationError, match="rows"):
        jsonschema.validate({**machine, "array": {**machine["array"], "rows": 0}}, schema)


def test_the_schema_of_results_defines_every_key(site: Path) -> None:
    schema = json.loads((site / "schemas" / "result.schema.json").read_text())

    assert list(schema["properties"]) == list(Result.__dataclass_fields__)
    assert all(value.get("description") for value in schema["properties"].values())
