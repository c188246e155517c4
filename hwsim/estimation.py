"""Costs of many graphs on one machine, each group's shape scheduled and priced once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from accelerators import Accelerator, EnergyModel
from hwsim.cost import CascadeCosts, GroupCost, ProgramCost, total_cost
from hwsim.schedule.cascade import Walk
from hwsim.schedule.commands import Command
from hwsim.schedule.groups import Group, make_group
from hwsim.schedule.layout import dram_tensor
from hwsim.schedule.optimizer import Network, Part, best_parts, cut_again
from hwsim.schedule.plan import CascadePlan, Plan, plan_part, prepare
from hwsim.schedule.shapes import Memory, Shapes
from quant.graph import Graph, Node, Size


class Estimator:
    """Prices graphs as `hwsim.simulation.estimate` does, remembering what it has priced.

    The figures are the same: cascades run one after the other, and what a cascade costs depends on
    its shape alone. A search that changes one layer at a time schedules only what changed.

    Attributes:
        accelerator: the machine.
        energy: the priced actions of that machine.
    """

    def __init__(self, accelerator: Accelerator, energy: EnergyModel) -> None:
        self.accelerator = accelerator
        self.energy = energy
        self._memory = Memory()
        self._costs = CascadeCosts(accelerator, energy)

    def cost(self, graph: Graph, image: Size) -> ProgramCost:
        """The cost of a graph for one image of a size.

        Raises:
            ScheduleError: the graph does not fit the accelerator.
            UserError: the energy model lacks an action.
        """
        return self.fixed(graph, image).total

    def fixed(self, graph: Graph, image: Size) -> "FixedDivision":
        """The cost of a graph, and what it becomes when widths change but not what runs together.

        Raises:
            ScheduleError: the graph does not fit the accelerator.
            UserError: the energy model lacks an action.
        """
        network, shapes = prepare(graph, self.accelerator, image, self._memory)
        parts = best_parts(network, shapes, self._memory)
        return FixedDivision(network, shapes, parts, self._memory, self._costs)


class FixedDivision:
    """A graph divided into parts that stay, whatever the widths of its tensors become.

    Each part is cut anew for other widths; looked up where it has met them before.

    Attributes:
        total: the cost of the graph as it is.
    """

    def __init__(
        self,
        network: Network,
        shapes: Shapes,
        parts: list[Part],
        memory: Memory,
        costs: CascadeCosts,
    ) -> None:
        self._network, self._shapes, self._parts = network, shapes, parts
        self._memory, self._costs = memory, costs
        self._by_part = [
            _priced(plan_part(network, shapes, part), number, costs)
            for number, part in enumerate(parts)
        ]
        self.total = self._sum(self._by_part)
        self._users = _users(network)
        self._part_of = [n for n, part in enumerate(parts) for _ in range(part.first, part.last)]

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """What runs together: the first nodes of a part's groups, copies apart, and its walk."""
        groups = self._network.groups
        return tuple(
            (
                *(group.nodes[0].name for group in groups[part.first : part.last]),
                *((str(part.cut),) if isinstance(part.cut, Walk) else ()),
            )
            for part in self._parts
        )

    @property
    def alone(self) -> frozenset[str]:
        """Names of the nodes of groups that run alone."""
        groups = self._network.groups
        return frozenset(
            node.name
            for part in self._parts
            if not isinstance(part.cut, Walk)
            for group in groups[part.first : part.last]
            for node in group.nodes
        )

    @property
    def rank(self) -> int:
        """What the scheduler minimizes, first of all.

        Of two divisions of a graph it takes the one with the smaller rank.
        """
        return sum(part.rank[0] for part in self._parts)

    def needed_sram_bytes(self, *, lowest: bool = False) -> dict[int, int]:
        """SRAM that each cascade needs to be walked through as it is, by the number of its part.

        It holds rows of each tensor and the constants of each layer, so each layer adds what it
        adds whatever the widths of others are.

        Args:
            lowest: in the same strips, but with a row in each step.
        """
        return _needed_sram_bytes(self._network, self._shapes, enumerate(self._parts), lowest)

    def cost(self, changed: Mapping[str, Node]) -> ProgramCost | None:
        """The cost of the graph with some nodes replaced; None where a part does not fit any more.

        Args:
            changed: nodes by name, which differ from the graph's in the widths of weights and
                tensors alone.
        """
        return self.with_nodes(changed).cost() if changed else self.total

    def with_nodes(self, changed: Mapping[str, Node]) -> "OtherWidths":
        """The graph with some nodes replaced.

        Args:
            changed: as in `cost`.
        """
        indices = sorted({index for name in changed for index in self._users[name]})
        network, shapes = self._with(changed, indices)
        numbers = dict.fromkeys(self._part_of[index] for index in indices)
        return OtherWidths(self, network, shapes, {each: self._parts[each] for each in numbers})

    def with_parts(
        self, network: Network, shapes: Shapes, parts: Mapping[int, Part]
    ) -> ProgramCost:
        """The cost with some parts cut for other widths.

        Args:
            network: with other widths.
            shapes: of its groups.
            parts: by their numbers.
        """
        by_part = list(self._by_part)
        for number, part in parts.items():
            like = [cost.group for cost in self._by_part[number]]
            known = self._costs.known((part.shape, 0), like)
            by_part[number] = known or _priced(
                plan_part(network, shapes, part), number, self._costs
            )
        return self._sum(by_part)

    def cut_again(self, network: Network, shapes: Shapes, part: Part) -> Part | None:
        """A part cut for other widths; None where it does not fit any more."""
        return cut_again(network, shapes, self._memory, part)

    def _with(self, changed: Mapping[str, Node], indices: list[int]) -> tuple[Network, Shapes]:
        """The network with nodes replaced in the groups that make or read them."""
        network = self._network
        groups = list(network.groups)
        replaced: dict[int, Group] = {}
        for index in indices:
            nodes = [changed.get(node.name, node) for node in groups[index].nodes]
            groups[index] = replaced[index] = make_group(network.readers, nodes, network.sizes)
        burst = network.accelerator.dram.burst_bytes
        types = {**network.types, **{name: node.output for name, node in changed.items()}}
        moved = {
            name: dram_tensor(node, tensor.size, tensor.address, burst)
            for name, node in changed.items()
            if (tensor := network.tensors.get(name)) is not None
        }
        tensors = {**network.tensors, **moved}
        other = replace(network, groups=groups, types=types, tensors=tensors)
        return other, self._shapes.with_groups(replaced, types)

    def _sum(self, by_part: list[tuple[GroupCost, ...]]) -> ProgramCost:
        costs = [cost for costs in by_part for cost in costs]
        return total_cost(costs, self._network.accelerator)


