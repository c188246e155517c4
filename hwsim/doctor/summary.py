"""What `hwsim doctor` found, for people."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hwsim.doctor.caches import Cache
from hwsim.doctor.examination import Examination
from hwsim.doctor.packages import Extra
from hwsim.doctor.processor import InstructionSet
from hwsim.doctor.programs import Program
from hwsim.report.console import stdout_console

_BYTES_PER_GIB = 2**30
_BYTES_PER_MIB = 2**20
_YES, _NO = "yes", "–"
_COLUMNS = 3

Row = tuple[str, str, str]


def print_examination(found: Examination) -> None:
    """Print what was found: the machine, what is installed, what to do where something is not."""
    console = stdout_console()
    console.print(Text(f"hwsim {found.version} in {found.folder}", "bold"))
    console.print(Text(f"Python {found.python} on {found.system}"))
    _print_table(console, "processor", _processor(found))
    _print_table(console, "kernels use", map(_instruction_set, found.processor.instruction_sets))
    _print_table(console, "extras", map(_extra, found.extras))
    _print_table(console, "programs", map(_program, found.programs))
    _print_table(console, "kept on disk", map(_cache, (*found.kernels.caches, *found.caches)))
    problems = found.problems()
    console.print()
    for problem in problems:
        console.print(Text(f"problem: {problem}", "bold red"))
    if not problems:
        console.print(Text("Everything that hwsim cannot do without works here."))


def _print_table(console: Console, title: str, rows: Iterable[Row]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for _ in range(_COLUMNS):
        table.add_column(overflow="fold")  # paths and commands are of no use cut short
    for row in rows:
        table.add_row(*(Text(cell) for cell in ("  " + row[0], *row[1:])))
    if table.row_count:
        console.print()
        console.print(Text(title, "bold"))
        console.print(table)


def _processor(found: Examination) -> Iterator[Row]:
    processor, memory = found.processor, found.memory
    yield "architecture", f"{processor.architecture}, {processor.model or 'model unknown'}", ""
    threads = processor.kernel_threads
    yield (
        "processors",
        f"{processor.usable_processors} usable, {threads or 'no'} threads a kernel",
        "NUMBA_NUM_THREADS sets the threads",
    )
    yield "memory", _memory(memory.total_bytes, memory.available_bytes, memory.limit_bytes), ""
    torch = found.torch
    yield "torch", torch.version or "cannot be imported", f"trains on {', '.join(torch.devices)}"


def _memory(total: int | None, available: int | None, limit: int | None) -> str:
    if total is None:
        return "unknown"
    words = f"{total / _BYTES_PER_GIB:.1f} GiB"
    if available is not None:
        words += f", {available / _BYTES_PER_GIB:.1f} GiB available"
    return words if limit is None else f"{words}, limited to {limit / _BYTES_PER_GIB:.1f} GiB"


def _instruction_set(row: InstructionSet) -> Row:
    return row.name, _YES if row.usable else _NO, row.reason or ""


def _extra(extra: Extra) -> Row:
    if extra.complete:
        return extra.name, _YES, ""
    missing = [package.name for package in extra.packages if not package.fits]
    return extra.name, _NO, f"{extra.install}  (missing: {', '.join(missing)})"


def _program(program: Program) -> Row:
    if program.path is None:
        return program.name, _NO, f"{program.install}  ({program.purpose})"
    return program.name, program.version or _YES, program.path


def _cache(cache: Cache) -> Row:
    size = f"{cache.files:,} files, {cache.size_bytes / _BYTES_PER_MIB:,.1f} MiB"
    return cache.content, size, cache.path
