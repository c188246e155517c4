"""Costs of many graphs on one machine, each group's shape scheduled and priced once."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

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

    def cost(self, changed: Mapping[str, Node]) -> ProgramCost | None:
        """The cost of the graph with some nodes replaced; None where a part does not fit any more.

        Args:
            changed: nodes by name, which differ from the graph's in the widths of weights and
                tensors alone.
        """
        if not changed:
            return self.total
        network, shapes, numbers = self._changed(changed)
        by_part = list(self._by_part)
        for number in numbers:
            part = cut_again(network, shapes, self._memory, self._parts[number])
            if part is None:
                return None
            like = [cost.group for cost in self._by_part[number]]
            known = self._costs.known((part.shape, 0), like)
            by_part[number] = known or _priced(
                plan_part(network, shapes, part), number, self._costs
            )
        return self._sum(by_part)

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

    def rank(self, changed: Mapping[str, Node]) -> int | None:
        """What the scheduler minimizes, first of all, of the graph with some nodes replaced.

        Of two divisions of a graph it takes the one with the smaller rank.

        Args:
            changed: as in `cost`.
        """
        network, shapes, numbers = self._changed(changed)
        parts = list(self._parts)
        for number in numbers:
            part = cut_again(network, shapes, self._memory, parts[number])
            if part is None:
                return None
            parts[number] = part
        return sum(part.rank[0] for part in parts)

    def needed_sram_bytes(
        self, changed: Mapping[str, Node], *, lowest: bool = False
    ) -> dict[int, int]:
        """SRAM that each cascade needs to be walked through as it is, by the number of its part.

        It holds rows of each tensor and the constants of each layer, so each layer adds what it
        adds whatever the widths of others are.

        Args:
            changed: as in `cost`; without any, all cascades are told, else those it changes.
            lowest: in the same strips, but with a row in each step.
        """
        network, shapes, numbers = self._network, self._shapes, list(range(len(self._parts)))
        if changed:
            network, shapes, numbers = self._changed(changed)
        needed = {}
        for number in numbers:
            part = self._parts[number]
            if isinstance(part.cut, Walk):
                walk = replace(part.cut, rows=1) if lowest else part.cut
                plan = plan_part(network, shapes, replace(part, cut=walk))
                assert isinstance(plan, CascadePlan)
                needed[number] = plan.sram_bytes
        return needed

    def _changed(self, changed: Mapping[str, Node]) -> tuple[Network, Shapes, list[int]]:
        """The network with nodes replaced, and the parts that make or read them."""
        indices = sorted({index for name in changed for index in self._users[name]})
        network, shapes = self._with(changed, indices)
        return network, shapes, list(dict.fromkeys(self._part_of[index] for index in indices))

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
