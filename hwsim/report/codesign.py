"""What a co-search found, for people."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hwsim.report.console import stdout_console
from hwsim.report.measures import MEASURES
from hwsim.report.search import proof, trust
from hwsim.report.search_page.quantities import decibels
from hwsim.search.codesign import CodesignResult, Outcome

_NONE = "–"


def print_codesign(found: CodesignResult, files: Sequence[Path]) -> None:
    """Print what each variant recommends, the best first, and the one to take.

    Args:
        found: the result.
        files: what was written; those of single variants lie in folders beside the last one.
    """
    console = stdout_console()
    best, size = found.recommended(), found.request.image_size
    console.print(
        Text(f"{len(found.outcomes)} variants, one image of {size.height}×{size.width}", "bold")
    )
    console.print(_variants(found))
    for label, reason in without_policy(found):
        console.print(Text(f"{label}: {reason}"))
    console.print(Text(f"» recommended: {best.variant.label}, {best.point.label}:"))
    console.print(Text(best.point.policy.to_yaml().rstrip()))
    console.print(Text(evidence(found)))
    if files:
        folder = files[-1].parent
        names = ", ".join(file.name for file in files if file.parent == folder)
        console.print(Text(f"written to {folder}: {names}, and a folder for each variant"))
    console.print(Text(" ".join((_WHAT_FIGURES_ARE, tables_note(found)))))


_WHAT_FIGURES_ARE = (
    "Fidelity is computed exactly on the search pictures; time and energy are modelled, not "
    "measured. SRAM is what is in use of what there is, mm² the modelled area of cells and macros."
)


def evidence(found: CodesignResult) -> str:
    """What speaks for the recommended choice: the proof of its tables, and how far those hold."""
    own = found.search_of(found.recommended())
    proven = [proof(own)] if own.request.limits else []
    return f"On this machine: {' '.join((*proven, trust(own)))}"


def without_policy(found: CodesignResult) -> list[tuple[str, str]]:
    """From the label of each variant that recommends nothing, or cannot be, why."""
    return [
        *((each.variant.label, each.reason) for each in found.outcomes if not each.recommended),
        *((each.label, each.reason) for each in found.rejected),
    ]


def tables_note(found: CodesignResult) -> str:
    """By which energy table machines are priced, and what it means if not all by the same."""
    names = list(
        dict.fromkeys(outcome.variant.target.energy.table.name for outcome in found.outcomes)
    )
    if len(names) == 1:
        return f"Energy table {names[0]}."
    return (
        f"Machines are priced by different energy tables ({', '.join(names)}), which disagree; "
        "--energy-table prices all by one."
    )


def _variants(found: CodesignResult) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    table.add_column("variant", min_width=28)
    for name in (
        "PSNR, dB", "µJ", "ms", "DRAM, MB", "SRAM, KiB", "multipliers", "mm²", "GB/s",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    best = found.recommended()
    for outcome in found.ranked():
        size = outcome.variant.size
        table.add_row(
            "»" if outcome.variant is best.variant else "",
            Text(outcome.variant.label),  # brackets are no markup
            *_figures(outcome),
            f"{size.multipliers:,}",
            _NONE if size.area_mm2 is None else f"{size.area_mm2:,.2f}",
            f"{size.dram_gb_per_s:g}",
        )
    return table


def _figures(outcome: Outcome) -> list[str]:
    """Fidelity, energy, time, traffic, and the SRAM that is used of what there is."""
    choice, sram_kib = outcome.recommended, outcome.variant.size.sram_kib
    if choice is None:
        return [_NONE] * len(MEASURES) + [f"{_NONE} of {sram_kib:,}"]
    *costs, used = (measure.number(choice) for measure in MEASURES)
    return [decibels(choice.measured.psnr_db), *costs, f"{used} of {sram_kib:,}"]
