"""Stacked horizontal bars, one for each layer."""

from collections.abc import Mapping, Sequence

from hwsim.report.page.blocks import Json, plot_text

_BLACK = "#000000"


def on_any_page(colour: str) -> str:
    """A colour that is also seen on a dark page: black follows the text."""
    return "var(--ink)" if colour == _BLACK else colour


def bar(name: str, colour: str, layers: Sequence[str], lengths: Sequence[float], unit: str) -> Json:
    """A trace with a piece of every layer's bar.

    Args:
        name: what the pieces are, plain text.
        colour: of CSS.
        layers: names, as many as bars.
        lengths: of the pieces.
        unit: behind the length, where it is pointed at.
    """
    return {
        "type": "bar",
        "orientation": "h",
        "name": plot_text(name),
        "x": list(lengths),
        "y": [plot_text(layer) for layer in layers],
        "marker": {
            "color": on_any_page(colour),
            "line": {"color": "var(--muted)", "width": 0.5},
        },
        "hovertemplate": f"%{{y}}<br>%{{fullData.name}}: %{{x:,.6~g}} {unit}<extra></extra>",
    }


def bars_layout(title: str, *, barmode: str = "stack") -> Json:
    """The first layer on top, the legend above."""
    return {
        "barmode": barmode,
        "bargap": 0.15,
        "xaxis": {"title": {"text": plot_text(title)}, "rangemode": "tozero"},
        "yaxis": {"autorange": "reversed", "dtick": 1, "ticks": "", "showgrid": False},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        "margin": {"t": 70, "r": 20, "b": 45, "l": 60},
    }


def sums(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What several accounts have together, by name, in the order in which names first occur."""
    total: dict[str, float] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, 0.0) + amount
    return total
