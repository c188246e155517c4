"""Energy tables as data: the schema of ``configs/energy_tables/`` and how figures are read off.

A table publishes prices at a few widths or sizes. Between them it is interpolated; what happens
outside them is stated at each function, and where nothing sensible can be said it is an error.
"""

from collections.abc import Iterator
from math import exp, log
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from accelerators.curves import Curve, Positive
from accelerators.schema import LongText, ShortText
from quant.common.errors import UserError
from quant.common.schemas import Contradictions, Schema
from quant.common.yaml_documents import Location

Version = Annotated[int, Field(ge=1, le=1_000_000)]
SquareMicrometres = Annotated[float, Field(gt=0, le=1e9)]


class MacAnchor(Schema):
    """The one absolute energy that relative figures of multiply-accumulates are multiplied by."""

    source: LongText
    """Where it comes from."""
    energy_pj: Positive
    """A multiply-accumulate of 8 x 8 bits on a bit-parallel output-stationary datapath."""


class EnergyTable(Schema):
    """Prices of a technology's arithmetic, and which SRAM table goes with them."""

    name: ShortText
    """Name of the table; a shipped table's file has the same name."""
    version: Version = 1
    """Grows with every change of a figure."""
    family: ShortText | None = None
    """Tables of one family are the same source at several nodes."""
    description: LongText
    """What the table is, in a sentence."""
    technology_nm: Annotated[int, Field(ge=1, le=250)]
    """Node all its figures are for."""
    supply_v: Annotated[float, Field(gt=0, le=5)] | None = None
    """Supply voltage of its figures, where the source says."""
    adder_pj_by_bits: Curve
    """One addition, by operand width."""
    multiplier_pj_by_bit_product: Curve
    """One multiplication, by the product of its operand widths."""
    mac_pj_by_bit_product: Curve | None = None
    """One synthesized multiply-accumulate with its registers; without it, multiplier + adder."""
    register_pj_by_bits: Curve | None = None
    """Writing the operand and accumulator registers of a processing element once, by their bits."""
    mac_anchor: MacAnchor | None = None
    """With it, every multiply-accumulate is this times a figure of `datapath_factors`."""
    datapath_factors: ShortText | None = None
    """Name of a shipped table of relative energies by kind of datapath, or a YAML file's path."""
    clock: Literal["inside_mac", "separate"] = "inside_mac"
    """Whether clocked registers are part of a multiply-accumulate, or charged every cycle."""
    mac_leakage_uw_by_bit_product: Curve | None = None
    """Leakage power of one processing element, by the product of its native widths."""
    sram_table: ShortText
    """Name of a shipped SRAM table, or the path of a YAML file."""
    not_modelled: Annotated[tuple[LongText, ...], Field(strict=False)]
    """What this table's figures leave out."""

    @model_validator(mode="after")
    def _anchored(self) -> Self:
        problems = []
        if self.mac_anchor is not None and self.datapath_factors is None:
            problems.append(
                (("mac_anchor",), "needs factors to multiply; add 'datapath_factors: …'")
            )
        if self.mac_anchor is not None and self.mac_pj_by_bit_product is not None:
            problems.append(
                (("mac_anchor",), "stands beside mac_pj_by_bit_product; keep one of the two")
            )
        if self.clock == "separate" and self.mac_anchor is None:
            problems.append(
                (("clock",), "a separate clock needs a mac_anchor; add it or leave out 'clock'")
            )
        if problems:
            raise Contradictions(problems)
        return self


class Scaling(Schema):
    """How a table was brought from one node to another."""

    method: ShortText
    """Name of the equations."""
    from_nm: int
    """Node of the table."""
    to_nm: int
    """Node it was scaled to."""
    from_v: float
    """Supply voltage the table's figures are taken to be for."""
    to_v: float
    """Supply voltage it was scaled to."""
    factor: float
    """What switching energies of logic were multiplied by."""
    sram_factor: float
    """What energies of SRAM accesses are multiplied by; 1 where a table of the node is shipped."""


class ScaledEnergyTable(EnergyTable):
    """An energy table at another node; made by `accelerators.technology_scaling.scaled_table`."""

    scaling: Scaling
    """How."""


