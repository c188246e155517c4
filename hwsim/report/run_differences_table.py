"""What differs between runs, for people: settings, totals with ratios, the layers that matter."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hwsim.report.console import stdout_console
from hwsim.report.run_differences import IMPORTANCE, LayerDifference, RunComparison
from hwsim.report.run_quantities import (
    FIGURES,
    NOTHING,
    bits_text,
    figure_text,
    ratio_text,
    setting_text,
)

_MOST_LAYERS = 10


def print_differences(found: RunComparison, files: Sequence[Path]) -> None:
    """Print three tables, and what the figures are.

    Args:
        found: the runs.
        files: what was written.
    """
    console = stdout_console()
    names = [run.name for run in found.runs]
    console.print(Text(f"{' and '.join(names)}: ratios are those to {names[0]}", style="bold"))
    for title, table in (
        ("what differs", _settings(found)),
        ("totals", _totals(found)),
        (f"layers that differ most, of {len(found.layers())}", _layers(found)),
    ):
        console.print()
        console.print(Text(title, style="bold"))
        console.print(table)
    if files:
        listed = ", ".join(file.name for file in files)
        console.print(Text(f"written to {files[0].parent}: {listed}"))
    console.print(Text(f"{IMPORTANCE} Cycles and energy are modelled, not measured."))


def _settings(found: RunComparison) -> Table:
    table = _table("", found)
    settings = found.settings()
    for key in found.differing():
        _row(table, key.replace("_", " "), [setting_text(value) for value in settings[key]])
    if not found.differing():
        _row(table, "nothing that a result names", [""] * len(found.runs))
    return table


def _totals(found: RunComparison) -> Table:
    table = _table("", found)
    for key, values in found.totals().items():
        cells = [
            f"{figure_text(key, value)} {ratio_text(ratio) if place else ''}".rstrip()
            for place, (value, ratio) in enumerate(zip(values, found.ratios(key), strict=True))
        ]
        if any(value is not None for value in values):
            _row(table, FIGURES[key].name, cells)
    return table


def _layers(found: RunComparison) -> Table:
    table = _table("energy [µJ], latency [ms], bits w/a", found, "differs by")
    for layer in found.layers()[:_MOST_LAYERS]:
        if layer.importance:
            _row(table, layer.name, [f"{layer.importance:.1%}", *_layer_cells(layer)])
    return table


def _layer_cells(layer: LayerDifference) -> list[str]:
    return [
        NOTHING
        if timed is None
        else ", ".join(
            (
                figure_text("energy_uj", timed.layer.energy_uj),
                figure_text("latency_ms", timed.latency_ms),
                bits_text(timed.layer),
            )
        )
        for timed in layer.layers
    ]


def _table(first: str, found: RunComparison, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(Text(f"  {first}"))
    for name in (*others, *(run.name for run in found.runs)):
        table.add_column(Text(name), justify="right")
    return table


def _row(table: Table, name: str, cells: Sequence[str]) -> None:
    # Brackets in names are no markup.
    table.add_row(Text(f"  {name}"), *(Text(cell) for cell in cells))
