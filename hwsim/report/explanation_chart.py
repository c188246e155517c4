"""What bounds each layer as a picture: causes of cycles, roofline, memory over time."""

from itertools import accumulate
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hwsim.cost.explanation import CAUSES
from hwsim.report.colours import CAUSES as CAUSE_COLOURS
from hwsim.report.explanation import LABELS
from hwsim.report.explanation_record import ExplainedLayer, ExplanationRecord

_ROW_INCHES, _MARGIN_INCHES, _LEAST_INCHES, _WIDTH_INCHES = 0.24, 1.9, 6.0, 13.0
_BYTES_PER_KIB = 1024
_DPI = 130


def write_explanation_chart(path: Path, title: str, explanation: ExplanationRecord) -> None:
    """Draw the causes of every layer's cycles, the roofline, and both memories over time.

    Args:
        path: the PNG file.
        title: what was run on what.
        explanation: what to draw.
    """
    layers = [layer for group in explanation.groups for layer in group.layers]
    height = max(_LEAST_INCHES, _MARGIN_INCHES + _ROW_INCHES * len(layers))
    figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
    FigureCanvasAgg(figure)
    places = figure.subplot_mosaic(
        [["cycles", "roofline"], ["cycles", "sram"], ["cycles", "dram"]],
        width_ratios=(3, 2),
        height_ratios=(2, 1, 1),
    )
    _draw_cycles(places["cycles"], layers)
    _draw_roofline(places["roofline"], explanation)
    _draw_sram(places["sram"], explanation)
    _draw_dram(places["dram"], explanation)
    for axes in places.values():
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{title}: what bounds each layer (modelled)", x=0.01, ha="left", fontsize=11)
    figure.legend(*places["cycles"].get_legend_handles_labels(), loc="outside lower left",
                  ncols=7, frameon=False)  # fmt: skip
    figure.savefig(path, format="png", dpi=_DPI)


def _draw_cycles(axes: Axes, layers: list[ExplainedLayer]) -> None:
    rows = range(len(layers))
    left = [0.0] * len(layers)
    for cause in CAUSES:
        widths = [layer.cycles_by_cause[cause] for layer in layers]
        if not any(widths):
            continue
        axes.barh(rows, widths, left=left, color=CAUSE_COLOURS[cause], label=LABELS[cause],
                  edgecolor="white", linewidth=0.4)  # fmt: skip
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_yticks(rows, [layer.name for layer in layers])
    axes.set_ylim(len(layers) - 0.4, -0.6)  # first layer on top
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel("cycles")


def _draw_roofline(axes: Axes, explanation: ExplanationRecord) -> None:
    peak, rate = explanation.peak_macs_per_cycle, explanation.dram_bytes_per_cycle
    points = [
        (roofline.macs_per_byte, roofline.achieved_macs_per_cycle, roofline.bound)
        for group in explanation.groups
        if (roofline := group.roofline) is not None and roofline.macs_per_byte
    ]
    ridge = peak / rate
    ends = [ridge / 16, ridge * 16, *(intensity for intensity, _, _ in points)]
    low, high = min(ends) / 1.5, max(ends) * 1.5
    axes.plot([low, ridge, high], [low * rate, peak, peak], color="black", linewidth=1.2)
    for intensity, achieved, bound in points:
        axes.plot(intensity, achieved, "o", color=CAUSE_COLOURS[bound], markersize=5, alpha=0.7)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("MACs per byte of DRAM traffic")
    axes.set_ylabel("MACs per cycle")
    axes.set_title("roofline; a point a cascade", loc="left", fontsize=9)


def _draw_sram(axes: Axes, explanation: ExplanationRecord) -> None:
    start = 0.0
    times: list[float] = []
    live: list[float] = []
    reserved: list[float] = []
    for group in explanation.groups:
        samples = group.sram_live_samples_bytes
        step = group.cycles / len(samples)
        times += [start + step * place for place in range(len(samples))]
        live += [size / _BYTES_PER_KIB for size in samples]
        reserved += [group.sram_reserved_bytes / _BYTES_PER_KIB] * len(samples)
        start += group.cycles
    axes.fill_between([*times, start], [*live, live[-1]], step="post", color="#F0E442")
    axes.step([*times, start], [*reserved, reserved[-1]], where="post", color="#595959",
              linewidth=1)  # fmt: skip
    axes.set_ylim(0)
    axes.set_title("SRAM in use (filled) and reserved, KiB", loc="left", fontsize=9)
    axes.set_xticks([])


def _draw_dram(axes: Axes, explanation: ExplanationRecord) -> None:
    ends = list(accumulate(group.cycles for group in explanation.groups))
    live = [group.dram_live_bytes / _BYTES_PER_KIB for group in explanation.groups]
    axes.fill_between([0, *ends], [*live, live[-1]], step="post", color="#D55E00", alpha=0.7)
    axes.set_ylim(0)
    axes.set_title("feature maps live in DRAM, KiB", loc="left", fontsize=9)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel("cycles")
