"""A run or an estimate as a page: its sections."""

from hwsim.report.page.blocks import Block, Text
from hwsim.report.page.page import Page, Section
from hwsim.report.page_pictures import pictures_block
from hwsim.report.provenance import provenance_blocks
from hwsim.report.recorded_run import RecordedRun
from hwsim.report.run_page.bits import bits_blocks
from hwsim.report.run_page.cycles import cycles_blocks
from hwsim.report.run_page.energy import energy_blocks
from hwsim.report.run_page.memory import memory_blocks
from hwsim.report.run_page.roofline import roofline_blocks
from hwsim.report.run_page.summary import summary_blocks
from hwsim.report.summary import headline

FOOTER = (
    "Pixels are computed exactly; cycles, energy and memory are modelled, not measured on silicon."
)


def run_page(run: RecordedRun) -> Page:
    """The page of a run or an estimate: the same run, the same page.

    Args:
        run: what is reported; sections that it has nothing for are left out.
    """
    result, explanation = run.result, run.explanation
    what = "An estimate for one image" if result.output is None else "One image"
    sections = (
        Section("summary", "Summary", summary_blocks(result)),
        Section("pictures", "Pictures", _pictures(run)),
        Section("energy", "Energy of each layer", energy_blocks(result)),
        Section("cycles", "Cycles of each layer", cycles_blocks(result, explanation)),
        Section(
            "roofline",
            "Roofline",
            () if explanation is None else roofline_blocks(result, explanation),
        ),
        Section(
            "memory", "Memory over time", () if explanation is None else memory_blocks(explanation)
        ),
        Section("bits", "Bits of each layer", bits_blocks(result)),
        Section("provenance", "Where the figures come from", _provenance(run)),
    )
    return Page(
        headline(result),
        f"{what}, energy table {result.energy_table}, schedule for {result.objective}",
        tuple(section for section in sections if section.blocks),
        FOOTER,
    )


def _pictures(run: RecordedRun) -> tuple[Block, ...]:
    """Bicubic against what the machine made first."""
    if run.panels:
        words = "What the machine makes of the image, beside what others do. PSNR is luma."
        return (pictures_block("picture-viewer", words, run.panels, 0, run.output),)
    if run.result.output is None:
        return ()
    return (Text("The pictures of this run were not kept with its result."),)


def _provenance(run: RecordedRun) -> tuple[Block, ...]:
    if run.record is not None:
        return provenance_blocks(run.record.provenance)
    return (
        Text("What the figures rest on was not kept with this result: report.json is missing."),
    )
