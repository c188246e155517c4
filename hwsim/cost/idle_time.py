"""Why the MAC array stands idle in a cascade: every idle cycle has exactly one cause.

While one unit works, it is what the array waits for. While DMA channel and vector unit both work,
it is the one that the cascade keeps busy longer. While nothing works, a load has passed the DRAM's
bus and is still on its way, or the array is changing its widths before a convolution: the clock
starts every command as soon as it can.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hwsim.cost.clock import Event
from hwsim.cost.command_costs import DMA, MAC_ARRAY, VECTOR_UNIT

VECTOR_WORK = "vector_unit"
DRAM = "dram"
FIRST_AND_LAST_TRANSFERS = "first_and_last_transfers"
DEPENDENCIES = "dependencies"
DRAM_LATENCY = "dram_latency"
MODE_SWITCH = "mode_switch"


class Idle(NamedTuple):
    """Some cycles in which the array does nothing.

    Attributes:
        cause: why.
        cycles: how many.
        before: place, among the cascade's commands on the array, of the next one; their number when
            there is none.
        start: when they begin.
    """

    cause: str
    cycles: int
    before: int
    start: int


def idle_time(events: Sequence[Event], end: int) -> Iterator[Idle]:
    """The cycles of a cascade in which the array is idle, in order.

    Args:
        events: of one cascade, in issue order, from cycle 0 on.
        end: cycle in which the cascade ends.
    """
    causes = _Causes(events)
    free = 0
    place = 0
    for event in events:
        if event.unit == MAC_ARRAY:
            yield from causes.between(free, event.start, place)
            free, place = event.end, place + 1
    yield from causes.between(free, end, place)


class _Causes:
    """What the other units do, asked for from front to back."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._loads = [event for event in events if event.done > event.end]
        self._load = 0
        self._transfers = [event for event in events if event.unit == DMA]
        self._vector = [event for event in events if event.unit == VECTOR_UNIT]
        computations = [event for event in events if event.unit != DMA]
        self._first = min((event.start for event in computations), default=0)
        self._last = max((event.end for event in computations), default=0)
        busy = [sum(e.end - e.start for e in unit) for unit in (self._transfers, self._vector)]
        self._waits_for_vector_unit = busy[1] > busy[0]
        self._transfer = self._operation = 0
        self._held_up = 0
        self._held_up_by = -1

    def between(self, start: int, end: int, before: int) -> Iterator[Idle]:
        """The causes of the idle cycles from ``start`` to ``end``."""
        while start < end:
            transfers, transfer_until = self._next_transfer(start)
            operates, operation_until = self._next_operation(start)
            until = min(end, transfer_until, operation_until)
            if operates and not (transfers and not self._waits_for_vector_unit):
                yield Idle(VECTOR_WORK, until - start, before, start)
            elif transfers:
                yield from self._transferring(start, until, before)
            else:
                yield from self._nothing_works(start, until, before)
            start = until

    def _nothing_works(self, start: int, until: int, before: int) -> Iterator[Idle]:
        """Data is on its way; else the array changes its widths, which nothing else waits for."""
        while self._load < len(self._loads) and self._loads[self._load].end <= start:
            self._load += 1
        arrived = self._loads[self._load - 1].done if self._load else 0
        arrived = min(max(arrived, start), until)
        if arrived > start:
            yield Idle(DRAM_LATENCY, arrived - start, before, start)
        if until > arrived:
            yield Idle(MODE_SWITCH, until - arrived, before, arrived)

    def _transferring(self, start: int, until: int, before: int) -> Iterator[Idle]:
        """A transfer that started late for want of room or of a result delays by that much."""
        if until <= self._first or start >= self._last:
            yield Idle(FIRST_AND_LAST_TRANSFERS, until - start, before, start)
            return
        held_up = min(until - start, self._late_start())
        self._held_up -= held_up
        if held_up:
            yield Idle(DEPENDENCIES, held_up, before, start)
        if until - start > held_up:
            yield Idle(DRAM, until - start - held_up, before, start + held_up)

    def _late_start(self) -> int:
        """Cycles the channel stood idle before the present transfer, not yet accounted for."""
        if self._held_up_by != self._transfer:
            self._held_up_by = self._transfer
            free = self._transfers[self._transfer - 1].end if self._transfer else 0
            self._held_up = self._transfers[self._transfer].start - free
        return self._held_up

    def _next_transfer(self, now: int) -> tuple[bool, int]:
        self._transfer = _skip(self._transfers, self._transfer, now)
        return _state(self._transfers, self._transfer, now)

    def _next_operation(self, now: int) -> tuple[bool, int]:
        self._operation = _skip(self._vector, self._operation, now)
        return _state(self._vector, self._operation, now)


_NEVER = 1 << 62


def _skip(events: Sequence[Event], place: int, now: int) -> int:
    """The first event, from a place on, that has not ended."""
    while place < len(events) and events[place].end <= now:
        place += 1
    return place


def _state(events: Sequence[Event], place: int, now: int) -> tuple[bool, int]:
    """Whether the event at a place has begun, and when that changes."""
    if place == len(events):
        return False, _NEVER
    event = events[place]
    return (True, event.end) if event.start <= now else (False, event.start)
