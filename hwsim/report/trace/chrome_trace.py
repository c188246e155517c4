"""The trace as JSON in the Trace Event Format, which Perfetto and Chromium open.

The format: "Trace Event Format", Google, 2016. Time is in microseconds there; cycles stand in the
arguments of every slice. Events are written one by one, so that no trace is ever whole in memory.
"""

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from accelerators import Accelerator
from accelerators.datapaths.kinds import datapath_of
from hwsim import __version__
from hwsim.cost import ProgramCost
from hwsim.cost.command_costs import DMA, MAC_ARRAY, VECTOR_UNIT
from hwsim.report.labels import unit_label
from hwsim.report.trace.cascades import TracedCascade
from hwsim.report.trace.counters import Counters
from hwsim.report.trace.nanoseconds import WholeNanoseconds, microseconds
from hwsim.report.trace.slices import Slice

Json = dict[str, Any]
Progress = Callable[[int, int], None]

CASCADES = "cascades"
TRACKS = {
    CASCADES: "cascades",
    **{unit: unit_label(unit) for unit in (DMA, MAC_ARRAY, VECTOR_UNIT)},
}
"""Names of the tracks, from top to bottom: the cascades, and every unit."""

_PROCESS = 1
_THREADS = {track: number for number, track in enumerate(TRACKS, 1)}
_SLICES_BETWEEN_PROGRESS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSubject:
    """What a trace is of.

    Attributes:
        title: what ran on what.
        clock_mhz: of the machine.
        launch_overhead_us: before the first command, which is at time 0.
        peak_macs_per_cycle: of the array at its native widths.
        cycles: of the account.
        mac_array_busy_cycles: of the account, in which the array is held.
    """

    title: str
    clock_mhz: float
    launch_overhead_us: float
    peak_macs_per_cycle: float
    cycles: int
    mac_array_busy_cycles: int


def trace_subject(title: str, cost: ProgramCost, accelerator: Accelerator) -> TraceSubject:
    """The subject of a trace, from what was priced."""
    array = accelerator.array
    peak = datapath_of(array).peak_macs_per_cycle(array.weight_bits, array.activation_bits)
    return TraceSubject(
        title=title,
        clock_mhz=cost.clock_mhz,
        launch_overhead_us=cost.launch_overhead_us,
        peak_macs_per_cycle=float(peak),
        cycles=cost.cycles,
        mac_array_busy_cycles=sum(group.busy_cycles[MAC_ARRAY] for group in cost.groups),
    )


def write_trace(
    path: Path,
    cascades: Iterable[TracedCascade],
    subject: TraceSubject,
    progress: Progress | None = None,
) -> None:
    """Write a trace: a track for the cascades and for every unit, and counters.

    Args:
        path: the file; compressed if its name ends in ``.gz``.
        cascades: what ran, in order.
        subject: what it is of.
        progress: called with cycles done and cycles in all.

    Raises:
        ValueError: the cascades do not take the cycles of the account.
    """
    with _opened(path) as file:
        head = {"program": f"hwsim {__version__}", **asdict(subject)}
        file.write(f'{{"displayTimeUnit":"ns","otherData":{_text(head)},"traceEvents":[')
        separator = "\n"
        for event in _events(cascades, subject, progress):
            file.write(f"{separator}{_text(event)}")
            separator = ",\n"
        file.write("\n]}\n")


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """A text file, compressed or not; the same content gives the same bytes."""
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8") as file:
            yield file
        return
    with path.open("wb") as raw:
        compressed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0)
        with compressed, io.TextIOWrapper(compressed, encoding="utf-8") as file:
            yield file


def _events(
    cascades: Iterable[TracedCascade], subject: TraceSubject, progress: Progress | None
) -> Iterator[Json]:
    yield from _metadata(subject)
    times = {track: WholeNanoseconds(subject.clock_mhz) for track in TRACKS}
    counters = Counters(subject.cycles, subject.clock_mhz, subject.peak_macs_per_cycle)
    start = 0
    for cascade in cascades:
        whole = Slice(CASCADES, cascade.name, CASCADES, 0, cascade.cycles, 0, 0, 0, {})
        for place, each in enumerate((whole, *cascade.slices)):
            yield _event(each, cascade, start, times[each.unit])
            if progress is not None and place % _SLICES_BETWEEN_PROGRESS == 0:
                progress(start + each.start, subject.cycles)
        counters.add(cascade)
        start += cascade.cycles
    if start != subject.cycles:
        raise ValueError(f"the trace has {start} cycles, the account {subject.cycles}")
    for cycle, name, values in counters.moments():
        moment = microseconds(times[CASCADES].moment(cycle))
        yield {"ph": "C", "pid": _PROCESS, "ts": moment, "name": name, "args": values}


def _metadata(subject: TraceSubject) -> Iterator[Json]:
    """Names of the machine and its tracks, and the order of the tracks."""
    yield {"ph": "M", "pid": _PROCESS, "name": "process_name", "args": {"name": subject.title}}
    for track, thread in _THREADS.items():
        common = {"ph": "M", "pid": _PROCESS, "tid": thread}
        yield {**common, "name": "thread_name", "args": {"name": TRACKS[track]}}
        yield {**common, "name": "thread_sort_index", "args": {"sort_index": thread}}


def _event(slice_: Slice, cascade: TracedCascade, start: int, time: WholeNanoseconds) -> Json:
    begin, length = time.place(start + slice_.start, slice_.cycles)
    amounts = {
        "bytes": slice_.read_bytes + slice_.written_bytes,
        "macs": slice_.macs,
        "patch": None if cascade.patch is None else cascade.patch + 1,
    }
    return {
        "ph": "X",
        "pid": _PROCESS,
        "tid": _THREADS[slice_.unit],
        "ts": microseconds(begin),
        "dur": microseconds(length),
        "cat": slice_.category,
        "name": slice_.name,
        "args": {
            "start_cycle": start + slice_.start,
            "cycles": slice_.cycles,
            **{name: amount for name, amount in amounts.items() if amount},
            **slice_.details,
        },
    }


def _text(event: Json) -> str:
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
