"""Jobs for a simulated design, and what it did with them: the same of every simulator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.words import Words, word_count

TRAILING_CYCLES = 16
"""A job runs on for so long after its last expected output, to see superfluous ones."""

RESET_CYCLES = 4
"""Reset is held before each job for so long."""

STALL_THRESHOLD = 96
"""A stalled stream offers nothing in so many of 256 cycles, at random, before each item."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What to feed a design from reset on.

    Attributes:
        streams: items of each lane of each input, uint32 [items, words] of `words.pack`.
        wanted: how many outputs each lane of each output should give.
        limit_cycles: after so many the job ends, whatever is missing.
        settings: constants by name; the lowest bits of each are used.
        stall_seed: not None makes every input withhold its items at random, and from which seed.
    """

    streams: Mapping[str, Words]
    wanted: Mapping[str, int]
    limit_cycles: int
    settings: Mapping[str, int] = field(default_factory=dict)
    stall_seed: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A bit that a simulator with unknown values found to be neither 0 nor 1.

    Attributes:
        port: that has it.
        cycle: as in `Outcome.cycles`.
        index: of the item in an output stream; None of a valid or ready bit.
    """

    port: str
    cycle: int
    index: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a design did with a job.

    Cycle 0 is that in which the first item of an input was taken (`Design.counts_from`).

    Attributes:
        outputs: items of each lane of each output, uint32 [items, words]; superfluous ones too.
        cycles: in which each was seen valid, int64 [items].
        taken: how many items each lane of each input took.
        unknown: bits that were neither 0 nor 1; their place in ``outputs`` holds 0.
        simulated_cycles: in all, those before cycle 0 and after the last output too.
    """

    outputs: Mapping[str, Words]
    cycles: Mapping[str, NDArray[np.int64]]
    taken: Mapping[str, int]
    unknown: tuple[Unknown, ...]
    simulated_cycles: int

    @property
    def last_cycle(self) -> int | None:
        """The cycle in which the last output was seen; None without any."""
        last = [int(cycles[-1]) for cycles in self.cycles.values() if len(cycles)]
        return max(last, default=None)


class Simulation(Protocol):
    """A design in a simulator."""

    @property
    def design(self) -> Design:
        """What is simulated."""
        ...

    def run(self, job: Job) -> Outcome:
        """Reset the design and run one job."""
        ...

    def run_many(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs one after the other, each from reset; cheaper than one by one."""
        ...


def stall_states(design: Design, job: Job) -> list[int]:
    """Where the random generator of each input lane's stalls begins; 0 for a job without stalls.

    It is xorshift32 (Marsaglia, Journal of Statistical Software 8, 2003, 13-17-5), so that all
    simulators stall alike.
    """
    if job.stall_seed is None:
        return [0] * len(design.input_names)
    begin = job.stall_seed * 0x9E3779B1
    return [(begin + (k + 1) * 0x85EBCA77) & 0xFFFFFFFF | 1 for k in range(len(design.input_names))]


def check_job(design: Design, job: Job) -> None:
    """Raise ValueError unless a job's names and words are those of a design's ports."""
    _check_names("input", set(design.input_names), set(job.streams))
    _check_names("output", set(design.output_names), set(job.wanted))
    _check_names("setting", {setting.name for setting in design.settings}, set(job.settings))
    for name, stream in design.input_lanes:
        _check_words(name, stream.bits, job.streams[name])


def _check_names(what: str, wanted: set[str], given: set[str]) -> None:
    if wanted != given:
        raise ValueError(f"{what}s: expected {sorted(wanted)}, found {sorted(given)}")


def _check_words(name: str, bits: int, items: Words) -> None:
    words = word_count(bits)
    if items.dtype != np.uint32 or items.ndim != 2 or items.shape[1] != words:
        raise ValueError(
            f"stream '{name}': expected uint32 [items, {words}], found {items.dtype} {items.shape}"
        )
    above = bits - 32 * (words - 1)
    if above < 32 and items.size and int(items[:, -1].max()) >> above:
        raise ValueError(f"stream '{name}': an item has more than {bits} bits")
