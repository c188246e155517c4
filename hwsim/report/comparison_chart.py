"""A comparison as a picture: quality against energy, a marker for each method."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hwsim.compare import Cell, CompareResult
from hwsim.report.comparison import by_network
from hwsim.report.series import COLOURS, MARKERS
from quant.common.files import atomic_output

_PANEL_INCHES = (5.4, 4.2)
_LEGEND_COLUMNS = 3  # below each panel: names of methods may have options
_MICROJOULES_PER_MILLIJOULE = 1e3


def write_comparison_chart(path: Path, found: CompareResult) -> None:
    """Draw a panel for each network and machine; quality is that on the first data set.

    Args:
        path: the PNG file.
        found: the result, with at least one data set.

    Raises:
        UserError: the file cannot be written.
    """
    networks = dict(by_network(found))
    machines = list(dict.fromkeys(cell.accelerator for cell in found.cells))
    methods = list(dict.fromkeys(cell.combination.method for cell in found.cells))
    width, height = _PANEL_INCHES
    figure = Figure((width * len(machines), height * len(networks) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(networks), len(machines), squeeze=False)
    for row, (network, cells) in zip(panels, networks.items(), strict=True):
        for axes, machine in zip(row, machines, strict=True):
            axes.set_title(f"{network} on {machine}", fontsize=10)
            _draw(axes, found, [cell for cell in cells if cell.accelerator == machine], methods)
    # Every panel has a line for every method, an empty one where it has no row.
    lines = panels[0][0].get_legend_handles_labels()
    ncols = _LEGEND_COLUMNS * len(machines)
    figure.legend(*lines, loc="outside lower left", ncols=ncols, frameon=False)
    with atomic_output(path) as temporary:
        figure.savefig(temporary, format="png", dpi=130)


@dataclass(frozen=True, slots=True, order=True)
class _Point:
    """A row, drawn: energy of an image in mJ with its range, quality in dB."""

    energy_mj: float
    low_mj: float
    high_mj: float
    psnr_db: float
    policy: str


def _draw(axes: Axes, found: CompareResult, cells: Sequence[Cell], methods: Sequence[str]) -> None:
    """One panel: every method's policies, joined from the cheapest to the dearest."""
    for place, method in enumerate(methods):
        points = _points(found, [cell for cell in cells if cell.combination.method == method])
        axes.errorbar(
            [point.energy_mj for point in points],
            [point.psnr_db for point in points],
            xerr=[
                [point.energy_mj - point.low_mj for point in points],
                [point.high_mj - point.energy_mj for point in points],
            ],
            color=COLOURS[place % len(COLOURS)],
            marker=MARKERS[place % len(MARKERS)],
            linewidth=1,
            capsize=3,
            label=method,
        )
        for point in points:
            axes.annotate(
                point.policy, (point.energy_mj, point.psnr_db), xytext=(5, -9),
                textcoords="offset points", fontsize=7,
            )  # fmt: skip
    floating = cells and found.quality(cells[0], found.data_sets[0], "float")
    if floating and math.isfinite(floating.psnr_db):
        axes.axhline(floating.psnr_db, color="#595959", linewidth=0.8, linestyle="dashed")
        axes.annotate("float", (0.01, floating.psnr_db), xycoords=("axes fraction", "data"),
                      xytext=(0, 3), textcoords="offset points", fontsize=7)  # fmt: skip
    axes.set_xlabel("energy of one image, mJ")
    axes.set_ylabel(f"PSNR on {found.data_sets[0]}, dB")
    axes.grid(color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)


def _points(found: CompareResult, cells: Sequence[Cell]) -> list[_Point]:
    """The rows that have an energy and a finite PSNR on the first data set, the cheapest first."""
    points = []
    for cell in cells:
        energy, quality = (
            cell.spread("energy_uj"),
            found.quality(cell, found.data_sets[0], "integer"),
        )
        if energy is not None and quality is not None and math.isfinite(quality.psnr_db):
            mean, low, high = (
                figure / _MICROJOULES_PER_MILLIJOULE
                for figure in (energy.mean, energy.p5, energy.p95)
            )
            # The mean may lie beyond a percentile; its bar begins at the mean then.
            point = _Point(mean, min(mean, low), max(mean, high), quality.psnr_db,
                           cell.combination.policy)  # fmt: skip
            points.append(point)
    return sorted(points)
