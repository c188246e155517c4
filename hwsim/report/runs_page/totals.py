"""The totals of runs side by side: cards of ratios, energy by component, and all figures."""

from hwsim.report.colours import component_colours
from hwsim.report.labels import component_label
from hwsim.report.page.blocks import Alternative, Block, Card, Cards, Cell, Figure, Row, Table
from hwsim.report.page.rows import rows_height_px
from hwsim.report.run_differences import RunComparison
from hwsim.report.run_page.bars import bar, bars_layout
from hwsim.report.run_quantities import FIGURES, figure_text, ratio_text

_CARDS = ("energy_uj", "latency_ms", "sram_peak_kib", "psnr_db")


def totals_blocks(found: RunComparison) -> tuple[Block, ...]:
    """Cards where there are two runs, the chart, and its tables."""
    cards = (Cards(tuple(_cards(found))),) if len(found.runs) == 2 else ()
    return (*cards, _totals(found), _figure(found), _components(found))


def _cards(found: RunComparison) -> list[Card]:
    """The second run's figures, and how they compare with the first's."""
    totals = found.totals()
    cards = []
    for key in _CARDS:
        first, second = totals[key]
        if first is None or second is None:
            continue
        ratio = found.ratios(key)[1]
        change = f"{second - first:+.2f}" if ratio is None else ratio_text(ratio)
        cards.append(
            Card(
                FIGURES[key].name,
                change.replace("-", "−"),
                f"{figure_text(key, first)} → {figure_text(key, second)}",
            )
        )
    return cards


def _totals(found: RunComparison) -> Table:
    rows = []
    for key, values in found.totals().items():
        if all(value is None for value in values):
            continue
        cells = [
            Cell(figure_text(key, value), value, ratio_text(ratio) if place else "")
            for place, (value, ratio) in enumerate(zip(values, found.ratios(key), strict=True))
        ]
        rows.append(Row((Cell(FIGURES[key].name), *cells)))
    first = found.runs[0].name
    columns = ("figure", *(run.name for run in found.runs))
    return Table(f"Totals; below each figure, how many times that of {first}", columns, tuple(rows))


def _figure(found: RunComparison) -> Figure:
    names, components = [run.name for run in found.runs], found.components()
    traces = tuple(
        bar(component_label(component), colour, names, components[component], "µJ")
        for component, colour in component_colours(components).items()
    )
    return Figure(
        "components-chart",
        "Energy of one image by component, modelled.",
        rows_height_px(2 * len(names)),
        (Alternative("energy", traces, bars_layout("energy [µJ]")),),
    )


def _components(found: RunComparison) -> Table:
    components = found.components()
    rows = tuple(
        Row(
            (
                Cell(component_label(component)),
                *(Cell(figure_text("energy_uj", part), part) for part in components[component]),
            )
        )
        for component in component_colours(components)
    )
    columns = ("component", *(f"{run.name} [µJ]" for run in found.runs))
    return Table("Energy by component", columns, rows, folded=True)
