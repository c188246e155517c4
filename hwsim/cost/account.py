"""The cost of a program: cycles, energy and bytes, in total and per group of operators."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

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
        cycles: from the barrier before it to the end of its last command; of groups that run
            together, a share of that (`shares`).
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


def cascade_cost(
    groups: Sequence[ScheduledGroup],
    commands: Iterable[Command],
    accelerator: Accelerator,
    energy: EnergyModel,
) -> tuple[GroupCost, ...]:
    """The costs of groups that run together: commands on the clock, each action at its price.

    They start when everything before them has ended, so their costs do not depend on others.
    Commands and what they are charged belong to one group each. The time they take together is
    shared out (`shares`), and leakage with it.

    Args:
        groups: of one cascade, in order.
        commands: of theirs, with the barrier before them.
        accelerator: the machine.
        energy: the priced actions of that machine.
    """
    clock = Clock(accelerator)
    events = (event for command in commands if (event := clock.advance(command)) is not None)
    times = Counter((event.command.group, event.cost) for event in events)
    first = min((number for number, _ in times), default=0)
    busy = [dict.fromkeys(UNITS, 0) for _ in groups]
    charges: list[Charges] = [Counter() for _ in groups]
    for (number, cost), count in times.items():
        busy[number - first][cost.unit] += count * cost.cycles
        charges[number - first].update(
            {action: count * each for action, each in cost.charges.items()}
        )
    costs = []
    for group, cycles, held, charged in zip(
        groups, shares(clock.now, busy), busy, charges, strict=True
    ):
        charged.update(charge_idle(cycles, accelerator))
        costs.append(priced(group, cycles, held, charged, energy))
    return tuple(costs)


def shares(cycles: int, busy: Sequence[Mapping[str, int]]) -> list[int]:
    """Whole cycles that groups account for which run together, all of them in all.

    In proportion to how long each holds the unit that it holds longest; this project's choice.
    What is lost to rounding goes to the groups one after the other that lose most by it.

    Args:
        cycles: that they take together.
        busy: cycles each group holds each unit.
    """
    longest = [max(held.values()) for held in busy]
    parts = [divmod(cycles * held, sum(longest)) for held in longest]
    missing = cycles - sum(whole for whole, _ in parts)
    largest = sorted(range(len(parts)), key=lambda index: -parts[index][1])[:missing]
    return [whole + (index in largest) for index, (whole, _) in enumerate(parts)]


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


class CascadeCosts:
    """The costs of cascades on one machine, each shape priced once.

    Attributes:
        accelerator: the machine.
        energy: the priced actions of that machine.
    """

    def __init__(self, accelerator: Accelerator, energy: EnergyModel) -> None:
        self.accelerator = accelerator
        self.energy = energy
        self._by_shape: dict[Hashable, tuple[GroupCost, ...]] = {}

    def __len__(self) -> int:
        """Shapes priced so far."""
        return len(self._by_shape)

    def of(
        self, groups: Sequence[ScheduledGroup], commands: Iterable[Command]
    ) -> tuple[GroupCost, ...]:
        """The costs of groups that run together; commands are looked at where the shape is new."""
        shape = groups[0].shape
        known = self._by_shape.get(shape)
        if known is None:
            known = cascade_cost(groups, commands, self.accelerator, self.energy)
            self._by_shape[shape] = known
        return tuple(
            [replace(cost, group=group) for cost, group in zip(known, groups, strict=True)]
        )

    def known(
        self, shape: Hashable, like: Sequence[ScheduledGroup]
    ) -> tuple[GroupCost, ...] | None:
        """The costs of groups of a shape that was priced before, named like others; else None.

        Args:
            shape: of the first group, as `ScheduledGroup.shape`.
            like: groups with the names and the place in the program that these have.
        """
        costs = self._by_shape.get(shape)
        if costs is None:
            return None
        return tuple(
            [
                replace(
                    cost,
                    group=replace(
                        cost.group, name=group.name, nodes=group.nodes, cascade=group.cascade
                    ),
                )
                for cost, group in zip(costs, like, strict=True)
            ]
        )


def total_cost(groups: Iterable[GroupCost], accelerator: Accelerator) -> ProgramCost:
    """The cost of groups that run one after the other."""
    array = accelerator.array
    peak = datapath_of(array).peak_macs_per_cycle(array.weight_bits, array.activation_bits)
    slots = peak.numerator if peak.denominator == 1 else float(peak)
    return ProgramCost(tuple(groups), slots, accelerator.clock_mhz, accelerator.launch_overhead_us)


def program_cost(program: Program, accelerator: Accelerator, energy: EnergyModel) -> ProgramCost:
    """The cost of a program as it was scheduled, group by group."""
    costs = CascadeCosts(accelerator, energy)
    return total_cost(
        (cost for groups, commands in program.cascades() for cost in costs.of(groups, commands)),
        accelerator,
    )
