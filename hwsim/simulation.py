"""Run a graph on an accelerator: schedule, execute on simulated memories, time and charge."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator, EnergyModel
from hwsim.cost import ProgramCost, program_cost
from hwsim.cost.traffic import payload_read_bytes, payload_write_bytes
from hwsim.machine import (
    Arithmetic,
    LayerOverflows,
    MachineError,
    execute,
    execute_layerwise,
)
from hwsim.schedule import Program, schedule
from quant.graph import Graph, Size

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one image of a size costs.

    Attributes:
        program: the commands and where everything lies.
        cost: cycles, energy and bytes of them.
    """

    program: Program
    cost: ProgramCost


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What one image costs, and the integers that came out.

    Attributes:
        program: as in `Estimate`.
        cost: as in `Estimate`, and equal to it for the same graph, accelerator and size.
        output: [height, width, channels], codes of the output tensor; int64 if it is a sum over a
            feature map, else int32.
        overflows: of each convolution that declares an accumulator, in graph order.
    """

    program: Program
    cost: ProgramCost
    output: NDArray[np.int32] | NDArray[np.int64]
    overflows: tuple[LayerOverflows, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the machine's output compares with the layer-by-layer reference.

    Attributes:
        reference: name of the arithmetic that computed the reference.
        values: integers compared.
        mismatches: how many of them differ.
        first: index [row, column, channel] of the first that differs.
        found: the machine's integer there.
        expected: the reference's integer there.
        overflows: the reference's, of each convolution that declares an accumulator; the machine's
            must be the same.
    """

    reference: str
    values: int
    mismatches: int
    first: tuple[int, ...] | None = None
    found: int | None = None
    expected: int | None = None
    overflows: tuple[LayerOverflows, ...] = ()


def estimate(graph: Graph, accelerator: Accelerator, energy: EnergyModel, image: Size) -> Estimate:
    """Schedule a graph for images of one size and price it, without data.

    Raises:
        ScheduleError: the graph does not fit the accelerator.
        UserError: the energy model lacks an action.
    """
    program = schedule(graph, accelerator, image)
    return Estimate(program, program_cost(program, accelerator, energy))


def simulate(
    graph: Graph,
    accelerator: Accelerator,
    energy: EnergyModel,
    image: NDArray[np.int32],
    progress: Progress | None = None,
) -> Simulation:
    """Schedule a graph, execute it on an image bit for bit, and price it.

    Args:
        graph: a verified graph.
        accelerator: the machine.
        energy: the priced actions of that machine.
        image: int32 [height, width, channels], codes of the input tensor.
        progress: called with commands done and commands in all.

    Raises:
        AccumulatorOverflow: a sum left an accumulator whose overflow is ``error``.
        ScheduleError: the graph does not fit the accelerator.
        UserError: the energy model lacks an action.
    """
    estimated = estimate(graph, accelerator, energy, Size(image.shape[0], image.shape[1]))
    return run_estimated(estimated, accelerator, image, progress)


def run_estimated(
    estimated: Estimate,
    accelerator: Accelerator,
    image: NDArray[np.int32],
    progress: Progress | None = None,
) -> Simulation:
    """Execute what was scheduled for this machine and an image's size.

    Raises:
        AccumulatorOverflow: a sum left an accumulator whose overflow is ``error``.
    """
    program = estimated.program
    execution = execute(program, accelerator, image, progress)
    # The account is made from commands, the machine counts bytes as they move: both must agree.
    counted = (execution.dram_read_bytes, execution.dram_write_bytes)
    accounted = (payload_read_bytes(program), payload_write_bytes(program))
    if counted != accounted:
        raise MachineError(f"DRAM payload: the account says {accounted}, the machine saw {counted}")
    return Simulation(program, estimated.cost, execution.output, execution.overflows)


def compare(
    output: NDArray[np.int32] | NDArray[np.int64],
    graph: Graph,
    image: NDArray[np.int32],
    arithmetic: Arithmetic,
    progress: Progress | None = None,
) -> Comparison:
    """Compare a machine's output with the graph computed layer by layer.

    Args:
        output: [height, width, channels] from the machine.
        graph: the graph it ran.
        image: int32, the input codes it ran on.
        arithmetic: what computes the reference.
        progress: called with nodes done and nodes in all.
    """
    layerwise = execute_layerwise(graph, image, arithmetic, progress)
    expected, overflows = layerwise.output, layerwise.overflows
    different = np.argwhere(output != expected)
    if not len(different):
        return Comparison(arithmetic.name, output.size, 0, overflows=overflows)
    first = tuple(int(index) for index in different[0])
    return Comparison(
        arithmetic.name,
        output.size,
        len(different),
        first,
        int(output[first]),
        int(expected[first]),
        overflows,
    )
