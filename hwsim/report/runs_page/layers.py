"""How the layers of runs differ, those that matter most first, as bars and table."""

from collections.abc import Sequence

from hwsim.report.page.blocks import Alternative, Block, Cell, Figure, Row, Table
from hwsim.report.page.rows import rows_height_px
from hwsim.report.run_differences import IMPORTANCE, LayerDifference, RunComparison
from hwsim.report.run_page.bars import bar, bars_layout
from hwsim.report.run_quantities import FIGURES, NOTHING, bits_text, figure_text
from hwsim.report.series import COLOURS

MOST_DRAWN = 40
"""Layers in the chart; the table has all."""

_DRAWN = ("energy_uj", "latency_ms", "dram_bytes")


def layers_blocks(found: RunComparison) -> tuple[Block, ...]:
    """The chart and the table."""
    layers = found.layers()
    return _figure(found, layers[:MOST_DRAWN], len(layers)), _table(found, layers)


def _figure(found: RunComparison, drawn: Sequence[LayerDifference], count: int) -> Figure:
    first = found.runs[0].name
    some = (
        f"the {len(drawn)} that differ most of {count} layers" if len(drawn) < count else "layers"
    )
    words = (
        f"Difference to {first} of {some}, the one that differs most on top. {IMPORTANCE} A layer "
        "that a run does not have counts as nothing there. Modelled."
    )
    return Figure(
        "layers-chart",
        words,
        rows_height_px(len(drawn)),
        tuple(_changes(found, drawn, key) for key in _DRAWN),
        "Difference of",
    )


def _changes(found: RunComparison, drawn: Sequence[LayerDifference], key: str) -> Alternative:
    names = [layer.name for layer in drawn]
    values = [layer.values(key) for layer in drawn]
    traces = tuple(
        bar(
            run.name,
            COLOURS[place % len(COLOURS)],
            names,
            [(each[place] or 0) - (each[0] or 0) for each in values],
            "",
        )
        for place, run in enumerate(found.runs)
        if place
    )
    name = "DRAM traffic [bytes]" if key == "dram_bytes" else FIGURES[key].name
    layout = bars_layout(f"difference of {name} to {found.runs[0].name}", barmode="group")
    return Alternative(name, traces, layout)


def _table(found: RunComparison, layers: Sequence[LayerDifference]) -> Table:
    columns = ["layer", "differs by"]
    for key in _DRAWN:
        columns += [f"{FIGURES[key].name} {run.name}" for run in found.runs]
    columns += [f"bits w/a {run.name}" for run in found.runs]
    rows = tuple(
        Row(
            (
                Cell(layer.name),
                Cell(f"{layer.importance:.2%}", layer.importance),
                *(
                    Cell(figure_text(key, value), value)
                    for key in _DRAWN
                    for value in layer.values(key)
                ),
                *(
                    Cell(NOTHING if timed is None else bits_text(timed.layer))
                    for timed in layer.layers
                ),
            )
        )
        for layer in layers
    )
    return Table("Every layer, the one that differs most first", tuple(columns), rows, folded=True)
