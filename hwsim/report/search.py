"""What a search found, for people."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hwsim.report.console import stdout_console
from hwsim.search import Origin, Point, SearchResult

POINT_COLUMNS = (
    "",
    "policy",
    "PSNR to float, dB",
    "energy, µJ",
    "cycles",
    "DRAM, MB",
    "SRAM, KiB",
    "mean bits (w, a)",
)
"""Headings of `point_rows`."""

_WORDS = 2  # columns that are no figures: the mark and the policy
_PROVEN = 1e-6
"""A gap that may be left by the solver's rounding."""


def print_search(found: SearchResult, recommended: Point, files: Sequence[Path]) -> None:
    """Print the measured policies that no other beats, the uniform ones, and the one to take.

    Args:
        found: the result.
        recommended: the policy to take.
        files: what was written.
    """
    console = stdout_console()
    size = found.request.image_size
    console.print(
        Text(f"bit policies on {found.accelerator}, {size.height}×{size.width} pixels", "bold")
    )
    console.print(_points(found, recommended))
    if found.request.limits:
        console.print(Text(proof(found)))
    console.print(Text(trust(found)))
    console.print(Text(f"» recommended: {recommended.label}, as a policy file:"))
    console.print(Text(recommended.policy.to_yaml().rstrip()))
    if files:
        names = ", ".join(file.name for file in files)
        console.print(Text(f"written to {files[0].parent}: {names}"))
    console.print(
        Text(
            "Fidelity is computed exactly on the search pictures; cycles and energy are modelled, "
            f"not measured: energy table {found.energy_table}."
        )
    )


def proof(found: SearchResult) -> str:
    """What the tables prove about the limits."""
    optimum = found.optimum
    if optimum is None:
        return "By the tables no policy keeps to the limits."
    what = "error" if optimum.minimized is None else optimum.minimized.value
    kept = f"The optimum has the least {what} that the tables predict within the limits"
    if optimum.gap < _PROVEN:
        return f"{kept}: proven, with a gap of {optimum.gap:.1g}."
    return (
        f"{kept}, as policies would be scheduled; however they were, no policy has less than "
        f"{1 - optimum.gap:.1%} of it."
    )


def trust(found: SearchResult) -> str:
    """How predictions compare with measurements, and the machine's integers with the kernels'."""
    sentences = []
    agreement, resource = found.agreement, found.request.resource.value
    if agreement.worst_db is not None and agreement.worst_cost is not None:
        sentences.append(
            f"Predictions for {agreement.points} measured policies are at most "
            f"{abs(agreement.worst_db):.2f} dB and {abs(agreement.worst_cost):.2%} {resource} off"
        )
    if agreement.mse is not None and agreement.cost is not None:
        sentences.append(
            f"rank correlations are {agreement.mse:.4f} (error) and {agreement.cost:.4f} "
            f"({resource})"
        )
    text = "; ".join(sentences) + "." if sentences else ""
    checks = [point.on_machine for point in found.points if point.on_machine is not None]
    if checks:
        values = sum(check.values for check in checks)
        text += (
            f" Run on the machine, {len(checks)} of them gave {values:,} integers, "
            f"{found.mismatches:,} of which differ from the graph's."
        )
    return text.strip()


def point_rows(found: SearchResult, recommended: Point) -> list[list[str]]:
    """The best policies and the uniform ones, the cheapest first; » marks the one to take."""
    shown = {
        id(point): point for point in (recommended, *found.best(), *found.of_origin(Origin.UNIFORM))
    }
    resource = found.request.resource
    ordered = sorted(shown.values(), key=lambda point: point.measured.cost(resource))
    return [_row(point, is_recommended=point is recommended) for point in ordered]


def _row(point: Point, *, is_recommended: bool) -> list[str]:
    widths = list(point.bits.values())
    weight_bits = sum(bits.weight_bits for bits in widths) / len(widths)
    activation_bits = sum(bits.activation_bits for bits in widths) / len(widths)
    return [
        "»" if is_recommended else "",
        point.label,
        f"{point.measured.psnr_db:.2f}",
        f"{point.measured.energy_uj:,.1f}",
        f"{point.measured.cycles:,}",
        f"{point.measured.dram_bytes / 1e6:,.2f}",
        f"{point.measured.sram_bytes / 1024:,.0f}",
        f"{weight_bits:.1f}, {activation_bits:.1f}",
    ]


def _points(found: SearchResult, recommended: Point) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for place, name in enumerate(POINT_COLUMNS):
        table.add_column(name, justify="left" if place < _WORDS else "right")
    for row in point_rows(found, recommended):
        table.add_row(*row)
    return table
