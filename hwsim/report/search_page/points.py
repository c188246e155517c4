"""Measured policies as markers of a chart."""

import math
from collections.abc import Mapping, Sequence

from hwsim.report.page.blocks import Json, plot_text
from hwsim.report.search_page.quantities import COSTS, decibels
from hwsim.report.series import SYMBOLS
from hwsim.search import Point, SearchResult
from hwsim.search.chart import SERIES, Series
from quant.policy import LayerBits

LEGEND: Json = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
"""Above the chart, from the left."""


def item_names(found: SearchResult) -> dict[int, str]:
    """What the page calls each measured policy, by its `id`."""
    return {id(point): f"policy-{number}" for number, point in enumerate(found.points, 1)}


def series_of(found: SearchResult, points: Sequence[Point]) -> list[tuple[Json, list[Point]]]:
    """The points by the reason they were measured for, each time with a trace that lacks x and y.

    Args:
        found: the result.
        points: some of its points; those without any error, at infinite dB, are left out.

    Returns:
        Only what has a point.
    """
    names = item_names(found)
    drawn = [point for point in points if math.isfinite(point.measured.psnr_db)]
    by_series = [
        (series, [point for point in drawn if point.origin is series.origin]) for series in SERIES
    ]
    return [
        (_trace(series, members, [names[id(point)] for point in members]), members)
        for series, members in by_series
        if members
    ]


def _trace(series: Series, points: Sequence[Point], names: Sequence[str]) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": series.words,
        "legendgroup": series.words,
        "customdata": list(names),
        "text": [_hover(point) for point in points],
        "hoverinfo": "text",
        "marker": {
            "color": series.colour,
            "symbol": SYMBOLS[series.marker],
            "size": 13 if series.marker == "*" else 9,
            "line": {"color": "var(--paper)", "width": 1},
        },
        "selected": {"marker": {"size": 17}},
        "unselected": {"marker": {"opacity": 1}},
    }


def _hover(point: Point) -> str:
    """Everything of a policy, each prediction behind its figure."""
    predicted = point.predicted

    def line(name: str, simulated: str, expected: str) -> str:
        return f"{name} {simulated}" + (f" (predicted {expected})" if expected else "")

    fidelity = "" if predicted is None else decibels(predicted.psnr_db)
    return "<br>".join(
        (
            f"<b>{plot_text(point.label)}</b>",
            line("fidelity", f"{decibels(point.measured.psnr_db)} dB", fidelity),
            *(
                line(
                    cost.name,
                    cost.words(point.measured),
                    "" if predicted is None else cost.number(predicted),
                )
                for cost in COSTS
            ),
            bits_words(point.bits),
        )
    )


def mean_bits(bits: Mapping[str, LayerBits]) -> tuple[float, float]:
    """Mean width of weights and of activations; every layer counts once."""
    widths = list(bits.values())
    return (
        sum(chosen.weight_bits for chosen in widths) / len(widths),
        sum(chosen.activation_bits for chosen in widths) / len(widths),
    )


def bits_words(bits: Mapping[str, LayerBits]) -> str:
    """`mean_bits` in words."""
    weights, activations = mean_bits(bits)
    return f"mean bits {weights:.1f} (weights), {activations:.1f} (activations)"
