"""The roofline: what each layer reaches, below what the machine allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.cost.array_losses import PRODUCTS
from hwsim.report.colours import CAUSES
from hwsim.report.explanation_record import ExplanationRecord
from hwsim.report.page.blocks import Alternative, Block, Cell, Figure, Json, Row, Table, plot_text
from hwsim.report.result import Result
from hwsim.report.search_page.quantities import rounded

_HEIGHT_PX = 460
_AROUND_RIDGE = 16
"""How much further than the ridge the chart reaches at least, both ways."""


@dataclass(frozen=True, slots=True)
class _Dot:
    """A layer, or a cascade of several.

    Attributes:
        name: what it is called.
        macs_per_byte: of its own DRAM traffic; None where it has none.
        macs_per_cycle: what it reaches.
        peak_macs_per_cycle: of the array at the widths of its cascade's operands.
    """

    name: str
    macs_per_byte: float | None
    macs_per_cycle: float
    peak_macs_per_cycle: float

    def roof(self, bytes_per_cycle: float) -> float:
        """What peak and bandwidth allow at its intensity."""
        if self.macs_per_byte is None:
            return self.peak_macs_per_cycle
        return min(self.peak_macs_per_cycle, self.macs_per_byte * bytes_per_cycle)


def roofline_blocks(result: Result, explanation: ExplanationRecord) -> tuple[Block, ...]:
    """The chart, and its figures folded away; nothing where no layer has a product."""
    layers, cascades = _layers(result, explanation), _cascades(explanation)
    if not layers:
        return ()
    return _figure(layers, cascades, explanation), _table(layers, cascades, explanation)


def _layers(result: Result, explanation: ExplanationRecord) -> list[_Dot]:
    """Layers with products, each by itself: in the cycles of the unit that it holds longest.

    Neither of the two that the roof is made of is held for less than the layer's products and bytes
    take at its peak, so that no dot lies above the roof.
    """
    costs = {layer.name: layer for layer in result.layers}
    return [
        _Dot(
            layer.name,
            _ratio(layer.macs, cost.dram_bytes),
            layer.macs / longest,
            layer.macs / products,
        )
        for group in explanation.groups
        for layer in group.layers
        if layer.macs
        and (cost := costs.get(layer.name)) is not None
        and (longest := max(cost.busy_cycles.values(), default=0))
        and (products := sum(layer.cycles_by_cause.get(cause, 0.0) for cause in PRODUCTS))
    ]


def _cascades(explanation: ExplanationRecord) -> list[_Dot]:
    return [
        _Dot(
            group.name,
            group.roofline.macs_per_byte,
            group.roofline.achieved_macs_per_cycle,
            group.roofline.peak_macs_per_cycle,
        )
        for group in explanation.groups
        if group.roofline is not None
    ]


def _ratio(macs: int, size_bytes: int) -> float | None:
    return macs / size_bytes if size_bytes else None


def _figure(
    layers: Sequence[_Dot], cascades: Sequence[_Dot], explanation: ExplanationRecord
) -> Figure:
    rate = explanation.dram_bytes_per_cycle
    native = explanation.peak_macs_per_cycle
    others = {dot.peak_macs_per_cycle for dot in layers}
    peaks = sorted({native, min(others), max(others)})
    low, high = _span(layers, cascades, peaks, rate)
    data: list[Json] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{peak:,.6g} MACs a cycle",
            "x": [low, peak / rate, high],
            "y": [low * rate, peak, peak],
            "hoverinfo": "skip",
            "line": {
                "color": "var(--ink)",
                "width": 1.5,
                "dash": "solid" if peak == native else "dash",
            },
        }
        for peak in peaks
    ]
    data.append(_dots("layers", layers, rate, {"color": CAUSES["compute"], "size": 9}))
    if cascades:
        ring = {"symbol": "circle-open", "size": 18, "color": CAUSES["dram"], "line": {"width": 2}}
        data.append(_dots("cascades", cascades, rate, ring))
    words = (
        "A dot a layer, by itself: multiply-accumulates for each byte that it moves over the "
        "DRAM's bus, and for each cycle of the unit that it holds longest. A ring a cascade, whose "
        "layers run together, in all the cycles it takes. Above them what the machine allows: "
        f"{rate:,.4g} bytes a cycle, and the peak of the array at the widths of its multipliers; "
        "dashed, the least and the greatest peak at the widths of these layers. Modelled."
    )
    return Figure(
        "roofline-chart", words, _HEIGHT_PX, (Alternative("roofline", tuple(data), _LAYOUT),)
    )


def _span(
    layers: Sequence[_Dot], cascades: Sequence[_Dot], peaks: Sequence[float], rate: float
) -> tuple[float, float]:
    """The least and the largest intensity that is drawn."""
    known = [dot.macs_per_byte for dot in (*layers, *cascades) if dot.macs_per_byte]
    ends = (peaks[0] / rate / _AROUND_RIDGE, peaks[-1] / rate * _AROUND_RIDGE, *known)
    return min(ends) / 1.5, max(ends) * 1.5


def _dots(name: str, dots: Sequence[_Dot], rate: float, marker: Json) -> Json:
    drawn = [dot for dot in dots if dot.macs_per_byte]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [dot.macs_per_byte for dot in drawn],
        "y": [dot.macs_per_cycle for dot in drawn],
        "text": [
            f"<b>{plot_text(dot.name)}</b><br>{dot.macs_per_byte:,.4g} MACs a byte<br>"
            f"{dot.macs_per_cycle:,.4g} MACs a cycle of {dot.roof(rate):,.4g}"
            for dot in drawn
        ],
        "hoverinfo": "text",
        "marker": {"line": {"color": "var(--paper)", "width": 1}, **marker},
    }


_LAYOUT: Json = {
    "xaxis": {"type": "log", "title": {"text": "MACs for each byte of DRAM traffic"}},
    "yaxis": {"type": "log", "title": {"text": "MACs a cycle"}},
    "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    "hovermode": "closest",
    "margin": {"t": 50, "r": 20, "b": 45, "l": 60},
}


def _table(
    layers: Sequence[_Dot], cascades: Sequence[_Dot], explanation: ExplanationRecord
) -> Table:
    rate = explanation.dram_bytes_per_cycle
    rows = [
        Row(
            (
                Cell(dot.name, below="cascade" if dot in cascades else ""),
                _cell(dot.macs_per_byte),
                _cell(dot.peak_macs_per_cycle / rate),
                _cell(dot.roof(rate)),
                _cell(dot.macs_per_cycle),
                _share(dot.macs_per_cycle, dot.roof(rate)),
            )
        )
        for dot in (*layers, *cascades)
    ]
    columns = ("layer", "MACs a byte", "ridge", "roof [MACs a cycle]", "reached", "of the roof")
    return Table("Roofline of each layer and cascade", columns, tuple(rows), folded=True)


def _cell(value: float | None) -> Cell:
    return Cell("–") if value is None else Cell(rounded(value, 1), value)


def _share(reached: float, roof: float) -> Cell:
    return Cell(f"{reached / roof:.1%}", reached / roof) if roof else Cell("–")
