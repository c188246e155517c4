"""The energy of each layer by component, as bars and table."""

from hwsim.report.colours import component_colours
from hwsim.report.labels import component_label
from hwsim.report.page.blocks import Alternative, Block, Cell, Figure, Row, Table
from hwsim.report.page.rows import rows_height_px
from hwsim.report.result import Result
from hwsim.report.run_page.bars import bar, bars_layout


def energy_blocks(result: Result) -> tuple[Block, ...]:
    """The chart, the whole by component, and every layer's figures folded away."""
    return _figure(result), _components(result), _layers(result)


def _figure(result: Result) -> Figure:
    names = [layer.name for layer in result.layers]
    totals = result.energy_by_component_uj
    traces = tuple(
        bar(
            f"{component_label(component)} {totals[component]:,.1f} µJ",
            colour,
            names,
            [layer.energy_by_component_uj.get(component, 0.0) for layer in result.layers],
            "µJ",
        )
        for component, colour in component_colours(totals).items()
    )
    return Figure(
        "energy-chart",
        "Energy of each layer by component, modelled: counts times the energy table's prices.",
        rows_height_px(len(names)),
        (Alternative("energy", traces, bars_layout("energy [µJ]")),),
    )


def _components(result: Result) -> Table:
    totals = result.energy_by_component_uj
    rows = tuple(
        Row(
            (
                Cell(component_label(component)),
                Cell(f"{totals[component]:,.1f}", totals[component]),
                _share(totals[component], result.energy_uj),
            )
        )
        for component in component_colours(totals)
    )
    return Table("Energy by component", ("component", "energy [µJ]", "share"), rows)


def _layers(result: Result) -> Table:
    components = list(component_colours(result.energy_by_component_uj))
    rows = []
    for layer in result.layers:
        parts = [layer.energy_by_component_uj.get(component, 0.0) for component in components]
        rows.append(
            Row(
                (
                    Cell(layer.name, below=layer.operator),
                    Cell(f"{layer.energy_uj:,.2f}", layer.energy_uj),
                    _share(layer.energy_uj, result.energy_uj),
                    *(Cell(f"{part:,.2f}", part) for part in parts),
                )
            )
        )
    names = (f"{component_label(component)} [µJ]" for component in components)
    columns = ("layer", "energy [µJ]", "share", *names)
    return Table("Energy of each layer by component", columns, tuple(rows), folded=True)


def _share(part: float, whole: float) -> Cell:
    share = part / whole if whole else 0.0
    return Cell(f"{share:.1%}", share)
