"""What a search found, for people."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hwsim.report.console import stdout_console
from hwsim.search import Origin, Point, SearchResult


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
    return f"{kept}: proven, with a gap of {optimum.gap:.1g}."


def _points(found: SearchResult, recommended: Point) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    table.add_column("policy")
    for name in (
        "PSNR to float, dB",
        "energy, µJ",
        "cycles",
        "DRAM, MB",
        "SRAM, KiB",
        "mean bits (w, a)",
    ):
        table.add_column(name, justify="right")
    shown = {
        id(point): point for point in (recommended, *found.best(), *found.of_origin(Origin.UNIFORM))
    }
    resource = found.request.resource
    for point in sorted(shown.values(), key=lambda point: point.measured.cost(resource)):
        widths = list(point.bits.values())
        weight_bits = sum(bits.weight_bits for bits in widths) / len(widths)
        activation_bits = sum(bits.activation_bits for bits in widths) / len(widths)
        table.add_row(
            "»" if point is recommended else "",
            point.label,
            f"{point.measured.psnr_db:.2f}",
            f"{point.measured.energy_uj:,.1f}",
            f"{point.measured.cycles:,}",
            f"{point.measured.dram_bytes / 1e6:,.2f}",
            f"{point.measured.sram_bytes / 1024:,.0f}",
            f"{weight_bits:.1f}, {activation_bits:.1f}",
        )
    return table
