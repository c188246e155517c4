"""What is counted as time passes: SRAM in use, DRAM traffic, how busy the multipliers are."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hwsim.report.trace.cascades import TracedCascade
from hwsim.report.trace.slices import Slice

SAMPLES = 2000
"""Parts of equal length that the whole time is divided into, or fewer of a cycle each: as many as
a wide screen has columns, so that counters do not grow with the program."""

_READ, _WRITTEN, _MACS = "read", "written", "macs"
_AMOUNTS: Mapping[str, Callable[[Slice], int]] = {
    _READ: lambda slice_: slice_.read_bytes,
    _WRITTEN: lambda slice_: slice_.written_bytes,
    _MACS: lambda slice_: slice_.macs,
}

Moment = tuple[int, str, dict[str, float]]
"""A cycle, the name of a counter, and its values from then on by unit."""


class Counters:
    """Counts cascades that follow one another.

    Bytes and multiply-accumulates of a slice are spread evenly over it.
    """

    def __init__(self, cycles: int, clock_mhz: float, peak_macs_per_cycle: float) -> None:
        """Start at cycle 0.

        Args:
            cycles: of all cascades together.
            clock_mhz: of the machine.
            peak_macs_per_cycle: of the array at its native widths.
        """
        samples = min(SAMPLES, cycles)
        self._edges = np.arange(samples + 1) * cycles // max(samples, 1)
        self._clock_mhz = clock_mhz
        self._peak = peak_macs_per_cycle
        self._sram_bytes = np.zeros(samples, np.int64)
        self._sums = {name: np.zeros(samples + 1, np.int64) for name in _AMOUNTS}
        self._so_far = dict.fromkeys(_AMOUNTS, 0)
        self._start = 0

    def add(self, cascade: TracedCascade) -> None:
        """Count the next cascade."""
        self._count_sram(cascade)
        start, end = self._start, self._start + cascade.cycles
        inside = slice(*np.searchsorted(self._edges, (start, end), side="right"))
        for name, amount in _AMOUNTS.items():
            moved = [(each, amount(each)) for each in cascade.slices if amount(each)]
            sums = self._so_far[name] + _moved(self._edges[inside] - start, moved)
            self._sums[name][inside] = sums
            self._so_far[name] += sum(count for _, count in moved)
        self._start = end

    def moments(self) -> Iterator[Moment]:
        """Every counter's values, in order, and zeros at the end of those that are no sums."""
        spans = np.diff(self._edges)
        read, written, macs = (np.diff(self._sums[name]) / spans for name in _AMOUNTS)
        sampled: dict[str, Mapping[str, NDArray[np.float64 | np.int64]]] = {
            "SRAM in use": {"bytes": self._sram_bytes},
            "DRAM read rate": {"MB/s": read * self._clock_mhz},
            "DRAM write rate": {"MB/s": written * self._clock_mhz},
            "MAC utilization": {"%": 100 * macs / self._peak},
        }
        summed = {
            "DRAM read since the start": {"bytes": self._sums[_READ]},
            "DRAM written since the start": {"bytes": self._sums[_WRITTEN]},
        }
        for place, edge in enumerate(self._edges.tolist()):
            for name, values in {**sampled, **summed}.items():
                ended = place == len(self._sram_bytes) and name in sampled
                yield (
                    edge,
                    name,
                    {unit: 0 if ended else _number(each[place]) for unit, each in values.items()},
                )

    def _count_sram(self, cascade: TracedCascade) -> None:
        """The most that is in use in every sample."""
        changes = cascade.sram_changes
        moments = np.array(sorted(changes), np.int64)
        live = np.cumsum([changes[moment] for moment in moments.tolist()], dtype=np.int64)
        moments += self._start
        first = np.searchsorted(self._edges, moments[:-1], side="right") - 1
        last = np.searchsorted(self._edges, moments[1:], side="left") - 1
        for places in (first, last):
            np.maximum.at(self._sram_bytes, places, live[:-1])
        for place in np.flatnonzero(last > first + 1).tolist():
            between = self._sram_bytes[first[place] : last[place]]
            np.maximum(between, live[place], out=between)


def _moved(cycles: NDArray[np.int64], moved: list[tuple[Slice, int]]) -> NDArray[np.int64]:
    """How much slices had moved at some cycles, whole units."""
    if not moved:
        return np.zeros_like(cycles)
    times = [time for each, _ in moved for time in (each.start, each.start + each.cycles)]
    ends = np.cumsum([count for _, count in moved])
    sums = np.stack([ends - [count for _, count in moved], ends], axis=1).reshape(-1)
    between: NDArray[np.float64] = np.interp(cycles, times, sums)
    return np.floor(between).astype(np.int64)


def _number(value: np.generic) -> float:
    return int(value) if isinstance(value, np.integer) else round(float(value), 3)
