"""What bounds each layer, for people: where cycles go, and roofline and memory of each cascade."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from hwsim.cost.explanation import CAUSES
from hwsim.report.console import stdout_console
from hwsim.report.explanation_record import ExplainedGroup, ExplanationRecord

LABELS: Mapping[str, str] = {
    "compute": "compute",
    "narrow_operands": "narrow",
    "wide_operands": "wide",
    "channel_padding": "channels",
    "pixel_padding": "pixels",
    "reduction_padding": "products",
    "sram": "SRAM",
    "channel_scaler": "scaler",
    "fill_drain": "fill",
    "vector_unit": "vector",
    "dram": "DRAM",
    "first_and_last_transfers": "ends",
    "dependencies": "held up",
    "dram_latency": "latency",
    "mode_switch": "switch",
}
"""Causes as columns are called."""

_BYTES_PER_KIB = 1024
_NOTHING = "–"


def print_explanation(explanation: ExplanationRecord) -> None:
    """Print two tables, and what their columns mean."""
    console = stdout_console()
    shown = [cause for cause in CAUSES if explanation.cycles_by_cause[cause] > 0]
    console.print()
    console.print(Text("where cycles go, in %", style="bold"))
    console.print(_cycles(explanation, shown))
    for cause in shown:
        console.print(Text(f"  {LABELS[cause]:<9} {CAUSES[cause]}"))
    console.print()
    console.print(Text(_roof_title(explanation), style="bold"))
    console.print(_roofs(explanation))


def _cycles(explanation: ExplanationRecord, shown: list[str]) -> Table:
    table = _table("  layer", ("cycles", "bound", *(LABELS[cause] for cause in shown)))
    for group in explanation.groups:
        for layer in group.layers:
            table.add_row(
                f"  {layer.name}",
                f"{layer.cycles:,}",
                LABELS[layer.bound],
                *_shares(layer.cycles_by_cause, shown),
            )
    cycles = sum(group.cycles for group in explanation.groups)
    shares = _shares(explanation.cycles_by_cause, shown)
    table.add_row("  total", f"{cycles:,}", LABELS[explanation.bound], *shares, style="bold")
    return table


def _shares(cycles_by_cause: Mapping[str, float], shown: list[str]) -> list[str]:
    cycles = sum(cycles_by_cause.values())
    shares = [cycles_by_cause[cause] / cycles if cycles else 0.0 for cause in shown]
    return [f"{share:.1%}".rstrip("%") if share else _NOTHING for share in shares]


def _roof_title(explanation: ExplanationRecord) -> str:
    return (
        "roofline, in MACs a cycle, and memory, in KiB, of each cascade:\n"
        f"peak {explanation.peak_macs_per_cycle:,.10g} MACs and "
        f"{explanation.dram_bytes_per_cycle:,.4g} bytes of DRAM a cycle, "
        f"SRAM of {explanation.sram_bytes / _BYTES_PER_KIB:,.0f} KiB, "
        f"{explanation.constant_bytes / _BYTES_PER_KIB:,.0f} KiB of constants in DRAM"
    )


def _roofs(explanation: ExplanationRecord) -> Table:
    table = _table(
        "  layers",
        ("MAC/byte", "ridge", "roof", "achieved", "bound",
         "SRAM reserved", "in use", "DRAM live"),
    )  # fmt: skip
    for group in explanation.groups:
        table.add_row(
            "  " + group.name.replace(" … ", " …\n  "),
            *_roof(group),
            f"{group.sram_reserved_bytes / _BYTES_PER_KIB:,.1f}",
            f"{group.sram_live_bytes / _BYTES_PER_KIB:,.1f}",
            f"{group.dram_live_bytes / _BYTES_PER_KIB:,.0f}",
        )
    return table


def _roof(group: ExplainedGroup) -> tuple[str, ...]:
    roofline = group.roofline
    if roofline is None:
        return (_NOTHING,) * 5
    intensity = roofline.macs_per_byte
    return (
        _NOTHING if intensity is None else f"{intensity:,.1f}",
        f"{roofline.ridge_macs_per_byte:,.1f}",
        f"{roofline.attainable_macs_per_cycle:,.1f}",
        f"{roofline.achieved_macs_per_cycle:,.1f}",
        LABELS[roofline.bound],
    )


def _table(first: str, others: tuple[str, ...]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
