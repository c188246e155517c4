"""What bounds each layer: every cycle of a program attributed to exactly one cause.

The clock's events are walked once more, cascade by cascade. A cycle in which the MAC array works is
divided by what its multipliers do in it (`hwsim.cost.array_losses`); a cycle in which it does not
has the cause that keeps it waiting (`hwsim.cost.idle_time`). docs/explain.md goes through it.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from accelerators import Accelerator
from accelerators.datapaths.kinds import datapath_of
from hwsim.cost.array_losses import (
    CHANNEL_PADDING,
    CHANNEL_SCALER,
    COMPUTE,
    FILL_DRAIN,
    NARROW_OPERANDS,
    PIXEL_PADDING,
    PRODUCTS,
    REDUCTION_PADDING,
    SRAM,
    WIDE_OPERANDS,
    array_parts,
)
from hwsim.cost.charges import READ_BIT, WRITE_BIT
from hwsim.cost.clock import Clock, Event
from hwsim.cost.command_costs import MAC_ARRAY, CommandCost
from hwsim.cost.idle_time import (
    DEPENDENCIES,
    DRAM,
    DRAM_LATENCY,
    FIRST_AND_LAST_TRANSFERS,
    MODE_SWITCH,
    VECTOR_WORK,
    idle_time,
)
from hwsim.cost.joined_cascades import joined_cascades
from hwsim.cost.live_memory import LiveSram, constant_bytes, live_dram, live_sram
from hwsim.schedule.commands import Command, Convolve
from hwsim.schedule.program import Program, ScheduledGroup

CAUSES: Mapping[str, str] = {
    COMPUTE: "multiply-accumulates, as far as operands fill the multipliers",
    NARROW_OPERANDS: "multiplier bits that operands narrower than the multiplier leave idle",
    WIDE_OPERANDS: "further passes over operands wider than the multiplier",
    CHANNEL_PADDING: "places in the array without an output channel",
    PIXEL_PADDING: "places in the array without an output pixel",
    REDUCTION_PADDING: "places in the array without a product, as outputs have too few",
    SRAM: "operands that SRAM delivers later than the array could take them",
    CHANNEL_SCALER: "waiting for products with factors that are known at run time",
    FILL_DRAIN: "operands on their way into the array and results on their way out",
    VECTOR_WORK: "the array idle while the vector unit works",
    DRAM: "the array idle while a transfer occupies the DRAM's bus",
    FIRST_AND_LAST_TRANSFERS: "transfers before a cascade's first computation and after its last",
    DEPENDENCIES: "transfers that began late, for want of room in SRAM or of a result to store",
    DRAM_LATENCY: "data on its way from DRAM while every unit is idle",
    MODE_SWITCH: "the array changing its widths while every other unit is idle",
}
"""Every cause, in the order of reports, with what it is."""


@dataclass(frozen=True, slots=True)
class LayerExplanation:
    """Where the cycles of a layer went.

    Attributes:
        name: of the operator whose commands occupy the array; of a group without any, of its
            first operator.
        macs: multiply-accumulate operations.
        parts: cycles by cause, all of `CAUSES`; of the array's own causes, parts of cycles.
    """

    name: str
    macs: int
    parts: Mapping[str, Fraction]

    @property
    def cycles(self) -> int:
        """Cycles attributed to the layer: those of its commands and of waiting for them."""
        return int(sum(self.parts.values()))

    def share(self, cause: str) -> float:
        """Share of the layer's cycles that a cause takes, 0 to 1."""
        return float(self.parts[cause] / self.cycles) if self.cycles else 0.0

    @property
    def bound(self) -> str:
        """The cause that takes most of its cycles."""
        return max(CAUSES, key=lambda cause: self.parts[cause])


