"""Runs side by side as a page: its sections."""

from hwsim.report.page.page import Page, Section
from hwsim.report.run_differences import RunComparison
from hwsim.report.run_page.run_page import FOOTER
from hwsim.report.runs_page.layers import layers_blocks
from hwsim.report.runs_page.pictures import pictures_blocks
from hwsim.report.runs_page.settings import provenance_blocks, settings_blocks
from hwsim.report.runs_page.totals import totals_blocks
from hwsim.report.summary import headline


def runs_page(found: RunComparison) -> Page:
    """The page of several runs.

    Args:
        found: the runs; the first is what others are compared with.
    """
    names = [run.name for run in found.runs]
    return Page(
        " and ".join(names),
        f"Compared with {names[0]}: {headline(found.base)}",
        (
            Section("settings", "What differs", settings_blocks(found)),
            Section("totals", "Totals", totals_blocks(found)),
            Section("layers", "Layers", layers_blocks(found)),
            Section("pictures", "Pictures", pictures_blocks(found)),
            Section("provenance", "Where the figures come from", provenance_blocks(found)),
        ),
        FOOTER,
    )
