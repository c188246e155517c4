"""What differs between what runs were asked for, and between what they rest on."""

from hwsim.report.page.blocks import Block, Cell, Row, Table, Text
from hwsim.report.run_differences import NamedRun, RunComparison
from hwsim.report.run_quantities import NOTHING, setting_text

_DIGITS = 16
"""Of a hash, where whole ones would not stand side by side."""


def settings_blocks(found: RunComparison) -> tuple[Block, ...]:
    """The settings that differ, and all of them folded away."""
    settings, differing = found.settings(), found.differing()
    columns = ("setting", *(run.name for run in found.runs))
    every = tuple(_row(key, values, marked=key in differing) for key, values in settings.items())
    whole = Table("All settings; marked: those that differ", columns, every, folded=True)
    if not differing:
        return Text("Nothing differs that a result names."), whole
    rows = tuple(_row(key, settings[key]) for key in differing)
    return Table("Settings that differ", columns, rows), whole


def provenance_blocks(found: RunComparison) -> tuple[Block, ...]:
    """What the runs rest on, side by side; marked: what differs."""
    columns = ("", *(run.name for run in found.runs))
    facts = dict.fromkeys(name for run in found.runs for name in _facts(run))
    hashes = dict.fromkeys(name for run in found.runs for name in _hashes(run))
    return (
        Table(
            "What the figures rest on; marked: what differs",
            columns,
            tuple(_words(name, [_facts(run).get(name) for run in found.runs]) for name in facts),
        ),
        Table(
            f"SHA-256 of what the figures depend on, {_DIGITS} digits; marked: what differs",
            columns,
            tuple(_words(name, [_hashes(run).get(name) for run in found.runs]) for name in hashes),
        ),
    )


def _facts(run: NamedRun) -> dict[str, str]:
    record = run.recorded.record
    return {"read from": run.path, **({} if record is None else record.provenance.facts)}


def _hashes(run: NamedRun) -> dict[str, str]:
    record = run.recorded.record
    if record is None:
        return {}
    return {name: f"{sha256[:_DIGITS]}…" for name, sha256 in record.provenance.hashes.items()}


def _row(key: str, values: list[object], *, marked: bool = False) -> Row:
    cells = (Cell(setting_text(value)) for value in values)
    return Row((Cell(key.replace("_", " ")), *cells), marked=marked)


def _words(name: str, values: list[str | None]) -> Row:
    cells = (Cell(NOTHING if value is None else value) for value in values)
    return Row((Cell(name), *cells), marked=values.count(values[0]) < len(values))