@dataclass(frozen=True, slots=True)
class Roofline:
    """What a cascade could reach if only the array's peak and the DRAM's bandwidth bounded it.

    Attributes:
        macs: multiply-accumulate operations.
        dram_bytes: moved over the DRAM's bus, in whole bursts.
        cycles: taken.
        peak_macs_per_cycle: of the array, at the widths of the cascade's operands.
        dram_bytes_per_cycle: the bandwidth.
    """

    macs: int
    dram_bytes: int
    cycles: int
    peak_macs_per_cycle: Fraction
    dram_bytes_per_cycle: Fraction

    @property
    def macs_per_byte(self) -> float | None:
        """Operational intensity; None where nothing is moved."""
        return self.macs / self.dram_bytes if self.dram_bytes else None

    @property
    def ridge_macs_per_byte(self) -> float:
        """The intensity from which on the array bounds, not the DRAM."""
        return float(self.peak_macs_per_cycle / self.dram_bytes_per_cycle)

    @property
    def attainable_macs_per_cycle(self) -> float:
        """The roof over this intensity."""
        if not self.dram_bytes:
            return float(self.peak_macs_per_cycle)
        by_memory = self.macs * self.dram_bytes_per_cycle / self.dram_bytes
        return float(min(self.peak_macs_per_cycle, by_memory))

    @property
    def achieved_macs_per_cycle(self) -> float:
        """What was reached."""
        return self.macs / self.cycles if self.cycles else 0.0

    @property
    def bound(self) -> str:
        """Which part of the roof is over it: ``compute`` or ``dram``."""
        return DRAM if self.attainable_macs_per_cycle < self.peak_macs_per_cycle else COMPUTE


