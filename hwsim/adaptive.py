"""Graphs that an image chooses among, on the machine: front end, decision, chosen variant.

The front end is a graph like any other and is scheduled, executed and charged like one. Then the
control processor reads its sums from DRAM, compares them and starts the variant's commands. All
variants' constants lie in DRAM; which of them are loaded depends on the addresses in the commands,
so that changing the bits of an image costs no transfer of its own.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator, EnergyModel
from hwsim.cost import GroupCost, ProgramCost
from hwsim.cost.account import priced
from hwsim.cost.charges import ACTIVATE, READ_BIT, charge_idle
from hwsim.cost.combination import expected, in_sequence, prefixed
from hwsim.cost.command_costs import DMA, UNITS
from hwsim.cost.explanation import (
    Explanation,
    explain,
    explained_in_sequence,
    explained_reading,
    explained_with_prefix,
)
from hwsim.machine import Arithmetic, LayerOverflows, execute_layerwise
from hwsim.schedule import Program
from hwsim.schedule.expansion import expanded
from hwsim.schedule.layout import parameter_bytes, weight_bytes
from hwsim.schedule.program import ScheduledGroup, Tiling
from hwsim.schedule.storage import round_up
from hwsim.schedule.traffic import expected_pages, transfer_cycles
from hwsim.schedule.vector_constants import constants_bytes
from hwsim.simulation import Estimate, Progress, estimate, run_estimated
from quant.graph import Convolution, Graph, Size
from quant.graph.adaptive import AdaptiveGraph, Selection

Codes = NDArray[np.int32]

FRONT_END = "front_end/"
"""In front of the names of the selector's groups and operators."""
DECISION = "decision"


@dataclass(frozen=True, slots=True)
class AdaptiveEstimate:
    """What images of one size cost that choose among graphs.

    Attributes:
        front_end: cost of the selector and the decision.
        variants: each variant, scheduled and priced without the front end.
    """

    front_end: ProgramCost
    variants: tuple[Estimate, ...]

    def cost(self, variant: int) -> ProgramCost:
        """Of an image that chooses a variant, the front end included."""
        return in_sequence([self.front_end, self.variants[variant].cost])

    def expected(self, adaptive: AdaptiveGraph) -> ProgramCost:
        """The mean over images that choose as those calibrated on did.

        Of what describes a group, such as its bits, the variant in the middle counts.
        """
        order = 1, 0, 2
        shares = adaptive.shares()
        return expected([self.cost(place) for place in order], [shares[place] for place in order])


@dataclass(frozen=True, slots=True, eq=False)
class AdaptiveSimulation:
    """What an image chose and cost, and the integers that came out.

    Attributes:
        selection: what it chose.
        selector: the front end's program.
        program: the variant's.
        cost: of front end and variant.
        output: [height, width, channels], codes of the variant's output.
        overflows: of each convolution that declares an accumulator, the front end's first.
    """

    selection: Selection
    selector: Program
    program: Program
    cost: ProgramCost
    output: NDArray[np.int32] | NDArray[np.int64]
    overflows: tuple[LayerOverflows, ...]


def estimate_adaptive(
    adaptive: AdaptiveGraph,
    accelerator: Accelerator,
    energy: EnergyModel,
    image: Size,
) -> AdaptiveEstimate:
    """Schedule front end and variants for images of one size and price them, without data.

    Raises:
        ScheduleError: a graph does not fit the accelerator.
        UserError: the energy model lacks an action.
    """
    selector = estimate(adaptive.selector, accelerator, energy, image)
    return AdaptiveEstimate(
        front_end(selector, accelerator, energy),
        tuple(estimate(graph, accelerator, energy, image) for graph in adaptive.variants),
    )


class AdaptiveRunner:
    """Runs images on one machine; graphs are scheduled once for each size that is met.

    Attributes:
        adaptive: what is run.
        accelerator: the machine.
        energy: the priced actions of that machine.
    """

    def __init__(
        self, adaptive: AdaptiveGraph, accelerator: Accelerator, energy: EnergyModel
    ) -> None:
        self.adaptive = adaptive
        self.accelerator = accelerator
        self.energy = energy
        self._scheduled: dict[tuple[int, Size], Estimate] = {}

    def simulate(self, image: Codes, progress: Progress | None = None) -> AdaptiveSimulation:
        """Run the front end on an image, decide, and run the chosen variant, bit for bit.

        Args:
            image: int32 [height, width, channels], codes of the input tensor.
            progress: of the variant, called with commands done and commands in all.

        Raises:
            AccumulatorOverflow: a sum left an accumulator whose overflow is ``error``.
            ScheduleError: a graph does not fit the accelerator.
        """
        size = Size(image.shape[0], image.shape[1])
        selector = self._estimate(0, size)
        sums = run_estimated(selector, self.accelerator, image)
        selection = self.adaptive.select(sums.output.astype(np.int64), size)
        variant = self._estimate(1 + selection.variant, size)
        simulation = run_estimated(variant, self.accelerator, image, progress)
        cost = front_end(selector, self.accelerator, self.energy)
        return AdaptiveSimulation(
            selection,
            selector.program,
            simulation.program,
            in_sequence([cost, simulation.cost]),
            simulation.output,
            (*_prefixed(sums.overflows), *simulation.overflows),
        )

    def _estimate(self, place: int, size: Size) -> Estimate:
        if (place, size) not in self._scheduled:
            graph = self.adaptive.graphs()[place]
            self._scheduled[place, size] = estimate(graph, self.accelerator, self.energy, size)
        return self._scheduled[place, size]


