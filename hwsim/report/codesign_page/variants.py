"""The variants as a table, the best first: what each recommends, and how much hardware it is."""

from collections.abc import Mapping

from hwsim.report.measures import MEASURES
from hwsim.report.page.blocks import Cell, Row, Table
from hwsim.report.search_page.quantities import decibels
from hwsim.search.codesign import Choice, CodesignResult, Outcome, Rejected

_NONE = Cell("–")
_COLUMNS = (
    "variant", "fidelity [dB]", *(measure.title for measure in MEASURES), "multipliers",
    "SRAM [KiB]", "DRAM [GB/s]", "logic [1000 GE]", "area [mm²]", "hypervolume",
)  # fmt: skip


def variants_table(found: CodesignResult, folders: Mapping[str, str]) -> Table:
    """A row for each variant, and for each machine that cannot be.

    Args:
        found: the result.
        folders: from a variant's label to the folder with its own files.
    """
    best = found.recommended()
    rows = [
        Row(
            (
                _name(outcome, best, folders),
                *_figures(outcome.recommended),
                *_sizes(outcome),
                _volume(found, outcome),
            ),
            marked=outcome.variant is best.variant,
        )
        for outcome in found.ranked()
    ]
    rows += [_rejected(each) for each in found.rejected]
    caption = "What each variant recommends, the best first; GE are gate equivalents"
    return Table(caption, _COLUMNS, tuple(rows))


def _name(outcome: Outcome, best: Choice, folders: Mapping[str, str]) -> Cell:
    below = outcome.reason
    if outcome.recommended is not None:
        recommended = "recommended: " if outcome.variant is best.variant else ""
        place = folders.get(outcome.variant.label)
        where = "" if place is None else f", {place}/"
        below = f"{recommended}{outcome.recommended.point.label}{where}"
    return Cell(outcome.variant.label, below=below)


def _figures(choice: Choice | None) -> list[Cell]:
    if choice is None:
        return [_NONE] * (1 + len(MEASURES))
    psnr_db = choice.measured.psnr_db
    fidelity = Cell(decibels(psnr_db), psnr_db if choice.measured.mse else None)
    costs = [Cell(measure.number(choice), measure.amount(choice)) for measure in MEASURES]
    return [fidelity, *costs]


def _sizes(outcome: Outcome) -> list[Cell]:
    size = outcome.variant.size
    return [
        Cell(f"{size.multipliers:,}", size.multipliers),
        Cell(f"{size.sram_kib:,}", size.sram_kib),
        Cell(f"{size.dram_gb_per_s:g}", size.dram_gb_per_s),
        _NONE
        if size.gate_equivalents is None
        else Cell(f"{size.gate_equivalents / 1000:,.0f}", size.gate_equivalents / 1000),
        _NONE if size.area_mm2 is None else Cell(f"{size.area_mm2:,.3f}", size.area_mm2),
    ]


def _volume(found: CodesignResult, outcome: Outcome) -> Cell:
    if outcome.found is None:
        return _NONE
    volume = found.ruler.of_choices(outcome.choices)
    return Cell(f"{volume:.2f}", volume)


def _rejected(rejected: Rejected) -> Row:
    cells = [_NONE] * (len(_COLUMNS) - 1)
    return Row((Cell(rejected.label, below=rejected.reason), *cells))
