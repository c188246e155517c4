"""Costs of many graphs on one machine, each group's shape scheduled and priced once."""

from dataclasses import replace

from accelerators import Accelerator, EnergyModel
from hwsim.cost import GroupCost, ProgramCost, group_cost, total_cost
from hwsim.schedule.plan import GroupPlan, Shape, plan_groups
from hwsim.schedule.program import Tiling
from quant.graph import Graph, Size


class Estimator:
    """Prices graphs as `hwsim.simulation.estimate` does, remembering what it has priced.

    The figures are the same: groups run one after the other, and what a group costs depends on
    its shape alone. A search that changes one layer at a time schedules only what changed.

    Attributes:
        accelerator: the machine.
        energy: the priced actions of that machine.
    """

    def __init__(self, accelerator: Accelerator, energy: EnergyModel) -> None:
        self.accelerator = accelerator
        self.energy = energy
        self._tilings: dict[Shape, Tiling] = {}
        self._costs: dict[Shape, GroupCost] = {}

    def cost(self, graph: Graph, image: Size) -> ProgramCost:
        """The cost of a graph for one image of a size.

        Raises:
            ScheduleError: the graph does not fit the accelerator.
            UserError: the energy model lacks an action.
        """
        plans = plan_groups(graph, self.accelerator, image, self._tilings)
        return total_cost((self._group_cost(plan) for plan in plans), self.accelerator)

    def _group_cost(self, plan: GroupPlan) -> GroupCost:
        group = plan.describe()
        if plan.shape not in self._costs:
            commands = plan.commands(0, plan.constants(0))
            self._costs[plan.shape] = group_cost(group, commands, self.accelerator, self.energy)
        return replace(self._costs[plan.shape], group=group)
