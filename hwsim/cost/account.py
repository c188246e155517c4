"""The cost of a program: cycles, energy and bytes, in total and per group of operators."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from accelerators import Accelerator, EnergyModel
from hwsim.cost.charges import READ_BIT, WRITE_BIT, Charges, charge, charge_idle
from hwsim.cost.clock import UNITS, Clock
from hwsim.schedule.program import Barrier, Command, Program, ScheduledGroup

PICOJOULES_PER_MICROJOULE = 1e6


@dataclass(frozen=True, slots=True)
class GroupCost:
    """What one group of operators costs.

    Attributes:
        group: the operators and their tiling.
        cycles: from the barrier before it to the end of its last command.
        busy_cycles: cycles each unit was held, by unit.
        charges: how often which component did what.
        energy_by_component_uj: energy in microjoules, by component.
    """

    group: ScheduledGroup
    cycles: int
    busy_cycles: Mapping[str, int]
    charges: Charges
    energy_by_component_uj: Mapping[str, float]

    @property
    def energy_uj(self) -> float:
        """Energy of all components, in microjoules."""
        return sum(self.energy_by_component_uj.values())

    @property
    def dram_read_bytes(self) -> int:
        """Bytes read over the DRAM bus, in whole bursts."""
        return self.charges[READ_BIT] // 8

    @property
    def dram_write_bytes(self) -> int:
        """Bytes written over the DRAM bus, in whole bursts."""
        return self.charges[WRITE_BIT] // 8

    @property
    def dram_bytes(self) -> int:
        """Bytes moved over the DRAM bus, in whole bursts."""
        return self.dram_read_bytes + self.dram_write_bytes


@dataclass(frozen=True, slots=True)
class ProgramCost:
    """What a program costs, group by group.

    Attributes:
        groups: the cost of each group, in order.
        mac_slots_per_cycle: multiply-accumulate operations the array could do in a cycle.
        clock_mhz: clock of the accelerator.
    """

    groups: tuple[GroupCost, ...]
    mac_slots_per_cycle: int
    clock_mhz: float

    @property
    def cycles(self) -> int:
        """Cycles from the first command to the end of the last."""
        return sum(cost.cycles for cost in self.groups)

    @property
    def latency_ms(self) -> float:
        """Time for one image, in milliseconds."""
        return self.cycles / (self.clock_mhz * 1e3)

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations."""
        return sum(cost.group.macs for cost in self.groups)

    @property
    def mac_utilization(self) -> float:
        """Share of the array's multiply-accumulate slots that did useful work, 0 to 1."""
        return self.macs / (self.cycles * self.mac_slots_per_cycle) if self.cycles else 0.0

    @property
    def energy_by_component_uj(self) -> dict[str, float]:
        """Energy of the image by component, in microjoules."""
        total: dict[str, float] = {}
        for cost in self.groups:
            for component, energy_uj in cost.energy_by_component_uj.items():
                total[component] = total.get(component, 0.0) + energy_uj
        return total

    @property
    def energy_uj(self) -> float:
        """Energy of the image, in microjoules."""
        return sum(self.energy_by_component_uj.values())

    @property
    def dram_read_bytes(self) -> int:
        """Bytes read over the DRAM bus, in whole bursts."""
        return sum(cost.dram_read_bytes for cost in self.groups)

    @property
    def dram_write_bytes(self) -> int:
        """Bytes written over the DRAM bus, in whole bursts."""
        return sum(cost.dram_write_bytes for cost in self.groups)

    @property
    def sram_peak_bytes(self) -> int:
        """The most SRAM any group's buffers occupy."""
        return max((cost.group.sram_bytes for cost in self.groups), default=0)


class _Account:
    """Adds up the cost of a program's commands, in issue order."""

    def __init__(self, program: Program, accelerator: Accelerator, energy: EnergyModel) -> None:
        self.program = program
        self.accelerator = accelerator
        self.energy = energy
        self.clock = Clock(accelerator)
        self._started = 0
        self._charges: Charges = Counter()
        self._busy = dict.fromkeys(UNITS, 0)
        self._groups: list[GroupCost] = []

    def add(self, command: Command) -> None:
        """Take the next command into account."""
        if isinstance(command, Barrier) and command.group > 0:
            self._close_group()
        event = self.clock.advance(command)
        if event is not None:
            self._busy[event.unit] += event.end - event.start
            self._charges.update(charge(command, self.accelerator))

    def close(self) -> ProgramCost:
        """The cost of all that was added."""
        self._close_group()
        array = self.accelerator.array
        return ProgramCost(
            tuple(self._groups), array.rows * array.columns, self.accelerator.clock_mhz
        )

    def _close_group(self) -> None:
        cycles = self.clock.now - self._started
        self._charges.update(charge_idle(cycles, self.accelerator))
        energy_uj: dict[str, float] = {}
        for action, count in self._charges.items():
            energy = count * self.energy.energy_pj(action) / PICOJOULES_PER_MICROJOULE
            energy_uj[action.component] = energy_uj.get(action.component, 0.0) + energy
        group = self.program.groups[len(self._groups)]
        self._groups.append(GroupCost(group, cycles, dict(self._busy), self._charges, energy_uj))
        self._started = self.clock.now
        self._charges = Counter()
        self._busy = dict.fromkeys(UNITS, 0)


def program_cost(program: Program, accelerator: Accelerator, energy: EnergyModel) -> ProgramCost:
    """The cost of a program: every command on the clock, every action at its price."""
    account = _Account(program, accelerator, energy)
    for command in program.commands:
        account.add(command)
    return account.close()