@dataclass(frozen=True, slots=True)
class GroupExplanation:
    """What bounds operators that are executed together: the groups of a cascade.

    Attributes:
        groups: names of the cascade's groups, in order.
        nodes: names of their operators.
        layers: in the order of their first commands; their cycles are those of the cascade.
        dram_bytes: moved over the DRAM's bus, in whole bursts.
        roofline: None without products.
        sram_reserved_bytes: of its buffers.
        sram: what of them is in use.
        dram_live_bytes: of feature maps in DRAM that are still needed.
    """

    groups: tuple[str, ...]
    nodes: tuple[str, ...]
    layers: tuple[LayerExplanation, ...]
    dram_bytes: int
    roofline: Roofline | None
    sram_reserved_bytes: int
    sram: LiveSram
    dram_live_bytes: int

    @property
    def name(self) -> str:
        """That of its only group, or those of the first and the last."""
        first, last = self.groups[0], self.groups[-1]
        return first if len(self.groups) == 1 else f"{first} … {last}"

    @property
    def cycles(self) -> int:
        """Cycles of the cascade."""
        return sum(layer.cycles for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What bounds a program, cascade by cascade.

    Attributes:
        groups: one for each cascade, in order.
        peak_macs_per_cycle: of the array, at the widths of its multipliers.
        dram_bytes_per_cycle: bandwidth of the DRAM.
        sram_bytes: size of the SRAM.
        constant_bytes: of weights and other constants in DRAM, beside the feature maps.
    """

    groups: tuple[GroupExplanation, ...]
    peak_macs_per_cycle: Fraction
    dram_bytes_per_cycle: Fraction
    sram_bytes: int
    constant_bytes: int

    @property
    def layers(self) -> tuple[LayerExplanation, ...]:
        """The layers of all groups, in order."""
        return tuple(layer for group in self.groups for layer in group.layers)

    @property
    def total(self) -> LayerExplanation:
        """All layers together."""
        return _together("total", self.layers)


def explain(program: Program, accelerator: Accelerator) -> Explanation:
    """Attribute every cycle of a program to a cause; cascades of one shape are looked at once.

    Args:
        program: what was scheduled for the accelerator.
        accelerator: the machine.
    """
    known: dict[Hashable, _Shape] = {}
    groups = []
    dram = live_dram(program)
    for together, commands in program.cascades():
        shape = together[0].shape
        if shape not in known:
            known[shape] = _explained(together, commands, accelerator)
        groups.append(_named(together, known[shape], dram[together[0].cascade], accelerator))
    array = accelerator.array
    return Explanation(
        tuple(groups),
        datapath_of(array).peak_macs_per_cycle(array.weight_bits, array.activation_bits),
        accelerator.dram_bytes_per_cycle,
        accelerator.sram.size_kib * 1024,
        constant_bytes(program),
    )


def explained_in_sequence(explanations: Sequence[Explanation]) -> Explanation:
    """Explanations of programs that run one after the other.

    Cascades that share an operator become one (`joined_cascades`), as the account's do
    (`hwsim.cost.combination.in_sequence`). Cycles, operations and bytes add up; of memory in use
    the most counts.
    """
    groups = [group for explanation in explanations for group in explanation.groups]
    numbers = joined_cascades(group.nodes for group in groups)
    parts: dict[int, list[GroupExplanation]] = {}
    for group in groups:
        parts.setdefault(numbers[group.nodes[0]], []).append(group)
    bytes_per_cycle = explanations[0].dram_bytes_per_cycle
    return replace(
        explanations[0],
        groups=tuple(_in_sequence(parts[number], bytes_per_cycle) for number in sorted(parts)),
        constant_bytes=max(each.constant_bytes for each in explanations),
    )


def explained_with_prefix(explanation: Explanation, prefix: str) -> Explanation:
    """The same explanation, its groups and layers named with something in front."""
    groups = tuple(
        replace(
            group,
            groups=tuple(prefix + name for name in group.groups),
            nodes=tuple(prefix + name for name in group.nodes),
            layers=tuple(replace(layer, name=prefix + layer.name) for layer in group.layers),
        )
        for group in explanation.groups
    )
    return replace(explanation, groups=groups)


def explained_reading(
    name: str, dram_bytes: int, busy_cycles: int, cycles: int
) -> GroupExplanation:
    """A group that only reads from DRAM, while everything waits for it.

    Args:
        name: of the group.
        dram_bytes: that are read, in whole bursts.
        busy_cycles: in which the bus is occupied.
        cycles: of the group.
    """
    parts = dict.fromkeys(CAUSES, Fraction(0))
    parts[FIRST_AND_LAST_TRANSFERS] += busy_cycles
    parts[DRAM_LATENCY] += cycles - busy_cycles
    layer = LayerExplanation(name, 0, parts)
    sram = live_sram((), cycles)
    return GroupExplanation((name,), (name,), (layer,), dram_bytes, None, 0, sram, 0)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What cascades of one shape have in common.

    Attributes:
        layers: cycles by cause and operations, by place of the operator in the cascade.
        cycles: of the cascade.
        dram_bytes: moved over the bus.
        sram: in use.
    """

    layers: Mapping[int, tuple[Mapping[str, Fraction], int]]
    cycles: int
    dram_bytes: int
    sram: LiveSram


def _explained(
    groups: Sequence[ScheduledGroup], commands: Iterable[Command], accelerator: Accelerator
) -> _Shape:
    clock = Clock(accelerator)
    events = [event for command in commands if (event := clock.advance(command)) is not None]
    on_array = [event for event in events if event.unit == MAC_ARRAY]
    places = {name: place for place, name in enumerate(_nodes(groups))}
    owners = [_owner(event, places) for event in on_array] or [0]
    parts = {owner: dict.fromkeys(CAUSES, Fraction(0)) for owner in owners}
    macs: Counter[int] = Counter()
    for (owner, _), (count, command) in _by_cost(on_array, owners).items():
        macs[owner] += count * command.work.macs
        for cause, part in array_parts(command.work, accelerator).items():
            parts[owner][cause] += count * part
    idle_cycles: Counter[tuple[int, str]] = Counter()
    for idle in idle_time(events, clock.now):
        owner = owners[min(idle.before, len(owners) - 1)]
        idle_cycles[owner, idle.cause] += idle.cycles
    for (owner, cause), cycles in idle_cycles.items():
        parts[owner][cause] += cycles
    bits = sum(event.cost.charges[READ_BIT] + event.cost.charges[WRITE_BIT] for event in events)
    layers = {owner: (of_layer, macs[owner]) for owner, of_layer in parts.items()}
    return _Shape(layers, clock.now, bits // 8, live_sram(events, clock.now))


def _owner(event: Event, places: Mapping[str, int]) -> int:
    assert isinstance(event.command, Convolve)
    return places[event.command.node]


def _by_cost(
    events: Sequence[Event], owners: Sequence[int]
) -> Mapping[tuple[int, CommandCost], tuple[int, Convolve]]:
    """How many commands of a layer have a cost, and one of them."""
    found: dict[tuple[int, CommandCost], tuple[int, Convolve]] = {}
    for event, owner in zip(events, owners, strict=False):
        assert isinstance(event.command, Convolve)
        count, command = found.get((owner, event.cost), (0, event.command))
        found[owner, event.cost] = count + 1, command
    return found


def _nodes(groups: Sequence[ScheduledGroup]) -> tuple[str, ...]:
    return tuple(name for group in groups for name in group.nodes)


def _named(
    groups: Sequence[ScheduledGroup],
    shape: _Shape,
    dram_live_bytes: int,
    accelerator: Accelerator,
) -> GroupExplanation:
    nodes = _nodes(groups)
    layers = tuple(
        LayerExplanation(nodes[place], macs, parts) for place, (parts, macs) in shape.layers.items()
    )
    return GroupExplanation(
        tuple(group.name for group in groups),
        nodes,
        layers,
        shape.dram_bytes,
        _roofline(layers, shape.dram_bytes, accelerator.dram_bytes_per_cycle),
        groups[0].sram_bytes,
        shape.sram,
        dram_live_bytes,
    )


def _roofline(
    layers: Sequence[LayerExplanation], dram_bytes: int, bytes_per_cycle: Fraction
) -> Roofline | None:
    together = _together("", layers)
    if not together.macs:
        return None
    # What the products would take without padding, filling and waiting, passes included.
    peak = together.macs / sum(together.parts[cause] for cause in PRODUCTS)
    assert isinstance(peak, Fraction)
    return Roofline(together.macs, dram_bytes, together.cycles, peak, bytes_per_cycle)


def _together(name: str, layers: Sequence[LayerExplanation]) -> LayerExplanation:
    parts = {cause: sum((each.parts[cause] for each in layers), Fraction(0)) for cause in CAUSES}
    return LayerExplanation(name, sum(layer.macs for layer in layers), parts)


def _in_sequence(parts: Sequence[GroupExplanation], bytes_per_cycle: Fraction) -> GroupExplanation:
    """What ran in several programs, or in several cascades of some of them, as one."""
    nodes = tuple(dict.fromkeys(name for part in parts for name in part.nodes))
    groups = {name for part in parts for name in part.groups}
    named: dict[str, list[LayerExplanation]] = {}
    for part in parts:
        for layer in part.layers:
            named.setdefault(layer.name, []).append(layer)
    layers = tuple(_together(name, same) for name, same in named.items())
    dram_bytes = sum(part.dram_bytes for part in parts)
    samples = zip(*(part.sram.samples_bytes for part in parts), strict=True)
    return GroupExplanation(
        tuple(name for name in nodes if name in groups),
        nodes,
        layers,
        dram_bytes,
        _roofline(layers, dram_bytes, bytes_per_cycle),
        max(part.sram_reserved_bytes for part in parts),
        LiveSram(max(part.sram.peak_bytes for part in parts), tuple(map(max, samples))),
        max(part.dram_live_bytes for part in parts),
    )
