"""The cycles of each layer: what they are lost to, and which units work, as bars and tables."""

from hwsim.cost.explanation import CAUSES
from hwsim.report import colours
from hwsim.report.explanation import LABELS
from hwsim.report.explanation_record import ExplainedLayer, ExplanationRecord
from hwsim.report.labels import unit_label
from hwsim.report.page.blocks import Alternative, Block, Cell, Figure, Folded, Row, Table, Text
from hwsim.report.page.rows import rows_height_px
from hwsim.report.result import Result
from hwsim.report.run_page.bars import bar, bars_layout


def cycles_blocks(result: Result, explanation: ExplanationRecord | None) -> tuple[Block, ...]:
    """The chart and its tables; without an explanation the units alone."""
    if explanation is None:
        return (
            _figure(result, None),
            Text("Causes of cycles, roofline and memory were not kept with this result."),
            _units_table(result),
        )
    meanings = tuple(f"{LABELS[cause]}: {CAUSES[cause]}" for cause in _shown(explanation))
    return (
        _figure(result, explanation),
        Folded("What each cause is", meanings),
        _causes_table(explanation),
        _units_table(result),
    )


def explained_layers(explanation: ExplanationRecord) -> list[ExplainedLayer]:
    """The layers of all cascades, in order."""
    return [layer for group in explanation.groups for layer in group.layers]


def _figure(result: Result, explanation: ExplanationRecord | None) -> Figure:
    alternatives = [_units(result)]
    words = (
        "Units at work: cycles for which each layer holds each of them. They work at once, so "
        "these do not add up to the layer's cycles."
    )
    if explanation is not None:
        alternatives.insert(0, _causes(explanation))
        words = (
            "Cycles by cause: every cycle of a layer has exactly one; those of all layers add up "
            f"to the image's. {words}"
        )
    return Figure(
        "cycles-chart",
        f"{words} Modelled.",
        rows_height_px(len(result.layers)),
        tuple(alternatives),
        "Show",
    )


def _causes(explanation: ExplanationRecord) -> Alternative:
    layers = explained_layers(explanation)
    names = [layer.name for layer in layers]
    traces = tuple(
        bar(
            LABELS[cause],
            colours.CAUSES[cause],
            names,
            [layer.cycles_by_cause.get(cause, 0.0) for layer in layers],
            "cycles",
        )
        for cause in _shown(explanation)
    )
    return Alternative("cycles by cause", traces, bars_layout("cycles"))


def _units(result: Result) -> Alternative:
    names = [layer.name for layer in result.layers]
    traces = tuple(
        bar(
            unit_label(unit),
            colour,
            names,
            [layer.busy_cycles.get(unit, 0) for layer in result.layers],
            "cycles",
        )
        for unit, colour in colours.UNITS.items()
    )
    return Alternative("units at work", traces, bars_layout("cycles", barmode="group"))


def _shown(explanation: ExplanationRecord) -> list[str]:
    """The causes that any cycle has."""
    return [cause for cause in CAUSES if explanation.cycles_by_cause.get(cause)]


def _causes_table(explanation: ExplanationRecord) -> Table:
    shown = _shown(explanation)
    rows = tuple(
        Row(
            (
                Cell(layer.name),
                Cell(f"{layer.cycles:,}", layer.cycles),
                Cell(LABELS.get(layer.bound, layer.bound)),
                *(
                    Cell(f"{part:,.0f}", part)
                    for part in (layer.cycles_by_cause.get(cause, 0.0) for cause in shown)
                ),
            )
        )
        for layer in explained_layers(explanation)
    )
    columns = ("layer", "cycles", "bound by", *(LABELS[cause] for cause in shown))
    return Table("Cycles of each layer by cause", columns, rows, folded=True)


def _units_table(result: Result) -> Table:
    rows = tuple(
        Row(
            (
                Cell(layer.name, below=layer.operator),
                Cell(str(layer.cascade + 1)),
                Cell(f"{layer.macs:,}", layer.macs),
                Cell(f"{layer.cycles:,}", layer.cycles),
                *(
                    Cell(f"{held:,}", held)
                    for held in (layer.busy_cycles.get(unit, 0) for unit in colours.UNITS)
                ),
                Cell(f"{layer.mac_utilization:.1%}", layer.mac_utilization),
                Cell(f"{layer.dram_bytes:,}", layer.dram_bytes),
            )
        )
        for layer in result.layers
    )
    held = (f"{unit_label(unit)} [cycles]" for unit in colours.UNITS)
    columns = ("layer", "cascade", "MACs", "cycles", *held, "array used", "DRAM [bytes]")
    caption = "Units at work, products and traffic of each layer"
    return Table(caption, columns, rows, folded=True)
