"""Whatever stands in the files of a run: a page, or one sentence."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cli.recorded_runs import read_run
from hwsim.report.page import page
from hwsim.report.page.page import render
from hwsim.report.recorded_run import RecordedRun
from hwsim.report.run_differences import NamedRun, RunComparison
from hwsim.report.run_page import run_page
from hwsim.report.runs_page import runs_page
from quant.common.errors import UserError
from tests.small_run import small_run

Place = tuple[str | int, ...]
STRANGE = (None, 0, -1, 10**30, 10**80, 1e300, -1e-300, "", "\ud800", "%{y}", [], {}, [1], True,
           [0, 0], {"a": 1}, float("inf"))  # fmt: skip


def files() -> dict[str, Any]:
    """What a run writes, as JSON."""
    run = small_run()
    assert run.record is not None
    result = replace(run.result, explanation=run.explanation)
    return {
        "result.json": json.loads(result.to_json()),
        "report.json": json.loads(run.record.to_json()),
    }


def places(value: object, place: Place = ()) -> Iterator[Place]:
    """The ways to every value inside a value."""
    yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*place, number))


PLACES = [(name, place) for name, value in files().items() for place in places(value)]


def written(folder: Path, name: str, place: Place, value: object) -> None:
    """A run's files, one value replaced, or left out where the value is the word for that."""
    content: Any = files()
    *way, last = (name, *place)
    inside = content
    for step in way:
        inside = inside[step]
    if value == "leave out" and isinstance(inside, dict) and place:
        del inside[last]
    else:
        inside[last] = value
    for file, record in content.items():
        (folder / file).write_text(json.dumps(record))


def told(folder: Path) -> RecordedRun | None:
    """The run, or None having told in one sentence why there is none."""
    try:
        return read_run(folder)
    except UserError as error:
        sentence = str(error)
    assert sentence.startswith(str(folder))
    assert "\n" not in sentence
    assert len(sentence) < 500
    return None


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from((*STRANGE, "leave out")))
def test_any_value_in_any_place_is_a_page_or_one_sentence(
    where: tuple[str, Place], value: object
) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "_scripts", lambda of: [])  # plotly.js is long, and the same always
        written(Path(name), *where, value)
        run = told(Path(name))
        if run is not None:
            render(run_page(run)).encode()
            runs = RunComparison((NamedRun("a", "a", run), NamedRun("b", "b", small_run())))
            render(runs_page(runs)).encode()
            runs.to_json().encode()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(("result.json", "report.json")), st.integers(0, 10**6), st.binary(max_size=9)
)
def test_damaged_files_are_a_run_or_one_sentence(name: str, place: int, damage: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), "result.json", ("wall_seconds",), 1.0)
        file = Path(folder) / name
        content = file.read_bytes()
        cut = place % len(content)
        file.write_bytes(content[:cut] + damage + content[cut + len(damage) + place % 2 :])
        told(Path(folder))
