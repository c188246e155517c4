"""What documents point to exists, and the commands they show are commands."""

import re
import shlex
from pathlib import Path

import pytest

from hwsim.cli.parser import build_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())

    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def commands() -> list[str]:
    found = []
    for page in PAGES:
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            text = block.replace("\\\n", " ")
            found += re.findall(r"^(?:\$ )?(?:\.venv/bin/)?hwsim (.*)$", text, re.MULTILINE)
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_shown_is_understood(command: str) -> None:
    arguments = shlex.split(command, comments=True)

    assert build_parser().parse_args(arguments).command == arguments[0]
