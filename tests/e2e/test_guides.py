"""The tutorial and the guides do what they say: every code block is run."""

from pathlib import Path

import pytest

from tests.guide_blocks import Reader, blocks, fits, missing

pytestmark = pytest.mark.timeout(900)  # programs of their own on a machine that may be busy

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [DOCS / "tutorial.md", *sorted(DOCS.glob("how-to/*.md"))]


def name(page: Path) -> str:
    return str(page.relative_to(DOCS))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_runs_and_prints_what_the_page_says(
    page: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if absent := missing(page):
        pytest.skip(f"{', '.join(absent)}: not installed")
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    reader = Reader(page, tmp_path_factory.mktemp("programs"))
    for block in blocks(page):
        if block.reason is None and block.language in ("bash", "python"):
            reader.follow(block)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_has_a_language_that_is_run_or_a_reason_why_not(page: Path) -> None:
    left = [
        block for block in blocks(page) if block.language not in ("bash", "python", "{toctree}")
    ]

    assert [block.line for block in left if block.reason is None] == []


@pytest.mark.parametrize(
    ("output", "expected", "same"),
    [
        ("a  \nb\n", "a\nb", True),
        ("took 3 s\nend\n", "took … s\nend", True),
        ("one\ntwo\nthree", "one\n…three", True),
        ("a.c", "abc", False),
        ("a", "a\nb", False),
    ],
)
def test_output_is_compared_with_gaps(output: str, expected: str, same: bool) -> None:
    assert fits(output, expected) is same


def test_what_a_page_needs_and_is_not_here_is_known(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- needs: sh no-such-program python:json python:no_such -->\n")

    assert missing(page) == ["no-such-program", "python:no_such"]
    page.write_text("# Title\n")
    assert missing(page) == []


def test_blocks_know_their_line_their_output_and_why_they_are_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\n```bash\nhwsim list\n```\n\n```text\nall\n```\n\n"
        "<!-- not run: it installs -->\n```bash\npip install .\n```\n\n"
        "words\n\n```text\nalone\n```\n"
    )

    first, second, third = blocks(page)

    assert (first.line, first.code, first.output, first.reason) == (
        3,
        "hwsim list\n",
        "all\n",
        None,
    )
    assert (second.reason, second.output) == ("it installs", None)
    assert (third.language, third.code) == ("text", "alone\n")
