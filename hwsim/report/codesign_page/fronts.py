"""Fidelity against cost: what was simulated of every variant, in one chart."""

import math

from hwsim.report.codesign_chart import drawn_front
from hwsim.report.codesign_page.policies import item_names
from hwsim.report.measures import MEASURES, Measure, limit_of, measure_of
from hwsim.report.page.blocks import Alternative, Figure, Json, plot_text
from hwsim.report.search_page.points import bits_words
from hwsim.report.search_page.quantities import decibels, rounded
from hwsim.report.series import COLOURS, MARKERS, SYMBOLS
from hwsim.search.codesign import Choice, CodesignResult, Outcome

MOST_NAMED = 24
"""Variants in the legend; of more, a point tells its variant when it is pointed at."""

_HEIGHT_PX, _NAME_PX = 460, 20


def fronts_figure(found: CodesignResult) -> Figure:
    """The measured fronts against any cost, first against what is minimized or traded."""
    named = len(found.outcomes) <= MOST_NAMED
    own = measure_of(found.request.resource)
    measures = (own, *(other for other in MEASURES if other is not own))
    return Figure(
        "fronts-chart",
        "Of each variant, the simulated policies that no other of the same variant beats; thick: "
        "those that none of any variant beats. A click on a marker with an outline shows its bits "
        "below.",
        _HEIGHT_PX + (_NAME_PX * len(found.outcomes) if named else 0),
        tuple(
            Alternative(
                measure.title, _traces(found, measure, named=named), _layout(found, measure)
            )
            for measure in measures
        ),
        "Fidelity against",
    )


def _traces(found: CodesignResult, measure: Measure, *, named: bool) -> tuple[Json, ...]:
    names = item_names(found)
    of_all = drawn_front(found.choices(), measure)
    best = found.recommended()
    ring = [best] if math.isfinite(best.measured.psnr_db) else []
    return (
        {
            **_line(of_all, measure),
            "name": "all variants",
            "mode": "lines",
            "hoverinfo": "skip",
            "line": {"color": "var(--line)", "width": 7, "shape": "hv"},
        },
        *(
            {**_variant(outcome, place, measure, names), "showlegend": named}
            for place, outcome in enumerate(found.outcomes)
            if outcome.choices
        ),
        {
            **_line(ring, measure),
            "name": "recommended",
            "mode": "markers",
            "hoverinfo": "skip",
            "marker": {
                "symbol": "circle-open", "size": 24, "color": "var(--ink)", "line": {"width": 2},
            },
        },
    )  # fmt: skip


def _variant(outcome: Outcome, place: int, measure: Measure, names: dict[int, str]) -> Json:
    front = drawn_front(outcome.choices, measure)
    colour = COLOURS[place % len(COLOURS)]
    colour = "var(--ink)" if colour == "#000000" else colour  # black is not seen on a dark page
    items = [names.get(id(choice.point)) for choice in front]
    return {
        **_line(front, measure),
        "name": plot_text(outcome.variant.label),
        "mode": "lines+markers",
        "customdata": items,
        "text": [_hover(choice) for choice in front],
        "hoverinfo": "text",
        "line": {"color": colour, "width": 1, "shape": "hv"},
        "marker": {
            "color": colour,
            "symbol": SYMBOLS[MARKERS[place // len(COLOURS) % len(MARKERS)]],
            "size": 8,
            "line": {"color": "var(--ink)", "width": [1 if item else 0 for item in items]},
        },
        "selected": {"marker": {"size": 15}},
        "unselected": {"marker": {"opacity": 1}},
    }


def _line(choices: list[Choice], measure: Measure) -> Json:
    return {
        "type": "scatter",
        "x": [measure.amount(choice) for choice in choices],
        "y": [choice.measured.psnr_db for choice in choices],
    }


def _hover(choice: Choice) -> str:
    return "<br>".join(
        (
            f"<b>{plot_text(choice.variant.label)}</b>",
            plot_text(choice.point.label),
            f"fidelity {decibels(choice.measured.psnr_db)} dB",
            *(f"{measure.name} {measure.words(choice)}" for measure in MEASURES),
            bits_words(choice.point.bits),
        )
    )


def _layout(found: CodesignResult, measure: Measure) -> Json:
    """Axes, and the limits on fidelity and on this cost as lines with their words."""
    shapes: list[Json] = []
    annotations: list[Json] = []
    level = found.request.limits.min_psnr_db
    most = limit_of([outcome.variant for outcome in found.outcomes], measure)
    if level is not None:
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level})
        annotations.append(
            {"text": f"at least {level:g} dB", "xref": "paper", "x": 1, "xanchor": "right",
             "y": level, "yanchor": "bottom", "showarrow": False}
        )  # fmt: skip
    if most is not None:
        shapes.append({"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": most, "x1": most})
        annotations.append(
            {"text": f"at most {rounded(most, measure.digits)} {measure.unit}", "yref": "paper",
             "y": 0, "yanchor": "bottom", "x": most, "xanchor": "right", "textangle": -90,
             "showarrow": False}
        )  # fmt: skip
    return {
        "xaxis": {"title": {"text": f"{measure.title}, one image"}},
        "yaxis": {"title": {"text": "fidelity: PSNR to the float network [dB]"}},
        "legend": {"x": 0, "y": 1.02, "yanchor": "bottom"},
        "hovermode": "closest",
        "margin": {"t": 20, "r": 20, "b": 45, "l": 60},
        "shapes": shapes,
        "annotations": annotations,
    }
