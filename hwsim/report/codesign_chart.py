"""A co-search as a picture: fidelity against energy and time, a line for each variant."""

import math
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hwsim.report.measures import Measure, measure_of
from hwsim.report.series import COLOURS, MARKERS
from hwsim.search import Resource
from hwsim.search.codesign import Choice, CodesignResult, unbeaten
from quant.common.files import atomic_output

PANELS = (Resource.ENERGY, Resource.LATENCY)
MOST_NAMED = 12
"""Variants in a legend; of more, only the one to take is named."""

_PANEL_INCHES = (6.0, 4.6)
_INCHES_OF_A_NAME = 0.22


def write_codesign_chart(found: CodesignResult, path: Path) -> None:
    """Draw the measured fronts of all variants to a PNG file, whole or not at all.

    Args:
        found: the result; one of its variants recommends something.
        path: the file.

    Raises:
        UserError: the file cannot be written.
    """
    named = len(found.outcomes) <= MOST_NAMED
    width, height = _PANEL_INCHES
    names = len(found.outcomes) + 1 if named else 1
    figure = Figure(
        (width * len(PANELS), height + _INCHES_OF_A_NAME * names), dpi=130, layout="constrained"
    )
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, resource in zip(panels, PANELS, strict=True):
        _draw(axes, found, measure_of(resource), named=named)
    panels[0].set_ylabel("PSNR to the float network's output, dB")
    lines = panels[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside lower left", ncols=1, frameon=False, fontsize=8)
    with atomic_output(path) as temporary:
        figure.savefig(temporary, format="png")


def drawn_front(choices: tuple[Choice, ...], measure: Measure) -> list[Choice]:
    """Of choices with a finite fidelity, those unbeaten in it and in one cost, the cheapest first.

    Args:
        choices: of a variant, or of all.
        measure: the cost.
    """
    finite = [choice for choice in choices if math.isfinite(choice.measured.psnr_db)]
    kept = unbeaten(finite, lambda choice: choice.measured.mse, measure.amount)
    return sorted(kept, key=measure.amount)


def _draw(axes: Axes, found: CodesignResult, measure: Measure, *, named: bool) -> None:
    for place, outcome in enumerate(found.outcomes):
        front = drawn_front(outcome.choices, measure)
        axes.plot(
            [measure.amount(choice) for choice in front],
            [choice.measured.psnr_db for choice in front],
            color=COLOURS[place % len(COLOURS)],
            marker=MARKERS[place // len(COLOURS) % len(MARKERS)],
            markersize=4,
            linewidth=1,
            drawstyle="steps-post",
            label=outcome.variant.label if named and front else None,
        )
    best = found.recommended()
    if math.isfinite(best.measured.psnr_db):
        axes.plot(
            [measure.amount(best)], [best.measured.psnr_db], linestyle="none", marker="o",
            markersize=15, fillstyle="none", color="black",
            label=f"recommended: {best.variant.label}",
        )  # fmt: skip
    axes.set_xlabel(f"{measure.name} of one image, {measure.unit}")
    axes.grid(color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