class SramRow(Schema):
    """One single-port SRAM macro."""

    size_kib: Positive
    """Capacity."""
    word_bits: Positive
    """Bits of one access."""
    read_pj: Positive
    """Energy of one read of a word."""
    write_pj: Positive
    """Energy of one write of a word."""
    leakage_mw: Positive
    """Leakage power."""
    area_um2: SquareMicrometres | None = None
    """Area of the macro; None where it is not known."""


class SramTable(Schema):
    """SRAM macros on a full grid of sizes and word widths."""

    name: ShortText
    """Name of the table; a shipped table's file has the same name."""
    version: Version = 1
    """Grows with every change of a figure."""
    family: ShortText | None = None
    """Tables of one family are the same source at several nodes."""
    description: LongText
    """What the table is, in a sentence."""
    source: LongText
    """Where the rows come from."""
    technology_nm: Annotated[int, Field(ge=1, le=250)]
    """Node all its figures are for."""
    rows: Annotated[tuple[SramRow, ...], Field(min_length=1, strict=False)]
    """The macros."""

    @property
    def sizes_kib(self) -> list[float]:
        """The sizes of the grid, ascending."""
        return sorted({row.size_kib for row in self.rows})

    @property
    def widths_bits(self) -> list[float]:
        """The word widths of the grid, ascending."""
        return sorted({row.word_bits for row in self.rows})

    def macro(self, size_kib: float, word_bits: float) -> SramRow:
        """A macro of any size and width within the grid.

        Interpolates logarithms (prices and areas of memories follow power laws), first over the
        size, then over the width. Below the smallest size it is the smallest macro: an upper bound.

        Raises:
            UserError: the word or the size is outside the grid.
        """
        sizes, widths = self.sizes_kib, self.widths_bits
        if size_kib > sizes[-1] or not widths[0] <= word_bits <= widths[-1]:
            raise UserError(
                f"SRAM table '{self.name}' covers banks of up to {sizes[-1]:g} KiB and words of "
                f"{widths[0]:g} to {widths[-1]:g} bits, got a bank of {size_kib:g} KiB with "
                f"{word_bits:g}-bit words; change sram.size_kib, sram.banks or sram.word_bits"
            )
        size = max(size_kib, sizes[0])
        by_width = {
            width: {row.size_kib: row for row in self.rows if row.word_bits == width}
            for width in _neighbours(widths, word_bits)
        }
        at_size = {width: _between(rows, size) for width, rows in by_width.items()}
        row = _between(at_size, word_bits)
        return row.model_copy(update={"size_kib": size_kib, "word_bits": word_bits})

    @model_validator(mode="after")
    def _full_grid(self) -> Self:
        problems = tuple(_grid_problems(self))
        if problems:
            raise Contradictions(problems)
        return self


_FIGURES = ("read_pj", "write_pj", "leakage_mw", "area_um2")


def _neighbours(grid: list[float], value: float) -> tuple[float, float]:
    """The two grid values around a value inside the grid (the same twice on a grid value)."""
    return max(g for g in grid if g <= value), min(g for g in grid if g >= value)


def _between(rows: dict[float, SramRow], key: float) -> SramRow:
    """The row at `key`, its figures interpolated in the logarithms of key and figure."""
    low, high = _neighbours(sorted(rows), key)
    if low == high:
        return rows[low]
    share = log(key / low) / log(high / low)
    ends = {
        figure: (getattr(rows[low], figure), getattr(rows[high], figure)) for figure in _FIGURES
    }
    figures = {
        figure: exp((1 - share) * log(below) + share * log(above))
        for figure, (below, above) in ends.items()
        if below is not None
    }
    return rows[low].model_copy(update=figures)


def _grid_problems(table: SramTable) -> Iterator[tuple[Location, str]]:
    """Rows that are there twice, and combinations of size and width that are not there."""
    seen: set[tuple[float, float]] = set()
    for position, row in enumerate(table.rows):
        if (row.size_kib, row.word_bits) in seen:
            yield ("rows", position), "this size and width has a row already; keep one"
        seen.add((row.size_kib, row.word_bits))
    if len({row.area_um2 is None for row in table.rows}) > 1:
        yield ("rows",), "expected area_um2 in every row or in none; add those that are not there"
    for size in table.sizes_kib:
        for width in table.widths_bits:
            if (size, width) not in seen:
                yield ("rows",), f"expected a row for {size:g} KiB and {width:g} bits; add it"
