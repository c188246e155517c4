"""Fidelity against cost: what was predicted, what was simulated, the limits; as chart and table."""

import math

from hwsim.report.page.blocks import Alternative, Cell, Figure, Json, Row, Table
from hwsim.report.search_page.points import LEGEND, bits_words, mean_bits, series_of
from hwsim.report.search_page.predicted_front import PredictedPolicy, drawn_front
from hwsim.report.search_page.quantities import COSTS, Quantity, decibels, quantity_of
from hwsim.search import Point, SearchResult
from hwsim.search.chart import LINE_COLOUR

_HEIGHT_PX = 520


def front_figure(found: SearchResult, recommended: Point) -> Figure:
    """The front against any cost, first against its own."""
    own = quantity_of(found.request.resource)
    front = drawn_front(found)
    some = f", of which {len(front)} are drawn" if len(front) < len(found.front) else ""
    return Figure(
        "front-chart",
        f"Line: {len(found.front):,} policies on the predicted front of error and {own.name}"
        f"{some}; against other costs they are dots. Markers: policies that were simulated. A "
        "click on one shows its bits below.",
        _HEIGHT_PX,
        tuple(
            Alternative(
                quantity.title,
                (
                    _predicted(front, quantity, is_front=quantity is own),
                    *_simulated(found, quantity),
                    _ring(recommended, quantity),
                ),
                _layout(found, quantity),
            )
            for quantity in (own, *(other for other in COSTS if other is not own))
        ),
        "Fidelity against",
    )


def policies_table(found: SearchResult, recommended: Point) -> Table:
    """The same figures, the cheapest policy first."""
    resource = found.request.resource
    best = {id(point) for point in found.best()}
    rows = []
    for point in sorted(found.points, key=lambda point: point.measured.cost(resource)):
        weights, activations = mean_bits(point.bits)
        words = [
            word
            for word, holds in (
                ("recommended", point is recommended),
                ("bits not allowed", not point.permitted),
            )
            if holds
        ]
        cells = (
            Cell(point.label, below=", ".join(words)),
            Cell(point.origin.value),
            Cell("yes" if id(point) in best else "no"),
            _fidelity(point),
            *(_cost(point, quantity) for quantity in COSTS),
            Cell(f"{weights:.1f}", weights),
            Cell(f"{activations:.1f}", activations),
        )
        rows.append(Row(cells, marked=point is recommended))
    columns = (
        "policy", "measured as", "unbeaten", "fidelity [dB]", *(cost.title for cost in COSTS),
        "mean weight bits", "mean activation bits",
    )  # fmt: skip
    caption = "Simulated policies; below each figure the prediction"
    return Table(caption, columns, tuple(rows))


def _fidelity(point: Point) -> Cell:
    psnr_db, predicted = point.measured.psnr_db, point.predicted
    return Cell(
        decibels(psnr_db),
        psnr_db if math.isfinite(psnr_db) else None,
        "" if predicted is None else decibels(predicted.psnr_db),
    )


def _cost(point: Point, quantity: Quantity) -> Cell:
    below = "" if point.predicted is None else quantity.number(point.predicted)
    return Cell(quantity.number(point.measured), quantity.amount(point.measured), below)


def _predicted(front: list[PredictedPolicy], quantity: Quantity, *, is_front: bool) -> Json:
    drawing: Json = (
        {"mode": "lines", "line": {"color": LINE_COLOUR, "shape": "hv"}}
        if is_front
        else {"mode": "markers", "marker": {"color": LINE_COLOUR, "size": 3}}
    )
    return {
        "type": "scatter",
        "name": "front, predicted",
        "x": [quantity.amount(policy.figures) for policy in front],
        "y": [policy.figures.psnr_db for policy in front],
        "text": [
            "<br>".join(
                (
                    f"front {policy.number}, predicted",
                    f"fidelity {decibels(policy.figures.psnr_db)} dB",
                    *(f"{cost.name} {cost.words(policy.figures)}" for cost in COSTS),
                    bits_words(policy.bits),
                )
            )
            for policy in front
        ],
        "hoverinfo": "text",
        **drawing,
    }


def _simulated(found: SearchResult, quantity: Quantity) -> list[Json]:
    return [
        {
            **trace,
            "x": [quantity.amount(point.measured) for point in points],
            "y": [point.measured.psnr_db for point in points],
        }
        for trace, points in series_of(found, found.points)
    ]


def _ring(recommended: Point, quantity: Quantity) -> Json:
    """Around the recommended policy; nothing where its fidelity is infinite."""
    there = math.isfinite(recommended.measured.psnr_db)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "recommended",
        "x": [quantity.amount(recommended.measured)] if there else [],
        "y": [recommended.measured.psnr_db] if there else [],
        "hoverinfo": "skip",
        "marker": {
            "symbol": "circle-open",
            "size": 24,
            "color": "var(--ink)",
            "line": {"width": 2},
        },
    }


def _layout(found: SearchResult, quantity: Quantity) -> Json:
    """Axes, and the limits on fidelity and on this cost as lines with their words."""
    limits = found.request.limits
    shapes: list[Json] = []
    annotations: list[Json] = []
    if limits.min_psnr_db is not None:
        level = limits.min_psnr_db
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level})
        annotations.append(
            {"text": f"at least {level:g} dB", "xref": "paper", "x": 1, "xanchor": "right",
             "y": level, "yanchor": "bottom", "showarrow": False}
        )  # fmt: skip
    most = limits.most.get(quantity.resource)
    if most is not None:
        place = most / quantity.per_unit
        shapes.append({"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": place, "x1": place})
        annotations.append(
            {"text": f"at most {quantity.rounded(place)} {quantity.unit}".rstrip(),
             "yref": "paper", "y": 0, "yanchor": "bottom", "x": place, "xanchor": "right",
             "textangle": -90, "showarrow": False}
        )  # fmt: skip
    return {
        "xaxis": {"title": {"text": f"{quantity.title}, one image"}},
        "yaxis": {"title": {"text": "fidelity: PSNR to the float network [dB]"}},
        "legend": LEGEND,
        "hovermode": "closest",
        "margin": {"t": 85, "r": 20, "b": 45, "l": 60},
        "shapes": shapes,
        "annotations": annotations,
    }
