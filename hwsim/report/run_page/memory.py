"""What of the memories is in use as time passes, as chart and table."""

from itertools import accumulate

from hwsim.report.colours import CAUSES
from hwsim.report.explanation_record import ExplainedGroup, ExplanationRecord
from hwsim.report.page.blocks import Alternative, Block, Cell, Figure, Json, Row, Table
from hwsim.report.result import BYTES_PER_KIB

_HEIGHT_PX = 460


def memory_blocks(explanation: ExplanationRecord) -> tuple[Block, ...]:
    """SRAM and DRAM over the cycles of the image, and each cascade's figures folded away."""
    groups = [group for group in explanation.groups if group.sram_live_samples_bytes]
    words = (
        "SRAM that holds data still to be read, and what the buffers of each cascade reserve; "
        "below, feature maps in DRAM that are still needed. "
        f"{_kib(explanation.constant_bytes):,.1f} KiB of constants lie in DRAM all the time. "
        "Modelled."
    )
    figure = Figure(
        "memory-chart",
        words,
        _HEIGHT_PX,
        (Alternative("memory", _traces(groups), _layout(explanation)),),
    )
    return figure, _table(explanation)


def _traces(groups: list[ExplainedGroup]) -> tuple[Json, ...]:
    ends = list(accumulate(group.cycles for group in groups))
    starts = [end - group.cycles for end, group in zip(ends, groups, strict=True)]
    samples = [
        (start + group.cycles * place / len(group.sram_live_samples_bytes), size)
        for start, group in zip(starts, groups, strict=True)
        for place, size in enumerate(group.sram_live_samples_bytes)
    ]
    last = [(end, 0) for end in ends[-1:]]
    in_use = [*samples, *last]
    reserved = [(start, g.sram_reserved_bytes) for start, g in zip(starts, groups, strict=True)]
    dram = [(start, g.dram_live_bytes) for start, g in zip(starts, groups, strict=True)]
    return (
        _steps("SRAM in use", in_use, CAUSES["sram"], filled=True),
        _steps("SRAM reserved", [*reserved, *last], "var(--ink)"),
        {
            **_steps("feature maps in DRAM", [*dram, *last], CAUSES["dram"], filled=True),
            "yaxis": "y2",
        },
    )


def _steps(
    name: str, points: list[tuple[float, int]], colour: str, *, filled: bool = False
) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [cycle for cycle, _ in points],
        "y": [_kib(size) for _, size in points],
        "line": {"color": colour, "width": 1.5, "shape": "hv"},
        "fill": "tozeroy" if filled else "none",
        "hovertemplate": f"{name}: %{{y:,.1f}} KiB from cycle %{{x:,.0f}} on<extra></extra>",
    }


def _layout(explanation: ExplanationRecord) -> Json:
    size_kib = _kib(explanation.sram_bytes)
    return {
        "xaxis": {"title": {"text": "cycles"}, "anchor": "y2"},
        "yaxis": {"title": {"text": "SRAM [KiB]"}, "domain": [0.42, 1], "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "DRAM [KiB]"}, "domain": [0, 0.34], "rangemode": "tozero"},
        "shapes": [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": size_kib, "y1": size_kib}
        ],
        "annotations": [
            {"text": f"size of the SRAM: {size_kib:,.10g} KiB", "xref": "paper", "x": 1,
             "xanchor": "right", "y": size_kib, "yanchor": "bottom", "showarrow": False}
        ],
        "legend": {"orientation": "h", "x": 0, "y": 1.04, "yanchor": "bottom"},
        "hovermode": "closest",
        "margin": {"t": 60, "r": 20, "b": 45, "l": 60},
    }  # fmt: skip


def _table(explanation: ExplanationRecord) -> Table:
    rows = []
    start = 0
    for group in explanation.groups:
        sizes = (group.sram_reserved_bytes, group.sram_live_bytes, group.dram_live_bytes)
        rows.append(
            Row(
                (
                    Cell(group.name),
                    Cell(f"{start:,}", start),
                    Cell(f"{group.cycles:,}", group.cycles),
                    *(Cell(f"{_kib(size):,.1f}", _kib(size)) for size in sizes),
                )
            )
        )
        start += group.cycles
    columns = ("cascade", "from cycle", "cycles", "SRAM reserved [KiB]", "SRAM in use, most [KiB]",
               "maps in DRAM [KiB]")  # fmt: skip
    return Table("Memory of each cascade", columns, tuple(rows), folded=True)


def _kib(size_bytes: int) -> float:
    return size_bytes / BYTES_PER_KIB
