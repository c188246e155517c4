"""The skeleton of every page: one HTML file that asks the network for nothing."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from hwsim.report.page.blocks import Block, Choice, Figure, Pictures

_TEMPLATES = files(__package__) / "templates"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page.

    Attributes:
        name: its anchor; letters and hyphens.
        title: its heading.
        blocks: what it has.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        title: its heading.
        subtitle: a line below it.
        sections: its parts.
        footer: a line at its end.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    footer: str = ""


def write_page(page: Page, path: Path) -> None:
    """Write a page as one HTML file."""
    path.write_text(render(page), encoding="utf-8")


def render(page: Page) -> str:
    """A page as HTML: the same page, the same text.

    Style sheet, scripts and figures are inside. A content security policy names the scripts by
    their hash and forbids all else, also to load anything, so text that got past the escaping
    could not do anything.

    Raises:
        ValueError: a figure has numbers that JSON has not, or names are not unique.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    _require_unique(page.sections)
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_function"] = partial(json.dumps, separators=(",", ":"))
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    scripts = [Markup(script) for script in _scripts(page)]
    return environment.get_template("page.html").render(
        page=page,
        style=Markup(_template("page.css")),
        scripts=scripts,
        script_hashes=[_hash(script) for script in scripts],
    )


def _scripts(page: Page) -> list[str]:
    """The scripts that the page's blocks need; plotly.js before the page's own, which calls it."""
    kinds = {type(block) for part in page.sections for block in part.blocks}
    scripts = [_template("page.js")]
    if Pictures in kinds:
        scripts.append(_template("pictures.js"))
    if Figure in kinds:
        from plotly.offline import get_plotlyjs  # slow to import, and only needed here

        scripts.insert(0, get_plotlyjs())
    return scripts


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """As a content security policy takes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _require_unique(sections: Sequence[Section]) -> None:
    names = [section.name for section in sections]
    blocks = (block for section in sections for block in section.blocks)
    names += [block.name for block in blocks if isinstance(block, Figure | Choice | Pictures)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"names on a page must be unique, these are not: {', '.join(twice)}")
