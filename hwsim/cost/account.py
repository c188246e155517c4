"""The cost of a program: cycles, energy and bytes, in total and per group of operators."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from accelerators import Accelerator, EnergyModel
from accelerators.datapaths.kinds import datapath_of
from hwsim.cost.charges import READ_BIT, WRITE_BIT, Charges, charge_idle
from hwsim.cost.clock import Clock
from hwsim.cost.command_costs import UNITS
from hwsim.schedule.commands import Command
from hwsim.schedule.program import Program, ScheduledGroup

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
        mac_slots_per_cycle: multiply-accumulate operations of the array's native widths that it
            could do in a cycle.
        clock_mhz: clock of the accelerator.
        launch_overhead_us: time before the first command, once for each image.
    """

    groups: tuple[GroupCost, ...]
    mac_slots_per_cycle: float
    clock_mhz: float
    launch_overhead_us: float = 0.0

    @property
    def cycles(self) -> int:
        """Cycles from the first command to the end of the last."""
        return sum(cost.cycles for cost in self.groups)

    @property
    def latency_ms(self) -> float:
        """Time for one image, in milliseconds: its cycles and the launch overhead."""
        return self.cycles / (self.clock_mhz * 1e3) + self.launch_overhead_ms

    @property
    def launch_overhead_ms(self) -> float:
        """Part of the latency that passes before the first command, in milliseconds."""
        return self.launch_overhead_us / 1e3

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations."""
        return sum(cost.group.macs for cost in self.groups)

    @property
    def mac_utilization(self) -> float:
        """Products done as a share of those the array could have done at its native widths.

        At most 1, unless narrower operands are faster on this kind of array.
        """
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


def group_cost(
    group: ScheduledGroup,
    commands: Iterable[Command],
    accelerator: Accelerator,
    energy: EnergyModel,
) -> GroupCost:
    """The cost of one group's commands: each on the clock, each action at its price.

    A group starts when everything before it has ended, so its cost does not depend on the others.
    """
    clock = Clock(accelerator)
    events = (event for command in commands if (event := clock.advance(command)) is not None)
    times = Counter(event.cost for event in events)
    busy = dict.fromkeys(UNITS, 0)
    charges: Charges = Counter()
    for cost, count in times.items():
        busy[cost.unit] += count * cost.cycles
        charges.update({action: count * each for action, each in cost.charges.items()})
    charges.update(charge_idle(clock.now, accelerator))
    return priced(group, clock.now, busy, charges, energy)


def priced(
    group: ScheduledGroup,
    cycles: int,
    busy_cycles: Mapping[str, int],
    charges: Charges,
    energy: EnergyModel,
) -> GroupCost:
    """A group's cost from its cycles and charges: each action at its price."""
    energy_uj: dict[str, float] = {}
    for action, count in charges.items():
        cost_uj = count * energy.energy_pj(action) / PICOJOULES_PER_MICROJOULE
        energy_uj[action.component] = energy_uj.get(action.component, 0.0) + cost_uj
    return GroupCost(group, cycles, busy_cycles, charges, energy_uj)


class GroupCosts:
    """The costs of groups on one machine, each shape priced once.

    Attributes:
        accelerator: the machine.
        energy: the priced actions of that machine.
    """

    def __init__(self, accelerator: Accelerator, energy: EnergyModel) -> None:
        self.accelerator = accelerator
        self.energy = energy
        self._by_shape: dict[Hashable, GroupCost] = {}

    def __len__(self) -> int:
        """Shapes priced so far."""
        return len(self._by_shape)

    def of(self, group: ScheduledGroup, commands: Iterable[Command]) -> GroupCost:
        """The cost of a group; its commands are looked at only where its shape is new."""
        known = self._by_shape.get(group.shape)
        if known is None:
            known = group_cost(group, commands, self.accelerator, self.energy)
            self._by_shape[group.shape] = known
        return replace(known, group=group)


def total_cost(groups: Iterable[GroupCost], accelerator: Accelerator) -> ProgramCost:
    """The cost of groups that run one after the other."""
    array = accelerator.array
    peak = datapath_of(array).peak_macs_per_cycle(array.weight_bits, array.activation_bits)
    slots = peak.numerator if peak.denominator == 1 else float(peak)
    return ProgramCost(tuple(groups), slots, accelerator.clock_mhz, accelerator.launch_overhead_us)


def program_cost(program: Program, accelerator: Accelerator, energy: EnergyModel) -> ProgramCost:
    """The cost of a program as it was scheduled, group by group."""
    costs = GroupCosts(accelerator, energy)
    by_group = groupby(program.commands, key=attrgetter("group"))
    return total_cost(
        (costs.of(program.groups[index], commands) for index, commands in by_group), accelerator
    )
