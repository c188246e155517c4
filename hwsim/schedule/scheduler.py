"""From an integer graph and an accelerator to a program: plan, place, emit, verify."""

from collections.abc import Sequence

import numpy as np

from accelerators import Accelerator
from hwsim.schedule.commands import Barrier, Command
from hwsim.schedule.constants import write_constants
from hwsim.schedule.expansion import expanded
from hwsim.schedule.layout import GroupConstants, place_tensors
from hwsim.schedule.plan import Plan, plan_network
from hwsim.schedule.program import Program, ScheduledGroup
from hwsim.schedule.verifier import verify_program
from quant.common.collector import collector_paused
from quant.graph import Graph, Size


def schedule(graph: Graph, accelerator: Accelerator, image: Size) -> Program:
    """Map a graph to an accelerator for images of one size.

    Args:
        graph: a verified graph.
        accelerator: the machine.
        image: height and width of the input image.

    Returns:
        A verified program.

    Raises:
        ScheduleError: the image is too large, accumulators are not what the graph needs, or no tile
            of an operator fits SRAM.
        GraphError: the image is too small for the graph.
    """
    with collector_paused():
        return _schedule(graph, accelerator, image)


def _schedule(graph: Graph, accelerator: Accelerator, image: Size) -> Program:
    graph = expanded(graph)
    plans = plan_network(graph, accelerator, image)
    burst = accelerator.dram.burst_bytes
    # Constants come first in DRAM, and how they are cut depends on the tilings.
    places, constant_bytes = _place_constants(plans)
    tensors, dram_bytes = place_tensors(graph, plans, graph.sizes(image), burst, constant_bytes)

    constants = np.zeros(constant_bytes, np.uint8)
    commands: list[Command] = []
    groups: list[ScheduledGroup] = []
    for number, (plan, place) in enumerate(zip(plans, places, strict=True)):
        for group, of_group in zip(plan.groups, place, strict=True):
            write_constants(constants, group, of_group)
        commands.append(Barrier(len(groups)))
        commands += plan.commands(len(groups), place, tensors)
        groups += plan.describe(number)
    return verify_program(
        Program(
            graph.name,
            accelerator.name,
            tuple(groups),
            tuple(commands),
            constants,
            tensors,
            tensors[graph.input.name],
            tensors[graph.output],
            dram_bytes,
        ),
        accelerator,
    )


def _place_constants(plans: Sequence[Plan]) -> tuple[list[list[GroupConstants]], int]:
    """Constants of every plan, one behind the other from address 0, and where they end."""
    address = 0
    placed: list[list[GroupConstants]] = []
    for plan in plans:
        placed.append(plan.constants(address))
        address = placed[-1][-1].end
    return placed, address
