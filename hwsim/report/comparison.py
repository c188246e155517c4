"""What a comparison found, for people: the table, where energy goes, and the same as Markdown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hwsim.compare import Cell, CompareResult, Spread
from hwsim.report.console import WIDTH_WITHOUT_TERMINAL, stdout_console

_NOTHING = "–"
_BYTES_PER_MIB = 2**20
_TABLE_WIDTH = 240
"""Of the output without a terminal: figures with ranges need room."""

Column = Callable[[Cell], str]


def columns(found: CompareResult) -> dict[str, Column]:
    """The columns of the table, for people: a header and the text of a row's cell."""
    counts = any(cell.counted_feature_average_bits for cell in found.cells)
    counted: dict[str, Column] = {
        "counted, bits": lambda cell: _spread(cell.counted_feature_average_bits, 1, 2)
    }
    return {
        "method": lambda cell: cell.combination.method,
        "bits": lambda cell: cell.combination.policy,
        "machine": lambda cell: cell.accelerator,
        **{f"{name}, dB / SSIM": _quality(found, name) for name in found.data_sets},
        "features, bits": lambda cell: _spread(cell.feature_average_bits, 1, 2),
        **(counted if counts else {}),
        "weights, bits": lambda cell: _number(cell.weight_average_bits, 1, 2),
        "BitOPs, G": lambda cell: _spread(cell.spread("bit_operations"), 1e9, 1),
        "latency, ms": lambda cell: _spread(cell.latency_ms, 1, 2),
        "energy, mJ": lambda cell: _spread(cell.spread("energy_uj"), 1e3, 2),
        "DRAM, MiB": lambda cell: _spread(cell.spread("dram_bytes"), _BYTES_PER_MIB, 1),
        "SRAM, KiB": lambda cell: _number(cell.sram_peak_kib, 1, 0),
    }


def print_comparison(found: CompareResult, files: Sequence[Path]) -> None:
    """Print a table for each network, and what the figures are.

    Args:
        found: the result.
        files: what was written.
    """
    console = stdout_console(_TABLE_WIDTH)
    text_width = min(console.width, WIDTH_WITHOUT_TERMINAL)
    for network, cells in by_network(found):
        console.print(Text(title(found, network, cells), "bold"))
        console.print(_table(columns(found), cells))
        console.print(_table(_shares(cells), cells))
    for line in notes(found):
        console.print(Text(line), width=text_width)
    if files:
        names = ", ".join(file.name for file in files)
        console.print(Text(f"written to {files[0].parent}: {names}"))


def markdown(found: CompareResult) -> str:
    """The same tables as a Markdown page without a title."""
    parts = []
    for network, cells in by_network(found):
        parts += [f"## {title(found, network, cells)}"]
        parts += ["\n".join(_markdown_table(columns(found), cells))]
        parts += ["Where energy goes, in % of an image's mean:"]
        parts += ["\n".join(_markdown_table(_shares(cells), cells))]
    return "\n\n".join([*parts, *notes(found)]) + "\n"


def by_network(found: CompareResult) -> Iterator[tuple[str, list[Cell]]]:
    """The rows of each network, in order."""
    for network, cells in groupby(found.cells, key=lambda cell: cell.combination.network):
        yield network, list(cells)


def title(found: CompareResult, network: str, cells: Sequence[Cell]) -> str:
    """Network, its weights and the float network's quality."""
    parts = []
    for name in found.data_sets:
        floating = found.quality(cells[0], name, "float")
        bicubic = found.quality(cells[0], name, "bicubic")
        if floating is not None and bicubic is not None:
            parts.append(
                f"{name} {floating.psnr_db:.2f} dB in float, bicubic {bicubic.psnr_db:.2f}"
            )
    return f"{network} ({cells[0].weights} weights)" + "".join(f"; {part}" for part in parts)


