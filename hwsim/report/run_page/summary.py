"""The figures to be seen first, and all others in words."""

from hwsim.report.labels import component_label
from hwsim.report.page.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Facts,
    Folded,
    Row,
    Table,
    Text,
)
from hwsim.report.result import Result
from hwsim.report.summary import figure_lines

_BYTES_PER_MEGABYTE = 1_000_000
_MICROJOULES_PER_MILLIJOULE = 1000


def summary_blocks(result: Result) -> tuple[Block, ...]:
    """Cards, the figures in words, and what they are."""
    model = result.model
    said = (
        "Pixels are computed exactly; cycles and energy are modelled, not measured: energy table "
        f"{result.energy_table}, {model.technology_nm} nm: {model.description}"
    )
    notes = [f"{note[0].upper()}{note[1:]}." for note in model.notes if note]
    return (
        Cards(tuple(_cards(result))),
        Facts(dict(figure_lines(result))),
        *(Text(words) for words in (said, *notes)),
        *_area(result),
    )


def _cards(result: Result) -> list[Card]:
    dram_bytes = result.dram_read_bytes + result.dram_write_bytes
    return [
        Card(
            "energy per image",
            f"{result.energy_uj / _MICROJOULES_PER_MILLIJOULE:,.3f} mJ",
            f"table {result.energy_table}",
        ),
        Card(
            "latency",
            f"{result.latency_ms:,.3f} ms",
            f"{result.frames_per_second:,.1f} images per second",
        ),
        *_quality(result),
        Card(
            "array utilization", f"{result.mac_utilization:.1%}", f"{result.macs / 1e9:,.3f} G MACs"
        ),
        Card(
            "DRAM traffic",
            f"{dram_bytes / _BYTES_PER_MEGABYTE:,.2f} MB",
            f"{result.dram_read_bytes / _BYTES_PER_MEGABYTE:,.2f} read, "
            f"{result.dram_write_bytes / _BYTES_PER_MEGABYTE:,.2f} written",
        ),
        Card("peak SRAM", f"{result.sram_peak_kib:,.1f} KiB"),
        *_area_card(result),
        Card(
            "mean bits",
            f"{result.weight_average_bits:.1f} / {result.feature_average_bits:.1f}",
            "weights / features",
        ),
    ]


def _quality(result: Result) -> list[Card]:
    cards = []
    if result.psnr_db is not None:
        others = {"float": result.psnr_float_db, "bicubic": result.psnr_bicubic_db}
        note = ", ".join(f"{name} {db:.2f}" for name, db in others.items() if db is not None)
        cards.append(Card("PSNR", f"{result.psnr_db:.2f} dB", note))
    if result.bit_exact is not None:
        found = result.bit_exact
        cards.append(
            Card(
                "bit-exact",
                "no" if found.mismatches else "yes",
                f"{found.mismatches:,} of {found.values:,} integers differ",
            )
        )
    return cards


def _area_card(result: Result) -> list[Card]:
    if result.area_mm2 is None:
        return []
    gates = result.gate_equivalents
    note = "" if gates is None else f"{gates / 1000:,.0f} thousand gate equivalents"
    return [Card("area", f"{result.area_mm2:,.3f} mm²", note)]


def _area(result: Result) -> tuple[Block, ...]:
    """The machine's area by component, and what it rests on, folded away."""
    if result.area_mm2 is None:
        return ()
    rows = tuple(
        Row(
            (
                Cell(component_label(component)),
                Cell("–") if mm2 is None else Cell(f"{mm2:,.4f}", mm2),
            )
        )
        for component, mm2 in result.area_by_component_mm2.items()
    )
    model = result.model
    return (
        Table(
            "Area of the machine by component, modelled", ("component", "area [mm²]"), rows, True
        ),
        Folded("What the area rests on", model.area_notes),
        Folded(
            f"What the area leaves out ({len(model.area_not_modelled)})", model.area_not_modelled
        ),
    )
