"""Runs the code blocks of a page, one after the other, as a reader would."""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hwsim.cli import main

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+?) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_NEEDS = re.compile(r"^<!-- needs: (.+) -->$", re.MULTILINE)
_SHELL_SYNTAX = re.compile(r"[|<>$;&`*(){}#]")
ANYTHING = "…"
"""In expected output: any text, line breaks included."""


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        line: of the page, where it begins.
        language: as the page says.
        code: in it.
        reason: why it is not run; None where it is.
        output: the text block right behind it: what it prints; None without one.
    """

    line: int
    language: str
    code: str
    reason: str | None
    output: str | None


def blocks(page: Path) -> Iterator[Block]:
    """The code blocks of a page but for those that are output of others."""
    text = page.read_text(encoding="utf-8")
    found = list(_BLOCK.finditer(text))
    for place, match in enumerate(found):
        if match["language"] == "text" and place and _follows(text, found[place - 1], match):
            continue
        following = found[place + 1] if place + 1 < len(found) else None
        output = None
        if following and following["language"] == "text" and _follows(text, match, following):
            output = following["code"]
        line = text.count("\n", 0, match.start("language")) + 1
        yield Block(line, match["language"], match["code"], match["reason"], output)


def missing(page: Path) -> list[str]:
    """What a page says it needs and is not here: programs, and ``python:`` modules."""
    found = _NEEDS.search(page.read_text(encoding="utf-8"))
    return [need for need in found[1].split() if not _is_here(need)] if found else []


def _is_here(need: str) -> bool:
    kind, _, module = need.rpartition(":")
    return find_spec(module) is not None if kind == "python" else shutil.which(need) is not None


def fits(output: str, expected: str) -> bool:
    """Whether an output is what is expected, spaces at the ends of lines apart."""
    pattern = ".*?".join(re.escape(part) for part in _trimmed(expected).split(ANYTHING))
    return re.fullmatch(pattern, _trimmed(output), re.DOTALL) is not None


class Reader:
    """Somebody who follows a page in an empty folder, which is the current one."""

    def __init__(self, page: Path, programs: Path) -> None:
        """Nothing is run yet.

        Args:
            page: the page.
            programs: an empty folder, for programs ``hwsim`` and ``python`` to be found first.
        """
        self._page = page
        self._variables: dict[str, Any] = {"__name__": "__main__"}
        for name, arguments in (("hwsim", " -m hwsim"), ("python", "")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{arguments} "$@"\n')
            program.chmod(0o755)
        root = str(Path(__file__).resolve().parents[1])
        self._environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": root,
        }

    def follow(self, block: Block) -> None:
        """Run a block; what it prints must be what the page says."""
        printed = self._run(block)
        if block.output is not None:
            where = f"{self._page.name}:{block.line}"
            assert fits(printed, block.output), f"{where} printed\n{printed}\nnot\n{block.output}"

    def _run(self, block: Block) -> str:
        if block.language == "python":
            return self._python(block)
        lines = block.code.replace("\\\n", " ").splitlines()
        if all(_is_plain(line) for line in lines):
            return "".join(map(self._hwsim, lines))
        return self._shell(block)

    def _python(self, block: Block) -> str:
        # Blank lines before it make line numbers of tracebacks those of the page.
        source = "\n" * block.line + block.code
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(source, str(self._page), "exec"), self._variables)
        return printed.getvalue()

    def _hwsim(self, line: str) -> str:
        """A command in this process, which has imported what it needs."""
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = main([*shlex.split(line)[1:], "--quiet"])
        assert status == 0, f"{self._page.name}: {line}: status {status}"
        return printed.getvalue()

    def _shell(self, block: Block) -> str:
        bash = shutil.which("bash")
        assert bash is not None
        done = subprocess.run(
            [bash, "-euo", "pipefail", "-c", block.code],
            env=self._environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{self._page.name}:{block.line}: {done.stderr}"
        return done.stdout


def _follows(text: str, before: re.Match[str], after: re.Match[str]) -> bool:
    return not text[before.end() : after.start()].strip()


def _is_plain(line: str) -> bool:
    return line.startswith("hwsim ") and not _SHELL_SYNTAX.search(line)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
