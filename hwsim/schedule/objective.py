"""What a schedule is chosen for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from accelerators import Accelerator
from hwsim.schedule.traffic import transfer_cycles

Rank = tuple[int, int]
"""Less is better, the first number first. Ranks of parts that run one after the other add up."""


class Figures(NamedTuple):
    """What a way to cut a part of a graph costs.

    Attributes:
        traffic_bytes: bytes moved over the DRAM bus; exact.
        cycles: an estimate, to eight significant bits.
    """

    traffic_bytes: int
    cycles: int


@dataclass(frozen=True, slots=True)
class Objective:
    """What is minimized.

    Attributes:
        name: in commands and reports.
        meaning: in a few words.
        rank: from figures on a machine.
    """

    name: str
    meaning: str
    rank: Callable[[Figures, Accelerator], Rank]


def _balanced(figures: Figures, accelerator: Accelerator) -> Rank:
    return (
        figures.cycles + transfer_cycles(accelerator, figures.traffic_bytes),
        figures.traffic_bytes,
    )


def _cycles(figures: Figures, _: Accelerator) -> Rank:
    return figures.cycles, figures.traffic_bytes


def _dram(figures: Figures, _: Accelerator) -> Rank:
    return figures.traffic_bytes, figures.cycles


OBJECTIVES: Mapping[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("balanced", "cycles, and those the DRAM channel is held, together", _balanced),
        Objective("cycles", "cycles, then DRAM bytes", _cycles),
        Objective("dram", "DRAM bytes, then cycles", _dram),
    )
}
"""By name. ``balanced`` weighs a byte by the time it takes: of two schedules that take as long, the
one that leaves the DRAM alone wins, and some time is given for many bytes. This project's choice."""

BALANCED = OBJECTIVES["balanced"]
