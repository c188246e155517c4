"""How much of the memories holds data that is still needed, as time passes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hwsim.cost.clock import Event
from hwsim.schedule.commands import LoadRows, StoreRows
from hwsim.schedule.program import Program
from hwsim.schedule.storage import Piece, Rows, ceil_divide

SAMPLES = 24
"""Into how many parts of equal length a cascade's time is divided."""


@dataclass(frozen=True, slots=True)
class LiveSram:
    """SRAM of a cascade that holds rows and constants still to be read.

    Attributes:
        peak_bytes: the most at one time.
        samples_bytes: the most in each of `SAMPLES` equal parts of the cascade's time.
    """

    peak_bytes: int
    samples_bytes: tuple[int, ...]


def live_sram(events: Iterable[Event], end: int) -> LiveSram:
    """The SRAM in use while a cascade runs.

    A row or a block is live from the start of the command that writes it to the end of the last
    one that reads it before it is written anew. Rows count with the bytes of their pixels,
    without the rest of their last word.

    Args:
        events: of the cascade, in issue order, from cycle 0 on.
        end: cycle in which it ends.
    """
    changes = live_changes(events)
    moments = sorted(changes)
    samples = [0] * SAMPLES
    live = 0
    for start, until in pairwise(moments):
        live += changes[start]
        first, behind = start * SAMPLES // end, ceil_divide(until * SAMPLES, end)
        for sample in range(first, min(behind, SAMPLES)):
            samples[sample] = max(samples[sample], live)
    return LiveSram(max(samples), tuple(samples))


@dataclass(slots=True)
class _Content:
    """What lies at an SRAM address: since when, until when it is needed, how much it is."""

    start: int
    until: int
    size_bytes: int
    is_read: bool = False


def live_changes(events: Iterable[Event]) -> Counter[int]:
    """By how many bytes the live SRAM of `live_sram` changes, by cycle."""
    contents: dict[int, _Content] = {}
    changes: Counter[int] = Counter()

    def close(content: _Content) -> None:
        changes[content.start] += content.size_bytes
        changes[content.until] -= content.size_bytes

    for event in events:
        for piece in event.command.reads:
            for address in piece.addresses():
                content = contents[address]
                content.until = max(content.until, event.end)
                content.is_read = True
        for piece in event.command.writes:
            size_bytes = _size_bytes(piece)
            for address in piece.addresses():
                known = contents.get(address)
                if known is not None and (not known.is_read or known.until > event.start):
                    # Written by several commands, or by one that reads it: still the same.
                    known.until = max(known.until, event.end)
                    known.size_bytes = max(known.size_bytes, size_bytes)
                    continue
                if known is not None:
                    close(known)
                contents[address] = _Content(event.start, event.end, size_bytes)
    for content in contents.values():
        close(content)
    return changes


def _size_bytes(piece: Piece) -> int:
    """Bytes of a row, or of a block."""
    if isinstance(piece, Rows):
        return piece.columns * piece.buffer.pixel_bytes
    return piece.size_bytes


def live_dram(program: Program) -> Sequence[int]:
    """Bytes of DRAM, by cascade, of feature maps that exist then and are still needed.

    A feature map is needed from the cascade that stores it, the image from the first, to the last
    one that loads it; the picture to the end. Constants lie there all the time and are not
    counted.
    """
    cascades = [group.cascade for group in program.groups]
    last = cascades[-1]
    first_use = {program.input.name: 0}
    last_use = {program.input.name: 0, program.output.name: last}
    sizes = {program.input.name: program.input.size_bytes}
    for command in program.commands:
        if isinstance(command, StoreRows | LoadRows):
            name = command.tensor.name
            sizes[name] = command.tensor.size_bytes
            cascade = cascades[command.group]
            first_use.setdefault(name, cascade)
            last_use[name] = max(last_use.get(name, 0), cascade)
    return [_sum_live(sizes, first_use, last_use, cascade) for cascade in range(last + 1)]


def _sum_live(
    sizes: Mapping[str, int], first: Mapping[str, int], last: Mapping[str, int], cascade: int
) -> int:
    return sum(size for name, size in sizes.items() if first[name] <= cascade <= last[name])


def constant_bytes(program: Program) -> int:
    """Bytes of weights and other constants in DRAM."""
    return int(program.constants.size)
