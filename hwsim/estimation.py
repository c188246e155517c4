"""Costs of many graphs on one machine, each group's shape scheduled and priced once."""

from collections.abc import Iterator

from accelerators import Accelerator, EnergyModel
from hwsim.cost import CascadeCosts, ProgramCost, total_cost
from hwsim.schedule.commands import Command
from hwsim.schedule.plan import Plan, plan_network
from hwsim.schedule.shapes import Memory
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
        self._memory = Memory()
        self._costs = CascadeCosts(accelerator, energy)

    def cost(self, graph: Graph, image: Size) -> ProgramCost:
        """The cost of a graph for one image of a size.

        Raises:
            ScheduleError: the graph does not fit the accelerator.
            UserError: the energy model lacks an action.
        """
        plans = plan_network(graph, self.accelerator, image, self._memory)
        return total_cost(
            (
                cost
                for number, plan in enumerate(plans)
                for cost in self._costs.of(plan.describe(number), _commands(plan))
            ),
            self.accelerator,
        )


def _commands(plan: Plan) -> Iterator[Command]:
    """The commands of a plan, none of them made before they are asked for."""
    yield from plan.commands(0, plan.constants(0), plan.tensors)
