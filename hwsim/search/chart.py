"""The front as a picture: what was predicted, what was measured, and the uniform policies."""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwsim.search.confirmation import Origin, Point
from hwsim.search.measurement import PEAK_CODE
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import SHOWN
from hwsim.search.result import SearchResult
from quant.common.files import atomic_output


@dataclass(frozen=True, slots=True)
class Series:
    """How the measured points of one origin are drawn.

    Attributes:
        origin: theirs.
        words: in the legend.
        colour: of the markers.
        marker: its shape, as matplotlib calls it.
    """

    origin: Origin
    words: str
    colour: str
    marker: str


# Colours of Okabe and Ito, "Color universal design" (2008), told apart by colour-blind people;
# the markers tell the series apart without any colour.
LINE_COLOUR = "#0072B2"
SERIES = (
    Series(Origin.FRONT, "front, measured", "#D55E00", "o"),
    Series(Origin.LIMIT, "near the limits, measured", "#CC79A7", "D"),
    Series(Origin.OPTIMUM, "optimum within the limits, measured", "#E69F00", "*"),
    Series(Origin.REFINED, "local search, measured", "#56B4E9", "^"),
    Series(Origin.UNIFORM, "uniform, measured", "#009E73", "s"),
)


def front_chart(result: SearchResult, path: Path) -> None:
    """Draw fidelity against cost to a PNG file, whole or not at all.

    Args:
        result: a search's result.
        path: the file; its folder is created.

    Raises:
        UserError: the file cannot be written.
    """
    with atomic_output(path) as temporary:
        temporary.write_bytes(front_png(result))


def front_png(result: SearchResult) -> bytes:
    """Fidelity against cost, as the content of a PNG file."""
    from matplotlib.figure import Figure  # slow to import, and only needed here

    resource = result.request.resource
    words, per_unit = SHOWN[resource].axis, SHOWN[resource].per_unit
    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    axes = figure.subplots()
    axes.plot(
        result.front.costs / per_unit,
        _decibels(result.front.errors / UNITS_PER_SQUARED_CODE),
        color=LINE_COLOUR,
        drawstyle="steps-post",
        label=f"front, predicted ({len(result.front)} policies)",
    )
    for series in SERIES:
        points = [p for p in result.of_origin(series.origin) if math.isfinite(p.measured.psnr_db)]
        if points:
            axes.scatter(
                [point.measured.cost(resource) / per_unit for point in points],
                [point.measured.psnr_db for point in points],
                color=series.colour,
                marker=series.marker,
                label=series.words,
                zorder=3,
            )
    for point in result.of_origin(Origin.UNIFORM):
        _name_uniform(axes, point, point.measured.cost(resource) / per_unit)
    size = result.request.image_size
    axes.set_title(f"Bit policies on {result.accelerator}, {size.height}×{size.width} image")
    axes.set_xlabel(f"{words}, {result.energy_table}" if per_unit > 1 else words)
    axes.set_ylabel("PSNR to the float network's output [dB]")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")  # where cost is high and quality low, no front passes
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def _name_uniform(axes: object, point: Point, cost: float) -> None:
    """Write a uniform policy's bits below its marker."""
    axes.annotate(  # type: ignore[attr-defined]  # matplotlib's Axes, imported late
        str(point.policy.default),
        (cost, point.measured.psnr_db),
        xytext=(0, -12),
        textcoords="offset points",
        ha="center",
        fontsize=7,
    )


def _decibels(mse: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray:
    """PSNR of each error; NaN, which is not drawn, for none."""
    positive = np.where(mse > 0, mse, np.nan)
    decibels: np.ndarray = 10 * np.log10(PEAK_CODE**2 / positive)
    return decibels
