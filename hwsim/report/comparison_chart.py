"""A comparison as a picture: quality against energy, a marker for each method."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hwsim.compare import Cell, CompareResult
from hwsim.report.comparison import by_network
from quant.common.files import atomic_output

# Okabe and Ito, "Color Universal Design", 2008; the markers tell methods apart without colour.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vPX"
_PANEL_INCHES = (5.4, 4.2)
_MICROJOULES_PER_MILLIJOULE = 1e3


def write_comparison_chart(path: Path, found: CompareResult) -> None:
    """Draw a panel for each network and machine; without pictures, bits of features for quality.

    Args:
        path: the PNG file.
        found: the result.

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
    # Every panel has an artist for every method, an empty one where it has no row.
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower left", ncols=8,
                  frameon=False)  # fmt: skip
    with atomic_output(path) as temporary:
        figure.savefig(temporary, format="png", dpi=130)


def _draw(
    axes: Axes, found: CompareResult, cells: Sequence[Cell], methods: Sequence[str]
) -> None:
    """One panel: every method's policies, joined from the cheapest to the dearest."""
    for place, method in enumerate(methods):
        points = sorted(
            (*_position(found, cell), cell.combination.policy)
            for cell in cells
            if cell.combination.method == method and _position(found, cell) is not None
        )
        style = {
            "color": _COLOURS[place % len(_COLOURS)],
            "marker": _MARKERS[place % len(_MARKERS)],
        }
        axes.plot([x for x, *_ in points], [y for _, _, _, y, _ in points], label=method, **style)
