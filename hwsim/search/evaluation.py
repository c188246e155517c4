"""What one policy really does: the error of its integer graph's output, and its cost.

Nothing here knows of other policies or of a ledger: whoever has a `Context` gets the same figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator, EnergyModel
from hwsim.adaptive import AdaptiveRunner, chosen_graph, front_end
from hwsim.cost import ProgramCost
from hwsim.cost.combination import expected, in_sequence
from hwsim.estimation import Estimator, FixedDivision
from hwsim.ledger import Record
from hwsim.machine import KERNELS, run_layerwise
from hwsim.schedule import ScheduleError
from hwsim.search.resource import FEMTOJOULES_PER_MICROJOULE
from hwsim.simulation import compare, estimate, simulate
from quant.graph import Graph, Size
from quant.graph.adaptive import AdaptiveGraph
from quant.policy import BitPolicy

AnyGraph = Graph | AdaptiveGraph
BuildGraph = Callable[[BitPolicy], AnyGraph]

Kind = Literal["cost", "error", "machine"]
Records = dict[Kind, Record]

NO_ROOM = "no_room"
"""Key of the record of a cost where the machine has no room: why, in a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What quality is judged on.

    Attributes:
        codes: for each picture, int32 [height, width, channels], codes of the graph's input.
        references: for each picture, float [height, width, channels], the float network's output
            in 8-bit pixel codes, clipped to 0…255 as a picture is.
    """

    codes: Sequence[NDArray[np.int32]]
    references: Sequence[NDArray[np.floating]]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What cost is counted on.

    Attributes:
        accelerator: the machine.
        energy: its prices.
        image_size: height and width of the input image.
    """

    accelerator: Accelerator
    energy: EnergyModel
    image_size: Size


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """All that the figures of a policy depend on but the policy.

    Attributes:
        build_graph: quantizes the network under a policy.
        pictures: what quality is judged on.
        target: what cost is counted on.
        layers: names of the convolutions, first to last.
    """

    build_graph: BuildGraph
    pictures: Pictures
    target: Target
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be found out about a policy.

    Attributes:
        policy: the policy.
        kinds: its cost, its error, or whether the machine computes its integers.
    """

    policy: BitPolicy
    kinds: tuple[Kind, ...]


class Evaluator:
    """Evaluates policies one after the other; remembers what parts of their schedules cost."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # Error and cost of a policy are found one after the other.
        self.build = lru_cache(maxsize=1)(context.build_graph)
        self._estimator = Estimator(context.target.accelerator, context.target.energy)

    def records(self, job: Job) -> Records:
        """What was asked of a policy; where the machine has no room for it, that alone.

        Raises:
            ScheduleError: the machine was asked for, and has no room for a picture.
            UserError: the policy's graph cannot be built.
        """
        found: Records = {}
        if "cost" in job.kinds:
            graph = self.build(job.policy)
            try:
                found["cost"] = self.counted(self.cost(graph))
            except ScheduleError as error:
                return {"cost": {NO_ROOM: str(error)}}
        if "error" in job.kinds:
            found["error"] = {"mse": output_mse(self.build(job.policy), self._context.pictures)}
        if "machine" in job.kinds:
            target = self._context.target
            found["machine"] = on_machine(self.build(job.policy), target, self._context.pictures)
        return found

    def cost(self, graph: AnyGraph) -> ProgramCost:
        """What one image costs.

        Where images choose their bits, it is the mean over images that choose as those did which
        were calibrated on.

        Raises:
            ScheduleError: the machine has no room for it.
        """
        if isinstance(graph, Graph):
            return self.division(graph).total
        target = self._context.target
        size, machine, energy = target.image_size, target.accelerator, target.energy
        front = front_end(estimate(graph.selector, machine, energy, size), machine, energy)
        order = 1, 0, 2  # what describes a group is the first one's
        costs = [self.division(graph.variants[place]).total for place in order]
        shares = graph.shares()
        return expected(
            [in_sequence([front, cost]) for cost in costs], [shares[place] for place in order]
        )

    def division(self, graph: Graph) -> FixedDivision:
        """A graph divided into cascades, priced.

        Raises:
            ScheduleError: the machine has no room for it.
        """
        return self._estimator.fixed(graph, self._context.target.image_size)

    def counted(self, cost: ProgramCost) -> Record:
        """The record of a cost."""
        return {
            "energy_fj": round(cost.energy_uj * FEMTOJOULES_PER_MICROJOULE),
            "cycles": cost.cycles,
            "dram_bytes": cost.dram_read_bytes + cost.dram_write_bytes,
            "sram_bytes": cost.sram_peak_bytes,
            **self._sram(cost),
        }

    def _sram(self, cost: ProgramCost) -> Record:
        """SRAM by convolution, and of what runs without one."""
        groups = [part.group for part in cost.groups]
        cascade_of = {node: group.cascade for group in groups for node in group.nodes}
        bytes_of = {group.cascade: group.sram_bytes for group in groups}
        cascades = [cascade_of[layer] for layer in self._context.layers]
        others = [used for cascade, used in bytes_of.items() if cascade not in set(cascades)]
        return {
            "layer_sram_bytes": [bytes_of[cascade] for cascade in cascades],
            "other_sram_bytes": max(others, default=0),
        }


def output_mse(graph: AnyGraph, pictures: Pictures) -> float:
    """Mean squared difference of a graph's decoded outputs from the references.

    Over all values of all pictures, in squared 8-bit pixel codes. The graph is computed layer by
    layer by the fast kernels, which every schedule equals; where images choose their bits, each
    picture has those that it chooses.
    """
    squares, values = 0.0, 0
    for codes, reference in zip(pictures.codes, pictures.references, strict=True):
        chosen = chosen_graph(graph, codes, KERNELS)
        encoding = chosen.node(chosen.output).output.encoding
        output = run_layerwise(chosen, codes, KERNELS)
        decoded = encoding.scale * (output.astype(np.float64) - np.array(encoding.zero_point))
        squares += float(np.square(decoded - reference).sum())
        values += output.size
    return squares / values


def on_machine(graph: AnyGraph, target: Target, pictures: Pictures) -> Record:
    """Run a graph's schedule on simulated memories, for each picture, and compare the integers.

    Returns:
        ``values`` compared with the graph computed layer by layer, and ``mismatches`` among them.

    Raises:
        ScheduleError: the machine has no room for a picture.
    """
    values = mismatches = 0
    for codes in pictures.codes:
        if isinstance(graph, Graph):
            output = simulate(graph, target.accelerator, target.energy, codes).output
        else:
            output = AdaptiveRunner(graph, target.accelerator, target.energy).simulate(codes).output
        compared = compare(output, chosen_graph(graph, codes, KERNELS), codes, KERNELS)
        values += compared.values
        mismatches += compared.mismatches
    return {"values": values, "mismatches": mismatches}
