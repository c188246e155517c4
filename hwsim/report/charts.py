"""The cost chart: where energy and cycles go, layer by layer."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hwsim.cost import ProgramCost
from hwsim.report.colours import component_colours
from hwsim.report.labels import component_label, subject_label
from hwsim.report.result import Result

_CYCLES_COLOUR, _BUSY_COLOUR = "#bdbdbd", "#595959"

_ROW_INCHES, _MARGIN_INCHES, _WIDTH_INCHES = 0.24, 1.9, 11.0


def write_cost_chart(path: Path, result: Result, cost: ProgramCost) -> None:
    """Draw energy by component and cycles of every layer as horizontal bars.

    Args:
        path: the PNG file.
        result: what the title says.
        cost: what the bars show.
    """
    height = max(3.2, _MARGIN_INCHES + _ROW_INCHES * len(cost.groups))
    figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
    FigureCanvasAgg(figure)
    energy, cycles = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    _draw_energy(energy, cost)
    _draw_cycles(cycles, cost)
    rows = range(len(cost.groups))
    energy.set_yticks(rows, [group.group.name for group in cost.groups])
    energy.set_ylim(len(cost.groups) - 0.4, -0.6)  # first layer on top
    for axes in (energy, cycles):
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#dddddd", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle(_title(result), x=0.01, ha="left", fontsize=11)
    figure.legend(*energy.get_legend_handles_labels(), loc="outside lower left", ncols=8,
                  frameon=False)  # fmt: skip
    figure.savefig(path, format="png", dpi=130)


def _draw_energy(axes: Axes, cost: ProgramCost) -> None:
    rows = range(len(cost.groups))
    left = [0.0] * len(cost.groups)
    totals = cost.energy_by_component_uj
    for component, colour in component_colours(totals).items():
        widths = [group.energy_by_component_uj.get(component, 0.0) for group in cost.groups]
        axes.barh(
            rows,
            widths,
            left=left,
            color=colour,
            edgecolor="white",
            linewidth=0.4,
            label=f"{component_label(component)}  {totals[component]:,.1f} µJ",
        )
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_xlabel("energy, µJ")


def _draw_cycles(axes: Axes, cost: ProgramCost) -> None:
    rows = range(len(cost.groups))
    axes.barh(rows, [group.cycles for group in cost.groups], color=_CYCLES_COLOUR)
    busy = [group.busy_cycles.get("mac_array", 0) for group in cost.groups]
    axes.barh(rows, busy, color=_BUSY_COLOUR)
    axes.set_xlabel("cycles (dark: MAC array busy)")
    axes.locator_params(axis="x", nbins=4)


def _title(result: Result) -> str:
    height, width = result.input_size
    return (
        f"{subject_label(result)}: {result.energy_uj:,.1f} µJ and "
        f"{result.latency_ms:,.3f} ms for one image of {height}×{width}\n"
        f"modelled with energy table {result.energy_table} ({result.model.technology_nm} nm)"
    )