class OtherWidths:
    """A divided graph in which some nodes have other widths (`FixedDivision.with_nodes`)."""

    def __init__(
        self, center: FixedDivision, network: Network, shapes: Shapes, parts: Mapping[int, Part]
    ) -> None:
        """Keep what is changed.

        Args:
            center: the graph as it was divided.
            network: with the other widths.
            shapes: of its groups.
            parts: those that make or read what is changed, as they were cut, by their numbers.
        """
        self._center, self._network, self._shapes, self._parts = center, network, shapes, parts

    @cached_property
    def _cut(self) -> dict[int, Part] | None:
        """The parts cut for these widths; None where one does not fit any more."""
        cut: dict[int, Part] = {}
        for number, part in self._parts.items():
            again = self._center.cut_again(self._network, self._shapes, part)
            if again is None:
                return None
            cut[number] = again
        return cut

    def cost(self) -> ProgramCost | None:
        """What it costs; None where a part does not fit any more."""
        cut = self._cut
        return None if cut is None else self._center.with_parts(self._network, self._shapes, cut)

    def rank_change(self) -> int:
        """How `FixedDivision.rank` differs; 0 where a part does not fit any more."""
        cut = self._cut or {}
        return sum(part.rank[0] - self._parts[number].rank[0] for number, part in cut.items())

    def needed_sram_bytes(self, *, lowest: bool = False) -> dict[int, int]:
        """As `FixedDivision.needed_sram_bytes`, of the cascades that are changed."""
        return _needed_sram_bytes(self._network, self._shapes, self._parts.items(), lowest)


def _needed_sram_bytes(
    network: Network, shapes: Shapes, parts: Iterable[tuple[int, Part]], lowest: bool
) -> dict[int, int]:
    needed = {}
    for number, part in parts:
        if isinstance(part.cut, Walk):
            walk = replace(part.cut, rows=1) if lowest else part.cut
            plan = plan_part(network, shapes, replace(part, cut=walk))
            assert isinstance(plan, CascadePlan)
            needed[number] = plan.sram_bytes
    return needed


def _users(network: Network) -> dict[str, list[int]]:
    """The groups that make or read each tensor."""
    users: dict[str, list[int]] = {}
    for index, group in enumerate(network.groups):
        for node in group.nodes:
            for name in (node.name, *node.inputs):
                users.setdefault(name, []).append(index)
    return users


def _priced(plan: Plan, number: int, costs: CascadeCosts) -> tuple[GroupCost, ...]:
    return costs.of(plan.describe(number), _commands(plan))


def _commands(plan: Plan) -> Iterator[Command]:
    """The commands of a plan, none of them made before they are asked for."""
    yield from plan.commands(0, plan.constants(0), plan.tensors)
