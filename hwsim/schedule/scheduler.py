"""From an integer graph and an accelerator to a program: group, place, tile, emit, verify."""

import numpy as np

from accelerators import Accelerator
from hwsim.schedule.constants import write_constants
from hwsim.schedule.emit import emit_group
from hwsim.schedule.groups import Group, form_groups
from hwsim.schedule.layout import WeightBlock, allocate, place_tensors, weight_blocks
from hwsim.schedule.program import Barrier, Command, Program, ScheduledGroup, Tiling, round_up
from hwsim.schedule.tiling import Problem, ScheduleError, choose_tiling
from hwsim.schedule.verifier import verify_program
from quant.graph import Graph, Size, TensorType, accumulator_bits


def schedule(graph: Graph, accelerator: Accelerator, image: Size) -> Program:
    """Map a graph to an accelerator for images of one size.

    Args:
        graph: a verified graph.
        accelerator: the machine.
        image: height and width of the input image.

    Returns:
        A verified program.

    Raises:
        ScheduleError: an accumulator is too narrow, or no tile of an operator fits SRAM.
        GraphError: the image is too small for the graph.
    """
    sizes = graph.sizes(image)
    types = {node.name: node.output for node in graph.nodes}
    _check_accumulators(graph, types, accelerator)
    groups = form_groups(graph)
    burst = accelerator.dram.burst_bytes

    # Tilings depend on tensor shapes, not addresses; constants come first in DRAM, and how they
    # are cut depends on the tilings. So: choose with tensors placed at 0, then place for good.
    drafts, _ = place_tensors(graph, groups, sizes, burst, 0)
    problems = [Problem(group, types, sizes, drafts, accelerator) for group in groups]
    tilings = _choose_all(problems)
    blocks, constant_bytes = _place_constants(groups, tilings, burst)
    tensors, dram_bytes = place_tensors(graph, groups, sizes, burst, constant_bytes)

    constants = np.zeros(constant_bytes, np.uint8)
    commands: list[Command] = []
    scheduled: list[ScheduledGroup] = []
    for index, (group, tiling) in enumerate(zip(groups, tilings, strict=True)):
        problem = Problem(group, types, sizes, tensors, accelerator)
        allocation = allocate(group, tiling, types, sizes, accelerator)
        if group.convolution is not None:
            write_constants(constants, group.convolution, blocks[index])
        commands.append(Barrier(index))
        commands += emit_group(index, problem, tiling, allocation, blocks[index])
        scheduled.append(_describe(group, tiling, allocation.size_bytes, problem))
    return verify_program(
        Program(
            graph.name,
            accelerator.name,
            tuple(scheduled),
            tuple(commands),
            constants,
            tensors,
            tensors[graph.input.name],
            tensors[graph.output],
            dram_bytes,
        ),
        accelerator,
    )


def _check_accumulators(
    graph: Graph, types: dict[str, TensorType], accelerator: Accelerator
) -> None:
    available = accelerator.array.accumulator_bits
    for node in graph.convolutions():
        needed = accumulator_bits(node, types[node.inputs[0]])
        if needed > available:
            raise ScheduleError(
                f"operator '{node.name}': its sums need an accumulator of {needed} bits, "
                f"accelerator '{accelerator.name}' has {available}; use fewer bits for this layer "
                "or a larger array.accumulator_bits"
            )


def _choose_all(problems: list[Problem]) -> list[Tiling]:
    """A tiling per group; groups of the same shape share the search."""
    known: dict[tuple[object, ...], Tiling] = {}
    tilings = []
    for problem in problems:
        key = _shape_key(problem)
        if key not in known:
            known[key] = choose_tiling(problem)
        tilings.append(known[key])
    return tilings


def _shape_key(problem: Problem) -> tuple[object, ...]:
    """All that a tiling depends on for one accelerator: shapes, widths and wiring, not names."""
    group = problem.group
    names = list(dict.fromkeys(name for node in group.nodes for name in (*node.inputs, node.name)))
    stored = {node.name for node in group.stored}
    operators = tuple(
        (node.operator.kind, tuple(names.index(name) for name in (*node.inputs, node.name)))
        for node in group.nodes
    )
    tensors = tuple(
        (
            problem.types[name].channels,
            problem.types[name].integer,
            problem.sizes[name],
            name in stored,
        )
        for name in names
    )
    convolution = group.convolution
    kernel = (
        None
        if convolution is None
        else (convolution.weight.shape, convolution.weight_type, convolution.padding)
    )
    return operators, tensors, kernel


def _place_constants(
    groups: tuple[Group, ...], tilings: list[Tiling], burst_bytes: int
) -> tuple[list[list[WeightBlock]], int]:
    """Weight blocks of every group, one behind the other from address 0, and where they end."""
    address = 0
    placed: list[list[WeightBlock]] = []
    for group, tiling in zip(groups, tilings, strict=True):
        blocks = weight_blocks(group, tiling.channels, address, burst_bytes)
        if blocks:
            end = blocks[-1].parameter_address + blocks[-1].parameter_bytes
            address = round_up(end, burst_bytes)
        placed.append(blocks)
    return placed, address


def _describe(group: Group, tiling: Tiling, sram_bytes: int, problem: Problem) -> ScheduledGroup:
    anchor, convolution = group.anchor, group.convolution
    return ScheduledGroup(
        anchor.name,
        tuple(node.name for node in group.nodes),
        tuple(node.operator.kind for node in group.nodes),
        tiling,
        sram_bytes,
        convolution.macs_per_pixel * problem.grid.pixels if convolution else 0,
        convolution.weight_type.bits if convolution else None,
        problem.types[anchor.inputs[0]].integer.bits,
    )
