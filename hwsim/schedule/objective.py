"""What a schedule is chosen for, as numbers that add up over parts of a graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from accelerators import Accelerator, Action, EnergyModel, load_energy_table
from hwsim.schedule.array_work import ArrayWork
from hwsim.schedule.scaled_array_work import ScaledArrayWork
from hwsim.schedule.traffic import transfer_cycles

Rank = tuple[int, int]
"""Less is better, the first number first. Ranks of parts that run one after the other add up."""

_FEMTOJOULES = 1000
"""In a picojoule: energies are ranked as whole numbers, which add up exactly."""


class Figures(NamedTuple):
    """What a way to cut a part of a graph costs.

    Attributes:
        traffic_bytes: bytes moved over the DRAM bus; exact.
        cycles: an estimate, to eight significant bits.
        array_pj: energy of multiplications and the operands they read, in picojoules; 0 where the
            aim does not ask for it. Of the other charges none depends on the cut but DRAM traffic
            and leakage.
    """

    traffic_bytes: int
    cycles: int
    array_pj: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """What is minimized on a machine.

    Attributes:
        accelerator: the machine; its ``scheduling.objective`` names what.
        prices: of its own energy table, for the objective ``energy``.
    """

    accelerator: Accelerator
    prices: EnergyModel | None

    @classmethod
    def of(cls, accelerator: Accelerator) -> "Aim":
        """The aim of a machine's scheduler.

        Raises:
            UserError: energy is minimized, and the machine's energy table cannot be read.
        """
        if accelerator.scheduling.objective != "energy":
            return cls(accelerator, None)
        table = load_energy_table(accelerator.energy_table)
        return cls(accelerator, EnergyModel(accelerator, table))

    @property
    def counts_energy(self) -> bool:
        """Whether `Figures.array_pj` counts."""
        return self.prices is not None

    def rank(self, figures: Figures) -> Rank:
        """How good a cut with these figures is."""
        return OBJECTIVES[self.accelerator.scheduling.objective](self, figures)

    def array_pj(self, work: ArrayWork | ScaledArrayWork) -> float:
        """Energy of some of a convolution's multiplications and what they read, in picojoules."""
        assert self.prices is not None
        words = sum(work.sram_reads(self.accelerator)) * self._price("sram", "read_word")
        if not isinstance(work, ArrayWork):
            return words
        mac = Action("mac_array", "mac", work.weight_bits, work.activation_bits)
        return words + work.macs * self.prices.energy_pj(mac)

    def other_pj(self, figures: Figures) -> float:
        """Energy of DRAM traffic, at the price of reading, and of leakage, in picojoules."""
        array = self.accelerator.array
        leakage = self._price("sram", "leakage")
        leakage += array.processing_elements * self._price("mac_array", "leakage")
        traffic = 8 * figures.traffic_bytes * self._price("dram", "read_bit")
        return traffic + figures.cycles * leakage

    def _price(self, component: str, name: str) -> float:
        assert self.prices is not None
        return self.prices.energy_pj(Action(component, name))


def _balanced(aim: Aim, figures: Figures) -> Rank:
    transfers = transfer_cycles(aim.accelerator, figures.traffic_bytes)
    return figures.cycles + transfers, figures.traffic_bytes


def _cycles(_: Aim, figures: Figures) -> Rank:
    return figures.cycles, figures.traffic_bytes


def _dram(_: Aim, figures: Figures) -> Rank:
    return figures.traffic_bytes, figures.cycles


def _energy(aim: Aim, figures: Figures) -> Rank:
    picojoules = figures.array_pj + aim.other_pj(figures)
    return round(picojoules * _FEMTOJOULES), figures.cycles


OBJECTIVES: Mapping[str, Callable[[Aim, Figures], Rank]] = {
    "balanced": _balanced,
    "cycles": _cycles,
    "energy": _energy,
    "dram": _dram,
}
"""By name. ``balanced`` adds the cycles that the DRAM channel is held to all cycles: of two ways
that take as long, the one that leaves the DRAM alone wins, and a little time is given for many
bytes. This project's choice."""
