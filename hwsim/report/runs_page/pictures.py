"""The pictures of runs over one another."""

from dataclasses import replace

from hwsim.report.page.blocks import Block, Text
from hwsim.report.page_pictures import pictures_block
from hwsim.report.pictures import Panel
from hwsim.report.provenance import IMAGE_PIXELS
from hwsim.report.run_differences import RunComparison


def pictures_blocks(found: RunComparison) -> tuple[Block, ...]:
    """What each machine made, and what the first run's pictures have besides."""
    pictured = [run for run in found.runs if run.recorded.panels]
    if len(pictured) < 2:
        return (Text("Fewer than two of these runs have pictures."),)
    if len({run.recorded.panels[0].pixels.shape for run in pictured}) > 1:
        return (Text("The pictures of these runs differ in size."),)
    made = [replace(run.recorded.panels[run.recorded.output], title=run.name) for run in pictured]
    first = pictured[0].recorded
    others = [panel for place, panel in enumerate(first.panels) if place != first.output]
    words = f"What each run made, and the other pictures of {pictured[0].name}. PSNR is luma."
    if not _of_one_image(found):
        words += " The runs are not of one image."
    panels: list[Panel] = [*made, *others]
    return (pictures_block("picture-viewer", words, panels, 0, 1),)


def _of_one_image(found: RunComparison) -> bool:
    """Whether all runs that say so are of one image."""
    records = (run.recorded.record for run in found.runs)
    images = {
        record.provenance.hashes.get(IMAGE_PIXELS) for record in records if record is not None
    }
    return len(images - {None}) <= 1