def select_layerwise(adaptive: AdaptiveGraph, image: Codes, arithmetic: Arithmetic) -> Selection:
    """What an image chooses, its sums computed layer by layer.

    Args:
        adaptive: what there is to choose from.
        image: int32 [height, width, channels].
        arithmetic: what computes the sums.
    """
    sums = execute_layerwise(adaptive.selector, image, arithmetic).output
    return adaptive.select(sums.astype(np.int64), Size(image.shape[0], image.shape[1]))


def chosen_graph(graph: Graph | AdaptiveGraph, image: Codes, arithmetic: Arithmetic) -> Graph:
    """The graph that an image runs."""
    if isinstance(graph, Graph):
        return graph
    return graph.variants[select_layerwise(graph, image, arithmetic).variant]


def run_overflows(
    adaptive: AdaptiveGraph, image: Codes, arithmetic: Arithmetic
) -> tuple[LayerOverflows, ...]:
    """The front end's overflows, computed layer by layer, named as `AdaptiveSimulation` does."""
    return _prefixed(execute_layerwise(adaptive.selector, image, arithmetic).overflows)


def constants_in_memory(graph: Graph) -> tuple[int, int]:
    """Bytes of a graph's weights in DRAM, and of its other constants, without rests of bursts.

    The latter are the records of convolutions (bias, multiplier, shift, tap offsets) and the
    constants of the vector unit that do not sit in registers: a variant's requantization set.
    """
    weights = others = 0
    for node in expanded(graph).nodes:
        if isinstance(node.operator, Convolution):
            weights += weight_bytes(node.operator, node.operator.out_channels)
            others += parameter_bytes(node.operator, node.operator.out_channels)
        else:
            others += constants_bytes(node.operator, node.output)
    return weights, others


def front_end(selector: Estimate, accelerator: Accelerator, energy: EnergyModel) -> ProgramCost:
    """The selector's cost, and that of the control processor reading what it stored.

    Args:
        selector: scheduled and priced by itself.
        accelerator: the machine.
        energy: its prices.
    """
    cost = prefixed(selector.cost, FRONT_END)
    behind = cost.groups[-1].group.cascade + 1
    decision = _decision(selector.program, behind, accelerator, energy)
    return replace(cost, groups=(*cost.groups, decision))


def _decision(
    program: Program, cascade: int, accelerator: Accelerator, energy: EnergyModel
) -> GroupCost:
    """Reading the sums from DRAM before anything of the variant can start.

    Adding and comparing them is control, which is not modelled (`accelerators.energy`).
    """
    sums = program.output
    size_bytes, busy, cycles = decision_transfer(program, accelerator)
    pages = expected_pages(1, size_bytes, accelerator.dram)
    charges = Counter({READ_BIT: 8 * size_bytes, ACTIVATE: pages})
    charges += charge_idle(cycles, accelerator)
    group = ScheduledGroup(
        name=FRONT_END + DECISION,
        nodes=(FRONT_END + DECISION,),
        kinds=(DECISION,),
        tiling=Tiling(1, 1, sums.channels),
        cascade=cascade,
        sram_bytes=0,
        macs=0,
        weight_bits=None,
        activation_bits=sums.integer.bits,
        shape=(DECISION, size_bytes),
    )
    return priced(group, cycles, {**dict.fromkeys(UNITS, 0), DMA: busy}, charges, energy)


def decision_transfer(selector: Program, accelerator: Accelerator) -> tuple[int, int, int]:
    """Bytes of reading the sums, cycles in which it occupies the DRAM's bus, cycles in all."""
    size_bytes = round_up(selector.output.size_bytes, accelerator.dram.burst_bytes)
    busy = transfer_cycles(accelerator, size_bytes)
    return size_bytes, busy, busy + accelerator.dram.latency_cycles


def explain_adaptive(selector: Program, variant: Program, accelerator: Accelerator) -> Explanation:
    """What bounds front end, decision and variant; cycles are those of their cost.

    Args:
        selector: the front end's program.
        variant: that of the chosen variant.
        accelerator: the machine.
    """
    front = explained_with_prefix(explain(selector, accelerator), FRONT_END)
    decision = explained_reading(FRONT_END + DECISION, *decision_transfer(selector, accelerator))
    front = replace(front, groups=(*front.groups, decision))
    return explained_in_sequence([front, explain(variant, accelerator)])


def _prefixed(overflows: Sequence[LayerOverflows]) -> tuple[LayerOverflows, ...]:
    return tuple(replace(layer, operator=FRONT_END + layer.operator) for layer in overflows)