def _quality(found: CompareResult, data_set: str) -> Column:
    def text(cell: Cell) -> str:
        integer = found.quality(cell, data_set, "integer")
        if integer is None:
            return _NOTHING
        fake = found.quality(cell, data_set, "fake_quantized")
        suffix = "" if fake is None else f", in reals {fake.psnr_db:.2f}"
        return f"{integer.psnr_db:.2f} / {integer.ssim:.4f}{suffix}"

    return text


def _shares(cells: Sequence[Cell]) -> Mapping[str, Column]:
    """Columns of the share of energy that each class takes."""
    names = dict.fromkeys(name for cell in cells if cell.costs for name in cell.costs.classes())

    def share(name: str) -> Column:
        def text(cell: Cell) -> str:
            classes = cell.costs.classes() if cell.costs else {}
            if name not in classes:
                return _NOTHING
            total = sum(part.energy_uj for part in classes.values())
            return f"{classes[name].energy_uj / total:.1%}"

        return text

    return {
        "method": lambda cell: cell.combination.method,
        "bits": lambda cell: cell.combination.policy,
        "machine": lambda cell: cell.accelerator,
        **{name: share(name) for name in names},
    }


def _table(shown: Mapping[str, Column], cells: Sequence[Cell]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for place, name in enumerate(shown):
        table.add_column(name, justify="left" if place < _NAMES else "right")
    for cell in cells:
        # Brackets in names of machines are no markup.
        table.add_row(*(Text(text(cell)) for text in shown.values()))
    return table


_NAMES = 3  # columns that name a row: method, bits, machine


def _markdown_table(shown: Mapping[str, Column], cells: Sequence[Cell]) -> Iterator[str]:
    yield "| " + " | ".join(shown) + " |"
    yield "|---" * len(shown) + "|"
    for cell in cells:
        yield "| " + " | ".join(text(cell) for text in shown.values()) + " |"


def notes(found: CompareResult) -> Iterator[str]:
    """What the figures are, and why rows are empty."""
    size, tables = found.size, dict.fromkeys(cell.energy_table for cell in found.cells)
    if found.data_sets:
        yield (
            "PSNR and SSIM are luma, of the integers that the machine computes, on whole pictures "
            "of the data sets."
        )
    yield (
        f"Costs are estimated for one input image of {size.height}×{size.width} pixels; "
        f"cycles and energy are modelled, not measured: energy table {', '.join(tables)}."
    )
    if any(cell.counted_feature_average_bits for cell in found.cells):
        yield "Counted bits are those of the features of the layers that a method's paper counts."
    if any((spread := cell.spread("energy_uj")) and spread.varies for cell in found.cells):
        yield (
            "Figures with a range depend on the image: the mean over the pictures of all data "
            "sets, each taken as an image of that size, and the 5th and 95th percentile."
        )
    checked = [cell.bit_exact for cell in found.cells if cell.bit_exact is not None]
    if checked:
        values = sum(each.values for each in checked)
        wrong = sum(each.mismatches for each in checked)
        yield (
            f"One picture of {len(checked)} rows was run on the simulated machine: {wrong:,} of "
            f"{values:,} integers differ from the kernels that PSNR was computed by."
        )
    compared = [cell.fidelity for cell in found.cells if cell.fidelity is not None]
    if compared:
        values = sum(each.values for each in compared)
        differing = sum(each.differing for each in compared)
        yield (
            f"Of the same picture, {differing:,} of {values:,} codes of all feature maps differ "
            "from those computed in real numbers."
        )
    for cell in found.cells:
        if cell.error is not None:
            yield f"{cell.combination} on {cell.accelerator}: {cell.error}"


def _number(figure: float | None, unit: float, digits: int) -> str:
    return _NOTHING if figure is None else f"{figure / unit:,.{digits}f}"


def _spread(spread: Spread | None, unit: float, digits: int) -> str:
    """The mean, with its range where there is one."""
    if spread is None:
        return _NOTHING
    if not spread.varies:
        return _number(spread.mean, unit, digits)
    low, high = (_number(end, unit, digits) for end in (spread.p5, spread.p95))
    return f"{_number(spread.mean, unit, digits)} ({low}–{high})"
